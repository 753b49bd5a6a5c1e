//! The only place that turns settings into live backends.

use std::sync::Arc;

use crate::config::Settings;
use crate::error::Failure;
use crate::index::VectorStore;
use crate::index::local::LocalIndex;
use crate::ingest::Folders;

/// Opens the index that the settings name, making it when absent.
pub fn open_index(settings: &Settings) -> Result<Arc<dyn VectorStore>, Failure> {
    let index = LocalIndex::open(&settings.paths.state_dir.join("index"))?;
    Ok(Arc::new(index))
}

/// Where documents and state lie, for `ingest::sync`.
pub fn doc_source(settings: &Settings) -> Folders {
    Folders {
        docs_dir: settings.paths.docs_dir.clone(),
        state_dir: settings.paths.state_dir.clone(),
    }
}
