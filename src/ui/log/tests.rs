//! Lines as they are written: nothing in them steers, none is lost unseen, and files stay small.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

use super::file::LogFile;
use super::line::{MAX_BYTES, Shape, tidy};
use super::queue::{Queue, Sink};
use super::{FlushAtEnd, layer};

const WAIT: Duration = Duration::from_secs(20);
/// A line break with a forged event behind it, an escape sequence, one of the eight-bit kind, and a bidi override.
const HOSTILE: &str = "x\n{\"level\":\"ERROR\"}\r\u{1b}[31mred\u{9b}2J\u{202e}txt.exe\u{2028}\u{e0041}\u{7f}\u{0}";

/// Keeps what is written; fails as long as it is told to.
#[derive(Clone, Default)]
struct Kept {
    lines: Arc<Mutex<Vec<u8>>>,
    fails: Arc<AtomicBool>,
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.lines.lock().unwrap().clone()).unwrap()
    }
}

impl Sink for Kept {
    fn write(&mut self, lines: &[u8]) -> Result<(), (usize, io::Error)> {
        if self.fails.load(Ordering::SeqCst) {
            return Err((0, io::ErrorKind::StorageFull.into()));
        }
        self.lines.lock().unwrap().extend_from_slice(lines);
        Ok(())
    }

    fn reopen(&mut self) {}
}

/// What these events become.
fn logged(shape: Shape, events: impl FnOnce()) -> String {
    let kept = Kept::default();
    let queue = Queue::start(Box::new(kept.clone()), shape).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer(queue.clone(), shape));
    tracing::subscriber::with_default(subscriber, events);
    queue.flush(WAIT);
    kept.text()
}

/// C1, M4, S11: whichever way a text reaches an event, its line stays one line without anything that steers.
#[test]
fn no_field_forges_a_line_or_steers_a_terminal() {
    let events = || {
        let error = io::Error::other(HOSTILE);
        tracing::info!(text = HOSTILE, "as text");
        tracing::info!(text = %HOSTILE, "as shown");
        tracing::info!(text = ?HOSTILE, "for debugging");
        tracing::warn!(error = &error as &dyn std::error::Error, "as an error");
        tracing::error!("{HOSTILE}");
    };
    for shape in [Shape::Json, Shape::Text] {
        let text = logged(shape, events);
        assert_eq!(text.lines().count(), 5, "{shape:?}: {text}");
        let hostile = text.chars().find(|&each| each != '\n' && super::line::steers(each));
        assert_eq!(hostile, None, "{shape:?}: {text}");
        if shape == Shape::Json {
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines[0]["text"], HOSTILE, "the meaning is kept");
            assert_eq!(lines[4]["level"], "ERROR");
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_cut_and_stays_json() {
    let long = format!("{{\"message\":\"{}\"}}\n", "ä".repeat(MAX_BYTES));
    let line = tidy(long.as_bytes(), Shape::Json);
    assert!(line.len() < MAX_BYTES && line.ends_with(b"}\n"));
    let value: Value = serde_json::from_slice(&line).unwrap();
    assert!(value["beginning"].as_str().unwrap().starts_with("{\"message\":\"ä"));
    assert!(tidy(long.as_bytes(), Shape::Text).len() < MAX_BYTES);
}

/// S11, S4: a full disk loses lines, says how many, and holds nobody up.
#[test]
fn lines_lost_on_a_full_disk_are_counted_and_told() {
    let kept = Kept::default();
    let queue = Queue::start(Box::new(kept.clone()), Shape::Json).unwrap();
    kept.fails.store(true, Ordering::SeqCst);
    queue.push(b"one\n".to_vec());
    queue.push(b"two\n".to_vec());
    queue.flush(WAIT);
    assert_eq!((queue.lost(), kept.text().as_str()), (2, ""));
    kept.fails.store(false, Ordering::SeqCst);
    queue.push(b"three\n".to_vec());
    queue.flush(WAIT);
    let text = kept.text();
    let told: Value = serde_json::from_str(text.strip_prefix("three\n").unwrap()).unwrap();
    assert_eq!(told["lost"], 2);
    queue.push(b"four\n".to_vec());
    queue.flush(WAIT);
    assert!(kept.text().ends_with("}\nfour\n"), "told once");
}

/// Waits in its first write until it is let go.
struct Stuck(std::sync::mpsc::Receiver<()>);

impl Sink for Stuck {
    fn write(&mut self, _: &[u8]) -> Result<(), (usize, io::Error)> {
        let _ = self.0.recv();
        Ok(())
    }

    fn reopen(&mut self) {}
}

#[test]
fn a_stuck_pipe_holds_nobody_up_and_takes_bounded_memory() {
    let (go_on, wait) = std::sync::mpsc::channel();
    let queue = Queue::start(Box::new(Stuck(wait)), Shape::Text).unwrap();
    let line = vec![b'x'; MAX_BYTES];
    for _ in 0..2_000 {
        queue.push(line.clone());
    }
    let lost = queue.lost();
    assert!((1_400..2_000).contains(&lost), "{lost} of 2000 lines of 16 KiB do not fit into 8 MiB");
    drop(go_on);
}

#[test]
fn what_is_on_its_way_is_written_at_the_end_and_in_a_panic() {
    let kept = Kept::default();
    let queue = Queue::start(Box::new(kept.clone()), Shape::Text).unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _flush = FlushAtEnd(queue.clone());
        queue.push(b"last words\n".to_vec());
        panic!("a bug");
    }));
    assert!(outcome.is_err());
    assert_eq!(kept.text(), "last words\n");
}

