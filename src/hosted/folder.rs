//! What the store is to have: one file for each document of the folder. Pure.

use std::collections::BTreeSet;

use crate::docs::walk::{FoundFile, Skipped};
use crate::error::Problem;
use crate::hosted::prepare::{self, Described, Form};
use crate::ingest::Scan;
use crate::openai::vector_store::Attributes;

/// The largest file that the service takes, in bytes (512 MB; reference: Files, limits).
pub const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// A document as it is to be in the store.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its id.
    pub document_id: String,
    /// Its source.
    pub file: FoundFile,
    /// SHA-256 of the source.
    pub sha256: String,
    /// What else shapes it: [`prepare::recipe`].
    pub recipe: String,
    /// In which form it goes up.
    pub form: Form,
    /// What is attached to it.
    pub attributes: Attributes,
}

/// The folder, as far as the store is concerned.
#[derive(Debug, Default)]
pub struct Folder {
    /// The documents, sorted by path.
    pub wanted: Vec<Wanted>,
    /// Ids of documents that cannot go up as they are. What the store has of them stays.
    pub unfit: BTreeSet<String>,
    /// What could not be looked at, or cannot go up. What the store has at or below these paths stays.
    pub problems: Vec<Problem>,
    /// Files left out on purpose.
    pub skipped: Vec<Skipped>,
}

impl Folder {
    /// What a scan found.
    pub fn of(scan: Scan) -> Self {
        let mut folder = Self { problems: scan.problems, skipped: scan.skipped, ..Self::default() };
        for scanned in scan.files {
            let described = Described::of(&scanned);
            match fit(&described, &scanned.file) {
                Ok(attributes) => folder.wanted.push(Wanted {
                    recipe: prepare::recipe(&described),
                    form: prepare::form_of(&scanned.file.path),
                    document_id: scanned.document_id,
                    file: scanned.file,
                    sha256: scanned.sha256,
                    attributes,
                }),
                Err(problem) => {
                    folder.unfit.insert(scanned.document_id);
                    folder.problems.push(problem);
                }
            }
        }
        folder.problems.sort_by(|a, b| a.path.cmp(&b.path));
        folder
    }
}

fn fit(described: &Described, file: &FoundFile) -> Result<Attributes, Problem> {
    let attributes = prepare::attributes(described)?;
    let refuse = |code: &str, message: String| Err(Problem::new(&file.path, code, message));
    if file.bytes > MAX_FILE_BYTES {
        let message =
            format!("it has more than {} MB, which the service does not take; split it", MAX_FILE_BYTES >> 20);
        return refuse("document/too-large", message);
    }
    if file.bytes == 0 {
        return refuse("document/no-text", "it is empty, and the service takes no empty files".to_owned());
    }
    Ok(attributes)
}
