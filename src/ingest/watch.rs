//! Waits until something in a folder changes.
//!
//! It tells only *that* something changed; what, a sync finds out by looking. So nothing is lost when events are: a
//! look is due anyway after `UNWATCHED`, or after the given time where a file system tells nothing (network folders).
//! What happens while the caller is busy is kept as one event.
//!
//! What happens in the state folder, or in a hidden one, is no change: a sync writes there, and nothing there is read.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::docs::walk;
use crate::docs::walk::ignored::IGNORE_FILE;
use crate::ingest::Folders;

/// Quiet for so long, a change counts as complete.
const QUIET: Duration = Duration::from_millis(300);
/// A folder that is never quiet is looked at anyway.
const NEVER_QUIET: Duration = Duration::from_secs(5);
/// Also a watched folder is looked at so often: systems may lose events.
const UNWATCHED: Duration = Duration::from_mins(1);
/// Where watching does not work and nobody gave a time.
const POLL: Duration = Duration::from_secs(5);

/// Why a look is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Something changed.
    Changed,
    /// Time passed.
    Elapsed,
    /// No more looks are wanted.
    Stopped,
}

/// Watches one folder and all below it.
pub struct Watcher {
    folders: Folders,
    poll: Option<Duration>,
    events: mpsc::Receiver<()>,
    sender: mpsc::Sender<()>,
    watched: Option<Watched>,
    /// Why the system does not watch, when it does not though it was to.
    trouble: Option<String>,
}

/// A watch of the system's, which ends when this is dropped.
struct Watched {
    _watcher: RecommendedWatcher,
    /// The inode of the folder that is watched: a share may be mounted in its place.
    inode: Option<u64>,
}

impl Watcher {
    /// Watches the documents with the system's help, or looks every `poll` when that is given.
    pub fn start(folders: &Folders, poll: Option<Duration>) -> Self {
        // One place is enough: a second event says nothing more.
        let (sender, events) = mpsc::channel(1);
        let mut watcher = Self { folders: folders.clone(), poll, events, sender, watched: None, trouble: None };
        watcher.rewatch();
        watcher
    }

    /// Why the folder is looked at from time to time instead of being watched, when nobody asked for that.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Waits until a look is due.
    pub async fn due(&mut self, stop: &CancellationToken) -> Due {
        self.rewatch();
        let longest = self.poll.unwrap_or(if self.watched.is_some() { UNWATCHED } else { POLL });
        let event = stop.run_until_cancelled(tokio::time::timeout(longest, self.events.recv())).await;
        match event {
            None => Due::Stopped,
            Some(Err(_)) => Due::Elapsed,
            Some(Ok(_)) => match stop.run_until_cancelled(self.quiet()).await {
                Some(()) => Due::Changed,
                None => Due::Stopped,
            },
        }
    }

    /// Waits until nothing has changed for a while.
    async fn quiet(&mut self) {
        let latest = Instant::now() + NEVER_QUIET;
        while Instant::now() < latest {
            if tokio::time::timeout(QUIET, self.events.recv()).await.is_err() {
                return;
            }
        }
    }

    /// Watches what is at the folder's path now, when that is not what is being watched.
    fn rewatch(&mut self) {
        if self.poll.is_some() {
            return;
        }
        let now = self.folders.docs_dir.metadata().map(|metadata| walk::inode(&metadata).1);
        match (now, &self.watched) {
            (Ok(inode), Some(watched)) if watched.inode == inode => {}
            (Ok(inode), _) => match watch(&self.folders, self.sender.clone()) {
                Ok(watcher) => (self.watched, self.trouble) = (Some(Watched { _watcher: watcher, inode }), None),
                Err(error) => (self.watched, self.trouble) = (None, Some(error.to_string())),
            },
            (Err(_), _) => self.watched = None,
        }
    }
}

