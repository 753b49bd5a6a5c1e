//! The documents: what there is, and the files themselves.
//!
//! A file is found by the id of its record, never by a path of the caller's. What a record names must still lie in
//! the documents folder after all links are followed.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path as FilePath, PathBuf};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::docs::format;
use crate::model::DocumentRecord;
use crate::serve::error::ApiError;
use crate::serve::route;
use crate::serve::state::AppState;

/// How much of a text is looked at to tell whether it is UTF-8.
const PROBE_BYTES: usize = 8 * 1024;
/// For documents that a browser shows: no script, no form, no origin of its own, nothing loaded but its own style.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
);
const PDF: &str = "application/pdf";
/// The browsers' PDF viewers do not start in a sandbox; a PDF runs no script of ours either way.
const PDF_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

#[derive(Serialize)]
struct List<'a> {
    documents: Vec<Entry<'a>>,
}

/// Here null is written, not left out.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    filename: &'a str,
    title: &'a str,
    description: Option<&'a str>,
}

/// `GET /knowledge/documents`
pub async fn list(State(state): State<AppState>) -> Result<Response, ApiError> {
    let records = state.index.records().await?;
    Ok(route::json(&List { documents: records.iter().map(entry).collect() }))
}

fn entry(record: &DocumentRecord) -> Entry<'_> {
    Entry {
        id: &record.document_id,
        filename: filename(&record.path),
        title: &record.title,
        description: record.description.as_deref(),
    }
}

/// `GET /knowledge/documents/{document_id}/file`
pub async fn file(
    State(state): State<AppState>,
    document_id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(document_id) = document_id?;
    let record = state.index.record(&document_id).await?;
    let record = record.ok_or_else(|| ApiError::not_found("Document not found").detail())?;
    let docs_dir = state.docs_dir.clone();
    let path = record.path.clone();
    let opened =
        tokio::task::spawn_blocking(move || open_within(&docs_dir, &path)).await.map_err(|_| ApiError::internal())?;
    let opened = opened.map_err(|error| {
        tracing::warn!(document.id = %record.document_id, %error, "a document's file is not available");
        ApiError::not_found("File not available").detail()
    })?;
    Ok(answer(filename(&record.path), opened))
}

/// An opened document.
struct Opened {
    file: File,
    bytes: u64,
    is_utf8: bool,
}

/// Opens a regular file of the folder for reading.
fn open_within(docs_dir: &FilePath, path: &str) -> std::io::Result<Opened> {
    let refuse = |why: &'static str| Err(std::io::Error::new(std::io::ErrorKind::NotFound, why));
    let relative = PathBuf::from(path);
    let is_plain = |component: Component<'_>| matches!(component, Component::Normal(_));
    if !relative.components().all(is_plain) {
        return refuse("the path leaves the documents folder");
    }
    let root = docs_dir.canonicalize()?;
    let place = root.join(relative).canonicalize()?;
    if !place.starts_with(&root) {
        return refuse("a link leads out of the documents folder");
    }
    // Looked at before opening: a pipe would wait for its writer.
    let seen = place.symlink_metadata()?;
    if !seen.is_file() {
        return refuse("it is not a regular file");
    }
    let mut file = File::open(&place)?;
    let metadata = file.metadata()?;
    if !is_same_file(&seen, &metadata) {
        return refuse("it was exchanged while it was opened");
    }
    let is_utf8 = is_utf8_so_far(&mut file)?;
    Ok(Opened { file, bytes: metadata.len(), is_utf8 })
}

