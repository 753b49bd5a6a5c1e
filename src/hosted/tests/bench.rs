//! What the tests of this engine work on: a folder, machines with state folders, and the stand-in with a store.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use openai_stand_in::{Rules, StandIn, StoreFileState};
use tokio_util::sync::CancellationToken;

use crate::clock::{RandomIds, SystemClock, hex};
use crate::config::settings::OpenAiSettings;
use crate::docs::reader::InProcess;
use crate::event::Silent;
use crate::hosted::tests::promise::Promise;
use crate::hosted::{HostedError, Options, Service, SyncContext, SyncReport, Timing, sync};
use crate::ingest::Folders;
use crate::openai::vector_store::StoreChange;
use crate::openai::{Client, Patience};
use crate::secret::Secret;
use sha2::{Digest as _, Sha256};

/// Nothing in these tests is slow but by mistake.
const DEADLINE: Duration = Duration::from_mins(1);

pub(super) struct Bench {
    pub(super) root: tempfile::TempDir,
    pub(super) stand_in: StandIn,
    pub(super) store_id: String,
    promise: Promise,
}

pub(super) fn options() -> Options {
    Options { checksum: false, retry_failed: false, allow_delete: true, wait: Duration::ZERO, deadline: DEADLINE }
}

/// As in production, and as fast as the stand-in allows.
pub(super) fn timing() -> Timing {
    Timing {
        first_poll: Duration::from_millis(1),
        longest_poll: Duration::from_millis(10),
        stuck_after: Duration::from_millis(150),
        settle: Duration::from_millis(5),
        flush_after: Duration::from_secs(30),
    }
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(Rules::default()).await
    }

    pub(super) async fn with(rules: Rules) -> Self {
        let stand_in = StandIn::start_with(rules).await;
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        let change = StoreChange { name: Some("documents".to_owned()), ..StoreChange::default() };
        let store_id = client(&stand_in).create_store(&change).await.unwrap().id;
        stand_in.clear_log();
        let promise = Promise::watched(&stand_in, &store_id);
        Self { root, stand_in, store_id, promise }
    }

    pub(super) fn docs(&self) -> PathBuf {
        self.root.path().join("docs")
    }

    pub(super) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.docs().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        let to = self.docs().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.docs().join(from), to).unwrap();
    }

    pub(super) fn delete(&self, path: &str) {
        let _ = fs::remove_file(self.docs().join(path));
    }

    pub(super) fn folders(&self, machine: &str) -> Folders {
        Folders { docs_dir: self.docs(), state_dir: self.root.path().join(machine) }
    }

    pub(super) async fn sync(&self) -> Result<SyncReport, HostedError> {
        self.sync_as("here", options()).await
    }

    /// From now on nothing of the folder that can be found may be missing at any moment.
    pub(super) fn promise(&self) {
        self.promise.begin(&self.files(), &self.stand_in.state(), &self.store_id);
    }

    /// The files that could not be found at some moment since the promise.
    pub(super) fn broken(&self) -> Vec<String> {
        self.promise.broken()
    }

    /// A sync of a machine: one state folder.
    pub(super) async fn sync_as(&self, machine: &str, options: Options) -> Result<SyncReport, HostedError> {
        self.sync_until(machine, options, &CancellationToken::new()).await
    }

    pub(super) async fn sync_until(
        &self,
        machine: &str,
        options: Options,
        stop: &CancellationToken,
    ) -> Result<SyncReport, HostedError> {
        let service = Service::new(client(&self.stand_in), &self.store_id, Duration::from_millis(1));
        let context = SyncContext {
            service: &service,
            reader: &InProcess,
            observer: &Silent,
            ask: &|_| Ok(false),
            gate: None,
            prices: None,
            clock: &SystemClock,
            ids: &RandomIds,
            stop,
            options,
            timing: timing(),
        };
        sync(&self.folders(machine), context).await
    }

    /// What the service is asked for that may change something, by method and path template, with how often.
    pub(super) fn writes(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.stand_in.writes() {
            let template = call.template.replace("{vector_store_id}", "{id}");
            *counts.entry(format!("{} {template}", call.method)).or_default() += 1;
        }
        counts
    }

    /// Path and hash of the files of the folder.
    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let listing = crate::docs::walk::walk(&self.docs()).unwrap();
        let hash = |path: PathBuf| hex(&Sha256::digest(fs::read(path).unwrap()));
        listing.files.into_iter().map(|file| (file.path, hash(file.absolute))).collect()
    }

    pub(super) fn in_store(&self) -> Vec<StoreFileState> {
        self.stand_in.state().store(&self.store_id).unwrap().files.clone()
    }

    /// The store has the folder's documents, each once, and nothing of ours lies about.
    pub(super) fn is_equal(&self) -> Result<(), String> {
        let (store, folder) = (self.stand_in.store_documents(&self.store_id), self.files());
        if store != folder {
            return Err(format!("the store has\n{store:#?}\nand the folder\n{folder:#?}"));
        }
        let attached = self.in_store().len();
        if attached != folder.len() {
            return Err(format!("{attached} files are attached for {} documents", folder.len()));
        }
        let state = self.stand_in.state();
        match state.orphans().as_slice() {
            [] => Ok(()),
            orphans => Err(format!("orphans: {orphans:?}")),
        }
    }

    #[track_caller]
    pub(super) fn assert_equal(&self) {
        if let Err(why) = self.is_equal() {
            panic!("{why}");
        }
    }
}

/// A client that is as patient as in production, and in less of a hurry to wait.
pub(super) fn client(stand_in: &StandIn) -> Client {
    let settings = OpenAiSettings {
        base_url: stand_in.base_url(),
        api_key: Some(Secret::new(stand_in.key())),
        uploads_per_minute: 1_000_000,
        store_writes_per_minute: 1_000_000,
        attached_per_minute: 1_000_000,
        ..OpenAiSettings::default()
    };
    let patience = Patience {
        head: Duration::from_secs(10),
        first_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(5),
        attempts: 3,
        ..Patience::default()
    };
    Client::with_patience(&settings, patience).unwrap()
}