fn watch(folders: &Folders, sender: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let places = Places { root: resolved(&folders.docs_dir), state_dir: resolved(&folders.state_dir) };
    let root = places.root.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error (too many events, say) may hide a change.
        if event.map_or(true, |event| is_change(event.kind) && places.concern(&event)) {
            // A full channel holds an event that nobody has seen yet.
            let _ = sender.try_send(());
        }
    })?;
    watcher.watch(&root, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// What is watched, with paths as events tell them.
struct Places {
    root: PathBuf,
    state_dir: PathBuf,
}

impl Places {
    /// Whether an event tells of a place that a sync looks at. One without paths tells that others were lost.
    fn concern(&self, event: &notify::Event) -> bool {
        event.need_rescan() || event.paths.is_empty() || event.paths.iter().any(|path| self.is_looked_at(path))
    }

    fn is_looked_at(&self, path: &Path) -> bool {
        let is_inside = self.state_dir != self.root && self.state_dir.starts_with(&self.root);
        let is_ours = is_inside && path.starts_with(&self.state_dir);
        let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".") && name != IGNORE_FILE;
        !is_ours && !path.strip_prefix(&self.root).is_ok_and(|path| path.iter().any(is_hidden))
    }
}

/// The path without links and dots, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let parent = || path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    path.canonicalize().unwrap_or_else(|_| match (parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    })
}

/// Whether the contents may be other ones now. Our own reading is no change.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::lock;

    async fn within_deadline(watcher: &mut Watcher) -> Due {
        let stop = CancellationToken::new();
        tokio::time::timeout(Duration::from_secs(30), watcher.due(&stop)).await.expect("a look is due in time")
    }

    fn folders(docs_dir: &Path, state_dir: &str) -> Folders {
        Folders { docs_dir: docs_dir.to_owned(), state_dir: docs_dir.join(state_dir) }
    }

    fn started(docs_dir: &Path, state_dir: &str) -> Option<Watcher> {
        let watcher = Watcher::start(&folders(docs_dir, state_dir), None);
        if let Some(trouble) = watcher.trouble() {
            println!("NOT RUN: this system watches no folders: {trouble}");
            return None;
        }
        Some(watcher)
    }

    /// The state folder lies in the documents folder when that is `.`, and it need not be there at first.
    #[tokio::test]
    async fn what_a_sync_writes_wakes_nobody() {
        for state_dir in [".chatbotctl", "state"] {
            let dir = tempfile::tempdir().unwrap();
            let docs_dir = dir.path().join(".");
            let Some(mut watcher) = started(&docs_dir, state_dir) else { return };
            for _ in 0..2 {
                drop(lock::acquire(&docs_dir.join(state_dir)).unwrap());
                std::fs::create_dir_all(dir.path().join(".git/objects")).unwrap();
                std::fs::write(dir.path().join(".git/objects/x"), "x").unwrap();
            }
            let woken = tokio::time::timeout(Duration::from_millis(300), watcher.events.recv()).await;
            assert!(woken.is_err(), "{state_dir}");
            std::fs::write(dir.path().join(".chatbotctlignore"), "x").unwrap();
            assert_eq!(within_deadline(&mut watcher).await, Due::Changed);
        }
    }

    #[tokio::test]
    async fn a_change_is_told_once_also_when_nobody_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let Some(mut watcher) = started(dir.path(), "../state") else { return };
        for name in ["a.md", "b.md"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        assert_eq!(within_deadline(&mut watcher).await, Due::Changed);
        // Reading is no change.
        std::fs::read(dir.path().join("a.md")).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), watcher.events.recv()).await.is_err());
    }

    #[tokio::test]
    async fn polling_needs_no_event_and_a_stop_ends_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut watcher = Watcher::start(&folders(&dir.path().join("none"), "state"), Some(Duration::from_millis(5)));
        assert_eq!(within_deadline(&mut watcher).await, Due::Elapsed);
        let stop = CancellationToken::new();
        stop.cancel();
        assert_eq!(watcher.due(&stop).await, Due::Stopped);
    }
}