#[cfg(unix)]
fn is_same_file(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same_file(_seen: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

fn is_utf8_so_far(file: &mut File) -> std::io::Result<bool> {
    let mut start = Vec::with_capacity(PROBE_BYTES);
    file.take(PROBE_BYTES as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(match std::str::from_utf8(&start) {
        Ok(_) => true,
        // A character that the probe cut in two is no error.
        Err(error) => error.error_len().is_none(),
    })
}

fn answer(filename: &str, opened: Opened) -> Response {
    let treatment = treatment(filename, opened.is_utf8);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, treatment.media_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(opened.bytes));
    headers.insert(header::CONTENT_DISPOSITION, disposition(treatment.disposition, filename));
    headers.insert(header::CONTENT_SECURITY_POLICY, treatment.policy);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    // No more than was promised, should the file grow meanwhile.
    let file = tokio::fs::File::from_std(opened.file).take(opened.bytes);
    (StatusCode::OK, headers, Body::from_stream(ReaderStream::new(file))).into_response()
}

/// How a browser is told to take a file.
struct Treatment {
    media_type: HeaderValue,
    disposition: &'static str,
    policy: HeaderValue,
}

/// As the row of its format says; what has none is a download of nobody's type.
fn treatment(filename: &str, is_utf8: bool) -> Treatment {
    let format = format::by_extension(filename);
    let media_type = format::media_type(filename);
    // Which encoding a text has that is no UTF-8, the browser finds out as well as we do.
    let media_type = match media_type.split_once(';') {
        Some((essence, _)) if !is_utf8 => essence,
        _ => media_type,
    };
    Treatment {
        media_type: HeaderValue::from_static(media_type),
        disposition: if format.is_some_and(|format| format.is_shown) { "inline" } else { "attachment" },
        policy: if media_type == PDF { PDF_POLICY } else { SANDBOX },
    }
}

/// `Content-Disposition` by RFC 6266; names beyond plain ASCII as RFC 8187 says, with a plain one beside.
fn disposition(kind: &str, filename: &str) -> HeaderValue {
    let is_plain = |each: char| matches!(each, ' '..='~') && !matches!(each, '"' | '\\' | '%');
    let plain: String = filename.chars().map(|each| if is_plain(each) { each } else { '_' }).collect();
    let mut text = format!("{kind}; filename=\"{plain}\"");
    if plain != filename {
        text = format!("{text}; filename*=UTF-8''{}", percent(filename));
    }
    HeaderValue::try_from(text).expect("the name holds visible ASCII only")
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn filename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::{disposition, open_within, treatment};
    use crate::docs::format::FORMATS;

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let cases = [
            ("refund_policy.md", "inline; filename=\"refund_policy.md\""),
            ("a\"b\\c.md", "inline; filename=\"a_b_c.md\"; filename*=UTF-8''a%22b%5Cc.md"),
            ("a\r\nb.md", "inline; filename=\"a__b.md\"; filename*=UTF-8''a%0D%0Ab.md"),
            ("Größe.md", "inline; filename=\"Gr__e.md\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.md"),
        ];
        for (name, expected) in cases {
            assert_eq!(disposition("inline", name), expected);
        }
    }

    #[test]
    fn only_tame_types_are_shown() {
        for (name, shown) in [
            ("a.md", "inline"),
            ("a.PDF", "inline"),
            ("a.xhtml", "inline"),
            ("a.svg", "attachment"),
            ("a.xml", "attachment"),
            ("a", "attachment"),
            ("a.docx", "attachment"),
        ] {
            assert_eq!(treatment(name, true).disposition, shown, "{name}");
        }
        assert!(treatment("a.html", true).policy.to_str().unwrap().starts_with("sandbox;"));
        assert_eq!(treatment("a.txt", false).media_type, "text/plain");
        for format in FORMATS {
            let name = format!("a.{}", format.extensions[0]);
            let treatment = treatment(&name, true);
            assert_eq!(treatment.media_type, format.media_type);
            let policy = treatment.policy.to_str().unwrap();
            assert!(policy.starts_with("sandbox;") || policy.contains("object-src"), "{name}");
        }
        assert_eq!(treatment("a.svg", true).media_type, "application/octet-stream");
    }

    #[test]
    fn only_regular_files_of_the_folder_open() {
        let folder = tempfile::tempdir().unwrap();
        let docs = folder.path().join("docs");
        std::fs::create_dir_all(docs.join("sub")).unwrap();
        std::fs::write(docs.join("sub/in.md"), "in").unwrap();
        std::fs::write(folder.path().join("out.md"), "out").unwrap();
        assert_eq!(open_within(&docs, "sub/in.md").unwrap().bytes, 2);
        for path in ["../out.md", "sub/../../out.md", "/etc/passwd", "sub", "absent.md", ""] {
            assert!(open_within(&docs, path).is_err(), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../out.md", docs.join("escape.md")).unwrap();
            std::os::unix::fs::symlink("sub/in.md", docs.join("inside.md")).unwrap();
            std::os::unix::fs::symlink("/etc", docs.join("etc")).unwrap();
            assert!(open_within(&docs, "escape.md").is_err());
            assert!(open_within(&docs, "etc/passwd").is_err());
            assert!(open_within(&docs, "inside.md").is_ok());
        }
    }
}
