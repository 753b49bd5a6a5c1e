//! Takes over files that somebody else put into a vector store, where their content can be shown to be a document's.
//!
//! Invariant: a file is taken over only when its name and size are the document's and, for a format of plain text, the
//! text that the service has of it is the document's text; line ends and space at line ends do not count. Everything
//! else is left as it is. Taking over changes attributes only; nothing is uploaded, detached or deleted.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::TryStreamExt as _;

use crate::clock::Clock;
use crate::docs::format::encoding;
use crate::docs::walk;
use crate::hosted::lease::Holder;
use crate::hosted::prepare::{Form, form_of};
use crate::hosted::state::RemoteFile;
use crate::hosted::{HostedError, Service, lease};
use crate::model::file_name;
use crate::openai::file::File;
use crate::openai::vector_store::{Attributes, FileStatus, StoreFile};
use crate::openai::{Client, OpenAiError};

/// Formats that the service takes as plain text (reference: supported file types).
const TEXT: [&str; 17] =
    ["c", "cpp", "cs", "css", "go", "html", "java", "js", "json", "md", "php", "py", "rb", "sh", "tex", "ts", "txt"];

/// A document that may be in the store already.
#[derive(Debug, Clone)]
pub struct Local {
    /// Path relative to the documents folder.
    pub path: String,
    /// Where it lies now.
    pub absolute: PathBuf,
    /// Size in bytes.
    pub bytes: u64,
}

/// A document and the file in the store that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The document's path.
    pub path: String,
    /// The file.
    pub file_id: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Documents that others' files in the store hold.
    pub matches: Vec<Match>,
    /// Documents that the store has already as a sync would have them, by path: an earlier import or a sync did it.
    pub present: Vec<String>,
    /// Documents that will be uploaded, with the reason.
    pub others: Vec<(String, String)>,
    /// Files in the store that belong to no document, by name.
    pub unmatched: Vec<String>,
}

/// A file of others in the store.
#[derive(Debug, Clone)]
struct Candidate {
    file_id: String,
    filename: String,
    bytes: Option<u64>,
    is_ready: bool,
}

/// Looks which of the documents the store has already. It only reads.
pub async fn find(client: &Client, store_id: &str, documents: &[Local]) -> Result<Found, OpenAiError> {
    let attached: Vec<StoreFile> = client.all_store_files(store_id, None).try_collect().await?;
    let files: Vec<File> = client.all_files().try_collect().await?;
    let (ours, mut open) = candidates(attached, files);
    let mut found = Found::default();
    for document in documents {
        if has(&ours, document).await {
            found.present.push(document.path.clone());
            continue;
        }
        match of_document(client, store_id, document, &open).await? {
            Ok(file_id) => {
                open.retain(|candidate| candidate.file_id != file_id);
                found.matches.push(Match { path: document.path.clone(), file_id });
            }
            Err(why) => found.others.push((document.path.clone(), why)),
        }
    }
    found.unmatched = open.into_iter().map(|candidate| candidate.filename).collect();
    Ok(found)
}

/// How files are taken over.
#[derive(Clone, Copy)]
pub struct Taking<'a> {
    /// The store.
    pub service: &'a Service,
    /// Who works on it, for the lease.
    pub holder: &'a Holder,
    /// Where the present comes from.
    pub clock: &'a dyn Clock,
    /// How long is waited before it is looked who wrote the lease last.
    pub settle: Duration,
}

/// Gives files the attributes of their documents, under the lease of a sync. Says which files the store has no more.
pub async fn take_over(taking: Taking<'_>, files: &[(String, Attributes)]) -> Result<Vec<String>, HostedError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let Taking { service, holder, clock, settle } = taking;
    let store = service.store().await?;
    let lease = lease::take(service, holder, &store, clock, settle).await?;
    let set = async {
        let mut gone = Vec::new();
        for (file_id, attributes) in files {
            if !service.set_attributes(file_id, attributes).await? {
                gone.push(file_id.clone());
            }
        }
        Ok(gone)
    };
    let outcome = tokio::select! {
        error = lease.keep() => return Err(error),
        outcome = set => outcome,
    };
    lease.release().await?;
    outcome
}

/// The hashes of the documents that a store has of ours, and its files of others, newest first.
fn candidates(attached: Vec<StoreFile>, files: Vec<File>) -> (HashSet<String>, Vec<Candidate>) {
    let mut by_id: HashMap<String, File> = files.into_iter().map(|file| (file.id.clone(), file)).collect();
    let (mut ours, mut others) = (HashSet::new(), Vec::new());
    for file in attached.into_iter().rev() {
        match RemoteFile::of(file) {
            Ok(own) if own.status == FileStatus::Completed => {
                ours.insert(own.sha256);
            }
            Ok(_) => {}
            Err(foreign) => others.extend(by_id.remove(&foreign.file_id).map(|file| Candidate {
                file_id: file.id,
                filename: file.filename,
                bytes: file.bytes,
                is_ready: foreign.status == FileStatus::Completed,
            })),
        }
    }
    (ours, others)
}