/// S11: files are put aside by size, so many are kept, and no line is torn or lost on the way.
#[test]
fn a_file_that_has_grown_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.log");
    let mut file = LogFile::open(&path, 100, 2).unwrap();
    for number in 0..40 {
        file.write(format!("line {number:02} ........\n").as_bytes()).unwrap();
    }
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("bot.log").ends_with("line 39 ........\n"));
    let all = read("bot.log.2") + &read("bot.log.1") + &read("bot.log");
    let numbers: Vec<usize> = all.lines().map(|line| line[5..7].parse().unwrap()).collect();
    assert_eq!(numbers, (40 - numbers.len()..40).collect::<Vec<_>>());
    assert!(["bot.log", "bot.log.1", "bot.log.2"].iter().all(|name| read(name).len() <= 100));
    assert!(!Path::new(&folder.path().join("bot.log.3")).exists());
}

#[cfg(unix)]
#[test]
fn a_log_file_is_its_owners_also_after_it_was_put_aside() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.log");
    let mut file = LogFile::open(&path, 10, 1).unwrap();
    file.write(b"123456789\n").unwrap();
    file.write(b"123456789\n").unwrap();
    for name in ["bot.log", "bot.log.1"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_file_put_aside_by_somebody_else_is_begun_anew_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.log");
    let queue = Queue::start(Box::new(LogFile::open(&path, 1_000, 2).unwrap()), Shape::Text).unwrap();
    queue.push(b"before\n".to_vec());
    queue.flush(WAIT);
    fs::rename(&path, folder.path().join("old.log")).unwrap();
    queue.reopen();
    queue.push(b"after\n".to_vec());
    queue.flush(WAIT);
    assert_eq!(fs::read_to_string(folder.path().join("old.log")).unwrap(), "before\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "after\n");
}

/// S4: where the folder gives no new file, lines go on into the old one.
#[test]
fn a_file_that_cannot_be_put_aside_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.log");
    let mut file = LogFile::open(&path, 10, 1).unwrap();
    // A folder that is not empty cannot be replaced by a file.
    fs::create_dir_all(folder.path().join("bot.log.1/x")).unwrap();
    for _ in 0..5 {
        file.write(b"123456789\n").unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_to_and_never_put_aside() {
    let mut file = LogFile::open(Path::new("/dev/full"), 1, 1).unwrap();
    for _ in 0..3 {
        let (written, error) = file.write(b"line\n").unwrap_err();
        assert_eq!((written, error.kind()), (0, io::ErrorKind::StorageFull));
    }
    assert!(!Path::new("/dev/full.1").exists());
}
