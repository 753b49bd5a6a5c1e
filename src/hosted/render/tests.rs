//! What goes up of real files, and what does not.

use std::fs;
use std::path::Path;

use super::*;
use crate::docs::reader::InProcess;
use crate::docs::walk::walk;
use crate::hosted::prepare::{Prepared, prepare};
use crate::openai::file::Body;

fn found(root: &Path, path: &str) -> FoundFile {
    walk(root).unwrap().files.into_iter().find(|file| file.path == path).unwrap()
}

async fn made(root: &Path, path: &str) -> Result<Prepared, Problem> {
    prepare(&InProcess, root, &found(root, path), form_of(path)).await
}

fn bytes(prepared: &Prepared) -> Vec<u8> {
    match &prepared.body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::Path { path, .. } => fs::read(path).unwrap(),
    }
}

#[tokio::test]
async fn what_the_service_reads_goes_up_as_it_is_and_the_rest_as_markdown() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("a.MD"), "# A\n\nText.\n").unwrap();
    fs::write(root.join("prices.csv"), "item,price\nlamp,3\nbulb,1\n").unwrap();
    fs::write(root.join("latin.txt"), b"Gr\xf6\xdfe und Gewicht f\xfcr den Versand der Lampe").unwrap();
    let original = made(root, "a.MD").await.unwrap();
    assert_eq!(
        (original.form, original.extension.as_str(), original.mime_type),
        (Form::Original, "md", "text/markdown")
    );
    assert_eq!(bytes(&original), b"# A\n\nText.\n");
    let table = made(root, "prices.csv").await.unwrap();
    assert_eq!((table.form, table.extension.as_str(), table.mime_type), (Form::Markdown, "md", "text/markdown"));
    let text = String::from_utf8(bytes(&table)).unwrap();
    assert!(text.contains("| item | price |\n|---|---|\n| lamp | 3 |\n"), "{text}");
    assert_eq!(bytes(&made(root, "prices.csv").await.unwrap()), text.as_bytes());
    let converted = made(root, "latin.txt").await.unwrap();
    assert_eq!(bytes(&converted), "Größe und Gewicht für den Versand der Lampe".as_bytes());
}

#[tokio::test]
async fn a_large_rendition_lies_in_a_file_while_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..40_000).map(|row| format!("lamp number {row},a text about it,{row}\n")).collect();
    fs::write(folder.path().join("big.csv"), format!("item,text,price\n{}", rows.concat())).unwrap();
    let prepared = made(folder.path(), "big.csv").await.unwrap();
    let Body::Path { path, bytes } = prepared.body.clone() else { panic!("a file") };
    assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
    drop(prepared);
    assert!(!path.exists());
}

#[tokio::test]
async fn what_cannot_be_read_or_changed_is_a_problem_before_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("empty.csv"), "").unwrap();
    fs::write(root.join("a.csv"), "a,b\n1,2\n").unwrap();
    assert_eq!(made(root, "empty.csv").await.unwrap_err().code, "document/no-text");
    let planned = found(root, "a.csv");
    fs::write(root.join("a.csv"), "a,b\n1,2\n3,4\n").unwrap();
    let problem = prepare(&InProcess, root, &planned, Form::Markdown).await.unwrap_err();
    assert!(problem.message.contains("changed"), "{problem:?}");
}

/// The service goes by the name, and would index the bytes of a PDF as text.
#[test]
fn a_file_under_a_wrong_name_does_not_go_up() {
    let read = |format: &str| ReadFile {
        parsed: format::Parsed { format: format.to_owned(), ..format::Parsed::default() },
        sha256: String::new(),
        bytes: 0,
        modified_ns: None,
    };
    let pdf = format::pdf::FORMAT.name;
    assert_eq!(obstacle("a.txt", &read(pdf)).unwrap().code, "document/misnamed");
    assert_eq!(obstacle("a.pdf", &read(pdf)), None);
    // What goes up as our own extraction is what we read.
    assert_eq!(obstacle("a.csv", &read(pdf)), None);
}

/// The service takes longer texts than our readers; what goes up as our extraction has to be read.
#[test]
fn a_text_may_be_as_long_as_the_service_takes() {
    assert_eq!(max_bytes("a.txt"), 512 * 1024 * 1024);
    assert_eq!(max_bytes("a.csv"), crate::docs::format::max_bytes("a.csv"));
}