/// Whether one of our files in the store was made of the document's bytes. One that cannot be read is not known to be.
async fn has(ours: &HashSet<String>, document: &Local) -> bool {
    if ours.is_empty() {
        return false;
    }
    let Local { path, absolute, .. } = document.clone();
    let hashed = tokio::task::spawn_blocking(move || walk::hash_file(&absolute, &path)).await;
    matches!(hashed, Ok(Ok(hash)) if ours.contains(&hash))
}

/// The file that holds a document, or why there is none.
async fn of_document(
    client: &Client,
    store_id: &str,
    document: &Local,
    open: &[Candidate],
) -> Result<Result<String, String>, OpenAiError> {
    let same_name: Vec<&Candidate> = open.iter().filter(|file| file.filename == file_name(&document.path)).collect();
    let refuse = |why: &str| Ok(Err(why.to_owned()));
    if form_of(&document.path) != Form::Original {
        return refuse("it goes up in another form");
    }
    if same_name.is_empty() {
        return refuse("the store has no file of its name");
    }
    let same_size: Vec<&&Candidate> = same_name.iter().filter(|file| file.bytes == Some(document.bytes)).collect();
    if same_size.is_empty() {
        return refuse("the store's file has another size");
    }
    let Some(first) = same_size.iter().find(|file| file.is_ready) else {
        return refuse("the store's file is not indexed");
    };
    if !is_text(&document.path) {
        return Ok(Ok(first.file_id.clone()));
    }
    let Some(text) = read(document).await else {
        return refuse("it cannot be read");
    };
    for file in same_size.iter().filter(|file| file.is_ready) {
        if is_text_of(&text, &client.store_file_pieces(store_id, &file.file_id).await?) {
            return Ok(Ok(file.file_id.clone()));
        }
    }
    refuse("the text that the service has is not shown to be the same")
}

fn is_text(path: &str) -> bool {
    let extension = file_name(path).rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| TEXT.contains(&extension.as_str()))
}

async fn read(document: &Local) -> Option<String> {
    let path = document.absolute.clone();
    let bytes = tokio::task::spawn_blocking(move || fs::read(path)).await.ok()?.ok()?;
    Some(encoding::decode(&bytes, None))
}

/// Whether pieces, which may overlap, are a text from its first to its last character.
fn is_text_of(text: &str, pieces: &[String]) -> bool {
    let text = tidy(text);
    let text = text.trim_end();
    let mut covered = 0_usize;
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces.iter().enumerate() {
        let piece = tidy(piece);
        let piece = if at == last { piece.trim_end() } else { &piece };
        let lowest = covered.saturating_sub(piece.len());
        let fits = |start: &usize| text.get(*start..).is_some_and(|rest| rest.starts_with(piece));
        // The least overlap first.
        let Some(start) = (lowest..=covered).rev().find(fits) else { return false };
        covered = covered.max(start + piece.len());
    }
    covered == text.len() && !text.is_empty()
}

/// A text with plain line ends, and without a mark at its beginning and space at line ends.
fn tidy(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut tidy = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                tidy.push_str(line.trim_end());
                tidy.push('\n');
            }
            // Where a piece ends, a line need not.
            None => tidy.push_str(line),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_same_text_in_pieces_is_the_same() {
        let text = "# Title\r\n\r\nOne two.  \r\nThree\r\n";
        for same in [
            &["# Title\n\nOne two.\nThree"][..],
            &["\u{feff}# Title\n\nOne ", "two.\nThree\n"],
            &["# Title\n\nOne two.", "One two.\nThree", "\nThree\n\n"],
        ] {
            assert!(is_text_of(text, &pieces(same)), "{same:?}");
        }
        for other in [
            &["# Title\n\nOne two.\n"][..],
            &["One two.\nThree"],
            &["# Title\n\nOne two.\nThree\nFour"],
            &["# Title", "One two.\nThree"],
            &["# Title\n\nOne two,\nThree"],
            &[],
            &[""],
        ] {
            assert!(!is_text_of(text, &pieces(other)), "{other:?}");
        }
        assert!(!is_text_of("", &[]), "nothing shows nothing");
    }

    proptest! {
        #[test]
        fn windows_of_a_text_are_it_and_those_of_another_are_not(
            text in "[a-c \n]{1,80}x",
            width in 3_usize..20,
            changed in 0_usize..80,
        ) {
            let step = width.div_ceil(2);
            let windows = |text: &str| -> Vec<String> {
                let starts = (0..text.len()).step_by(step);
                starts.map(|start| text[start..(start + width).min(text.len())].to_owned()).collect()
            };
            let plain: String = tidy(&text);
            prop_assert!(is_text_of(&plain, &windows(&plain)));
            let at = changed % plain.len();
            let other: String = plain.char_indices().map(|(i, c)| if i == at { 'z' } else { c }).collect();
            prop_assert!(!is_text_of(&plain, &windows(&other)));
        }
    }
}
