//! What the remote store has: whose each file is, and what of ours lies about unattached.
//!
//! Invariant: it only reads. A file in the store is ours by its attributes, one outside by its name; what is neither is
//! foreign and is told, never touched.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::hosted::HostedError;
use crate::hosted::name::{Name, store_mark};
use crate::hosted::prepare::{DOCUMENT_ID, MADE_BY, OURS, PATH, RECIPE, SHA256};
use crate::hosted::service::{Enough, Service};
use crate::openai::vector_store::{Attribute, Attributes, FileError, FileStatus, StoreFile, VectorStore};
use crate::openai::{ErrorKind, OpenAiError};

/// A file in the store that this program put there, or took over.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteFile {
    /// The file.
    pub file_id: String,
    /// The document it is a version of.
    pub document_id: String,
    /// The document's path; a long one is cut ([`crate::hosted::prepare::shortened`]).
    pub path: String,
    /// SHA-256 of the source it was made of.
    pub sha256: String,
    /// The recipe it was made with.
    pub recipe: String,
    /// Where its indexing stands.
    pub status: FileStatus,
    /// Why it was not indexed.
    pub error: Option<FileError>,
    /// When it was attached, seconds since 1970.
    pub attached_at: i64,
    /// What is billed, in bytes.
    pub usage_bytes: u64,
    /// All that is attached to it.
    pub attributes: Attributes,
}

/// An uploaded file with a name of ours that is not in the store that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattached {
    /// The file.
    pub file_id: String,
    /// Its name.
    pub filename: String,
    /// What its name says.
    pub name: Name,
    /// Size in bytes, when known.
    pub bytes: Option<u64>,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// A file in the store that is not ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    /// The file.
    pub file_id: String,
    /// What is billed, in bytes.
    pub usage_bytes: u64,
    /// Where its indexing stands.
    pub status: FileStatus,
}

/// The remote store, as it was read.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The store itself.
    pub store: VectorStore,
    /// Our files by document, each list newest first.
    pub documents: BTreeMap<String, Vec<RemoteFile>>,
    /// Files of others, never touched.
    pub foreign: Vec<Foreign>,
    /// Files that were uploaded for this store and are not in it.
    pub orphans: Vec<Unattached>,
    /// Files of ours that were uploaded for other stores.
    pub elsewhere: Vec<Unattached>,
}

/// Reads the store: one request for it, one for each 10,000 files of the account and each 100 of the store, side by
/// side.
pub async fn read(service: &Service) -> Result<Remote, HostedError> {
    let store = async { service.store().await.map_err(|error| no_store(error, service.store_id())) };
    let account = async { Account::read(service).await.map_err(HostedError::Service) };
    let (store, account, mut attached) =
        Box::pin(async { tokio::try_join!(store, account, attached(service)) }).await?;
    if store.status == "expired" {
        return Err(HostedError::Expired(service.store_id().to_owned()));
    }
    let own = store_mark(service.store_id());
    if account.has_unattached(&own, &attached) {
        // Read again, after the files of the account: what was attached in between must not look unattached.
        attached = self::attached(service).await?;
    }
    let mut remote =
        Remote { store, documents: BTreeMap::new(), foreign: Vec::new(), orphans: Vec::new(), elsewhere: Vec::new() };
    let mut in_store = HashSet::new();
    for file in attached {
        in_store.insert(file.id.clone());
        match RemoteFile::of(file) {
            Ok(file) if account.lacks(&file.file_id) && service.file(&file.file_id).await?.is_none() => {
                // It is deleted, and the store's list lags behind.
            }
            Ok(file) => remote.documents.entry(file.document_id.clone()).or_default().push(file),
            Err(foreign) => remote.foreign.push(foreign),
        }
    }
    for files in remote.documents.values_mut() {
        files.sort_by(|a, b| (b.attached_at, &b.file_id).cmp(&(a.attached_at, &a.file_id)));
    }
    let unattached = account.ours.into_iter().filter(|file| !in_store.contains(&file.file_id));
    (remote.orphans, remote.elsewhere) = unattached.partition(|file| file.name.store == own);
    Ok(remote)
}

async fn attached(service: &Service) -> Result<Vec<StoreFile>, HostedError> {
    let mut files = Vec::new();
    let read = service.each_store_file(None, |file| files.push(file)).await;
    read.map_err(|error| no_store(error, service.store_id()))?;
    Ok(files)
}

fn no_store(error: OpenAiError, store_id: &str) -> HostedError {
    match error.kind {
        ErrorKind::NotFound => HostedError::NoStore(store_id.to_owned()),
        _ => HostedError::Service(error),
    }
}

/// The files of the account.
struct Account {
    ids: BTreeSet<String>,
    ours: Vec<Unattached>,
}

impl Account {
    async fn read(service: &Service) -> Result<Self, OpenAiError> {
        let mut account = Self { ids: BTreeSet::new(), ours: Vec::new() };
        let take = |file: crate::openai::file::File| {
            if let Some(name) = Name::parse(&file.filename) {
                let (file_id, filename) = (file.id.clone(), file.filename);
                account.ours.push(Unattached {
                    file_id,
                    filename,
                    name,
                    bytes: file.bytes,
                    created_at: file.created_at,
                });
            }
            account.ids.insert(file.id);
            Enough::No
        };
        service.each_account_file(take).await?;
        Ok(account)
    }

    /// Whether an upload for this store is not among its files.
    fn has_unattached(&self, own: &str, attached: &[StoreFile]) -> bool {
        let attached: HashSet<&str> = attached.iter().map(|file| file.id.as_str()).collect();
        self.ours.iter().any(|file| file.name.store == own && !attached.contains(file.file_id.as_str()))
    }

    fn lacks(&self, file_id: &str) -> bool {
        !self.ids.contains(file_id)
    }
}

impl RemoteFile {
    /// A file of the store as one of ours, when its attributes say so.
    pub fn of(file: StoreFile) -> Result<Self, Foreign> {
        let attributes = file.attributes.unwrap_or_default();
        let text = |name: &str| match attributes.get(name) {
            Some(Attribute::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let is_ours = text(MADE_BY).as_deref() == Some(OURS);
        let told = (text(DOCUMENT_ID), text(PATH), text(SHA256), text(RECIPE));
        let (true, (Some(document_id), Some(path), Some(sha256), Some(recipe))) = (is_ours, told) else {
            return Err(Foreign { file_id: file.id, usage_bytes: file.usage_bytes, status: file.status });
        };
        Ok(Self {
            file_id: file.id,
            document_id,
            path,
            sha256,
            recipe,
            status: file.status,
            error: file.last_error,
            attached_at: file.created_at,
            usage_bytes: file.usage_bytes,
            attributes,
        })
    }

    /// Whether it can be found by a search.
    pub fn is_searchable(&self) -> bool {
        self.status == FileStatus::Completed
    }

    /// Whether its indexing has not ended.
    pub fn is_pending(&self) -> bool {
        matches!(self.status, FileStatus::InProgress | FileStatus::Unknown)
    }
}

/// Whether two sets of attributes say the same. Switches may come back as numbers.
pub fn says_the_same(a: &Attributes, b: &Attributes) -> bool {
    let plain = |value: &Attribute| match value {
        Attribute::Flag(flag) => Attribute::Number(f64::from(u8::from(*flag))),
        other => other.clone(),
    };
    a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).map(plain) == Some(plain(value)))
}
