//! Waits until something in a folder changes.
//!
//! It tells only *that* something changed; what, a sync finds out by looking. So nothing is lost when events are: a
//! look is due anyway after [`UNWATCHED`], or after the given time where a file system tells nothing (network folders).
//! What happens while the caller is busy is kept as one event.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::docs::walk::{self, ignored::IGNORE_FILE};
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
    root: PathBuf,
    /// What happens in here is our own doing.
    state_dir: PathBuf,
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
    /// Watches the documents folder with the system's help, or looks every `poll` when that is given.
    pub fn start(folders: &Folders, poll: Option<Duration>) -> Self {
        // One place is enough: a second event says nothing more.
        let (sender, events) = mpsc::channel(1);
        let Folders { docs_dir: root, state_dir } = folders.clone();
        let mut watcher = Self { root, state_dir, poll, events, sender, watched: None, trouble: None };
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
        let now = self.root.metadata().map(|metadata| walk::inode(&metadata).1);
        match (now, &self.watched) {
            (Ok(inode), Some(watched)) if watched.inode == inode => {}
            (Ok(inode), _) => match watch(&self.root, &self.state_dir, self.sender.clone()) {
                Ok(watcher) => (self.watched, self.trouble) = (Some(Watched { _watcher: watcher, inode }), None),
                Err(error) => (self.watched, self.trouble) = (None, Some(error.to_string())),
            },
            (Err(_), _) => self.watched = None,
        }
    }
}

fn watch(root: &Path, state_dir: &Path, sender: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let absolute =
        |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let (root, state_dir) = (absolute(root), absolute(state_dir));
    let watched = root.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error (too many events, say) may hide a change.
        if event.map_or(true, |event| is_change(event.kind) && concerns(&event.paths, &watched, &state_dir)) {
            // A full channel holds an event that nobody has seen yet.
            let _ = sender.try_send(());
        }
    })?;
    watcher.watch(&root, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Whether a change may be one of documents: not what we write ourselves, and nothing hidden but the ignore rules.
fn concerns(paths: &[PathBuf], root: &Path, state_dir: &Path) -> bool {
    let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".") && name != IGNORE_FILE;
    let is_ours = |path: &Path| {
        let below = path.strip_prefix(root).unwrap_or(Path::new(""));
        path.starts_with(state_dir) || below.iter().any(is_hidden)
    };
    paths.is_empty() || !paths.iter().all(|path| is_ours(path))
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

    async fn within_deadline(watcher: &mut Watcher) -> Due {
        let stop = CancellationToken::new();
        tokio::time::timeout(Duration::from_secs(30), watcher.due(&stop)).await.expect("a look is due in time")
    }

    fn folders(docs_dir: &Path) -> Folders {
        Folders { docs_dir: docs_dir.to_owned(), state_dir: docs_dir.join("state") }
    }

    #[test]
    fn our_own_files_and_hidden_ones_are_no_change() {
        let concerns = |path: &str| concerns(&[PathBuf::from(path)], Path::new("/d"), Path::new("/d/state"));
        for path in ["/d/.chatbotctl/sync.lock", "/d/state/sync.lock", "/d/state", "/d/a/.x.swp", "/d/.git/index"] {
            assert!(!concerns(path), "{path}");
        }
        for path in ["/d/a.md", "/d", "/d/a/.chatbotctlignore", "/d/stately.md"] {
            assert!(concerns(path), "{path}");
        }
    }

    #[tokio::test]
    async fn a_change_is_told_once_also_when_nobody_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut watcher = Watcher::start(&folders(dir.path()), None);
        if let Some(trouble) = watcher.trouble() {
            println!("NOT RUN: this system watches no folders: {trouble}");
            return;
        }
        for name in ["a.md", "b.md"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        assert_eq!(within_deadline(&mut watcher).await, Due::Changed);
        std::fs::create_dir(dir.path().join("state")).unwrap();
        std::fs::write(dir.path().join("state/sync.lock"), "x").unwrap();
        // Reading is no change.
        std::fs::read(dir.path().join("a.md")).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), watcher.events.recv()).await.is_err());
    }

    #[tokio::test]
    async fn polling_needs_no_event_and_a_stop_ends_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut watcher = Watcher::start(&folders(&dir.path().join("none")), Some(Duration::from_millis(5)));
        assert_eq!(within_deadline(&mut watcher).await, Due::Elapsed);
        let stop = CancellationToken::new();
        stop.cancel();
        assert_eq!(watcher.due(&stop).await, Due::Stopped);
    }
}
