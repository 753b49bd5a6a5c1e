//! A pool whose workers have hostile readers: a sync completes, and no worker outlives its use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chatbotctl::clock::SystemClock;
use chatbotctl::docs::format::FormatError;
use chatbotctl::docs::reader::{OpenReader as _, ReadError, Reader as _};
use chatbotctl::docs::walk::FoundFile;
use chatbotctl::docs::worker::{ARGUMENT, Limits, Pool, PoolSettings};
use chatbotctl::event::Silent;
use chatbotctl::index::local::LocalIndex;
use chatbotctl::index::{SearchQuery, VectorStore};
use chatbotctl::ingest::{Folders, SyncContext, SyncOptions, SyncReport, sync};
use libtest_mimic::{Failed, Trial};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::parsers::{ESCAPED, HOSTILITIES, SPELL};
use crate::program::wait_until;

/// The first argument that makes this binary read one document and wait.
pub const PARENT: &str = "--as-parent";

/// How many good documents lie between the hostile ones.
const GOOD: usize = 12;

/// All trials of this area.
pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("pool::every_hostility_costs_one_document", every_hostility_costs_one_document),
        Trial::test("pool::a_breaking_document_is_tried_once", a_breaking_document_is_tried_once),
        Trial::test("pool::an_open_file_costs_itself_alone", an_open_file_costs_itself_alone),
        Trial::test("pool::a_late_document_is_tried_again", a_late_document_is_tried_again),
        Trial::test("pool::processor_time_has_its_own_limit", processor_time_has_its_own_limit),
        Trial::test("pool::a_worker_is_used_again", a_worker_is_used_again),
    ];
    if cfg!(target_os = "linux") {
        trials.push(Trial::test("pool::a_given_up_read_ends_its_worker", a_given_up_read_ends_its_worker));
        trials.push(Trial::test("pool::a_worker_ends_with_its_parent", a_worker_ends_with_its_parent));
    }
    trials
}

/// Little time, so that what waits for its end ends soon.
fn pool() -> Pool {
    let limits = Limits { cpu_s: 2, bytes_per_s: 1024 * 1024, clock_factor: 6 };
    let warn = |text: &str| panic!("a limit is missing here, and this test is about them: {text}");
    Pool::new(PoolSettings { limits, ..PoolSettings::of_this_program(warn).unwrap() })
}

fn hostile_file(folder: &Path, name: &str) -> FoundFile {
    let path = format!("{name}.md");
    let absolute = folder.join(&path);
    let text = format!("{SPELL} {name}\n");
    fs::write(&absolute, &text).unwrap();
    FoundFile { path, absolute, bytes: text.len() as u64, ..FoundFile::default() }
}

fn good_file(folder: &Path, number: usize) -> FoundFile {
    let path = format!("good-{number}.md");
    let absolute = folder.join(&path);
    let text = format!("# Good document {number}\n\nThe answer of this one is porcelain{number}.\n");
    fs::write(&absolute, &text).unwrap();
    FoundFile { path, absolute, bytes: text.len() as u64, ..FoundFile::default() }
}

/// D8: a reader that crashes, hangs or eats memory costs its document, and nothing else.
fn every_hostility_costs_one_document() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let folders = Folders { docs_dir: root.path().join("docs"), state_dir: root.path().join("state") };
    fs::create_dir(&folders.docs_dir)?;
    for hostility in HOSTILITIES {
        hostile_file(&folders.docs_dir, hostility.name);
    }
    for number in 0..GOOD {
        good_file(&folders.docs_dir, number);
    }
    let index: Arc<dyn VectorStore> = Arc::new(LocalIndex::open(&folders.state_dir)?);
    let runtime = Runtime::new()?;
    let report = runtime.block_on(sync_all(&index, &folders))?;
    assert_eq!(report.added, GOOD, "{report:?}");
    assert_eq!(report.problems.len(), HOSTILITIES.len(), "{report:?}");
    for hostility in HOSTILITIES {
        let path = format!("{}.md", hostility.name);
        let problem = report.problems.iter().find(|problem| problem.path == path).unwrap();
        println!("{:<16} {} {}", hostility.name, problem.code, problem.message);
        assert!(hostility.codes.contains(&problem.code.as_str()), "{problem:?}");
    }
    for number in 0..GOOD {
        let query = SearchQuery { text: format!("porcelain{number}"), limit: 1, distinct_documents: false };
        let hits = runtime.block_on(index.search(&query))?;
        assert_eq!(hits[0].path, format!("good-{number}.md"));
    }
    assert!(!Path::new(ESCAPED).exists(), "a worker wrote a file");
    Ok(())
}

async fn sync_all(index: &Arc<dyn VectorStore>, folders: &Folders) -> Result<SyncReport, Failed> {
    let (pool, stop) = (pool(), CancellationToken::new());
    let context = SyncContext {
        reader: &pool,
        observer: &Silent,
        ask: &|_| Ok(true),
        clock: &SystemClock,
        stop: &stop,
        options: SyncOptions::default(),
    };
    Ok(sync(index, folders, context).await?)
}

fn a_breaking_document_is_tried_once() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let file = hostile_file(root.path(), "exit");
    Runtime::new()?.block_on(async {
        let pool = pool();
        let first = pool.read(&file).await.unwrap_err().to_string();
        // The text is another now, the size and time that the pool was told are not: a new try would show.
        let text = fs::read(&file.absolute).unwrap();
        fs::write(&file.absolute, "Good text.").unwrap();
        let second = pool.read(&file).await.unwrap_err().to_string();
        assert_eq!(first, second);
        fs::write(&file.absolute, text).unwrap();
        // Another version of the file is another document.
        let changed = FoundFile { modified_ns: Some(1), ..good_file(root.path(), 1) };
        fs::copy(&changed.absolute, &file.absolute).unwrap();
        let changed = FoundFile { path: file.path.clone(), absolute: file.absolute.clone(), ..changed };
        assert!(pool.read(&changed).await.is_ok());
    });
    Ok(())
}

/// D8, of what visitors attach: it comes as an open file, takes the same way, and is worth another try.
fn an_open_file_costs_itself_alone() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    Runtime::new()?.block_on(async {
        let pool = pool();
        let open = |file: &FoundFile| fs::File::open(&file.absolute).unwrap();
        for hostility in HOSTILITIES {
            let file = hostile_file(root.path(), hostility.name);
            let error = pool.read_open(open(&file), "attachment.md").await.unwrap_err();
            let ReadError::Document(error) = error else { panic!("{}: {error}", hostility.name) };
            assert!(hostility.codes.contains(&error.code()), "{}: {error}", hostility.name);
            let good = pool.read_open(open(&good_file(root.path(), 1)), "attachment.md").await.unwrap();
            assert!(good.parsed.blocks.iter().any(|block| block.text.contains("porcelain1")));
        }
    });
    assert!(!Path::new(ESCAPED).exists(), "a worker wrote a file");
    Ok(())
}

/// A busy machine is no property of a document.
fn a_late_document_is_tried_again() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let file = hostile_file(root.path(), "sleep");
    let limits = Limits { cpu_s: 1, bytes_per_s: 1024 * 1024, clock_factor: 1 };
    let pool = Pool::new(PoolSettings { limits, ..PoolSettings::of_this_program(|_| ())? });
    let runtime = Runtime::new()?;
    let error = runtime.block_on(pool.read(&file)).unwrap_err();
    assert!(matches!(error, ReadError::Document(FormatError::Late(1))), "{error}");
    fs::write(&file.absolute, "Good text.")?;
    assert!(runtime.block_on(pool.read(&file)).is_ok());
    Ok(())
}

/// The clock alone would give it much longer.
fn processor_time_has_its_own_limit() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let file = hostile_file(root.path(), "loop");
    let limits = Limits { cpu_s: 1, bytes_per_s: 1024 * 1024, clock_factor: 600 };
    let pool = Pool::new(PoolSettings { limits, ..PoolSettings::of_this_program(|_| ())? });
    let error = Runtime::new()?.block_on(pool.read(&file)).unwrap_err();
    assert!(matches!(error, ReadError::Document(FormatError::TimedOut(1))), "{error}");
    Ok(())
}

fn a_worker_is_used_again() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let settings = PoolSettings { workers: 1, ..PoolSettings::of_this_program(|_| ())? };
    Runtime::new()?.block_on(async {
        let pool = Pool::new(settings);
        for number in 0..300 {
            let read = pool.read(&good_file(root.path(), number)).await.unwrap();
            assert_eq!(read.parsed.title.as_deref(), Some(format!("Good document {number}").as_str()));
            assert_eq!(read.sha256.len(), 64);
        }
        // An empty file and one of several pieces go the same way.
        let empty = root.path().join("empty.md");
        fs::write(&empty, "").unwrap();
        let empty = FoundFile { path: "empty.md".to_owned(), absolute: empty, ..FoundFile::default() };
        let error = pool.read(&empty).await.unwrap_err();
        assert!(matches!(error, ReadError::Document(FormatError::Empty)), "{error}");
        let long = root.path().join("long.txt");
        fs::write(&long, "All of it is text.\n\n".repeat(50_000)).unwrap();
        let long = FoundFile { path: "long.txt".to_owned(), absolute: long, ..FoundFile::default() };
        let read = pool.read(&long).await.unwrap();
        assert_eq!((read.bytes, read.parsed.blocks.len()), (1_000_000, 50_000));
    });
    Ok(())
}

/// Started by the trials below: reads a document that never ends. Its folder is the second argument.
pub fn read_as_parent() -> ExitCode {
    let folder = PathBuf::from(std::env::args().nth(2).unwrap_or_default());
    let gives_up = std::env::args().nth(3).is_some();
    let file = hostile_file(&folder, "sleep");
    let (runtime, pool) = (Runtime::new().unwrap(), pool());
    runtime.block_on(async {
        let own = std::process::id();
        let mut read = pool.read(&file);
        let began = || !workers_of(own).is_empty();
        while !(began() && gives_up) {
            // Drives the reading, and looks at the processes now and then.
            if tokio::time::timeout(Duration::from_millis(50), &mut read).await.is_ok() {
                return;
            }
        }
        let worker = workers_of(own);
        drop(read);
        wait_until("the worker of a given-up read is gone", || worker.iter().all(|worker| !is_running(*worker)));
        // The pool goes on with another one.
        pool.read(&good_file(&folder, 1)).await.unwrap();
    });
    ExitCode::SUCCESS
}

fn parent(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(PARENT).arg(folder).stdin(Stdio::null());
    command
}

fn a_given_up_read_ends_its_worker() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let status = parent(root.path()).arg("gives-up").status()?;
    assert!(status.success(), "{status}");
    Ok(())
}

fn a_worker_ends_with_its_parent() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let mut parent = parent(root.path()).spawn()?;
    let mut workers = Vec::new();
    wait_until("the parent has a worker", || {
        workers = workers_of(parent.id());
        !workers.is_empty()
    });
    // As hard as can be: nothing in the parent runs any more.
    parent.kill()?;
    parent.wait()?;
    wait_until("its worker is gone", || workers.iter().all(|worker| !is_running(*worker)));
    Ok(())
}

/// The workers of a process, by what Linux tells of processes.
fn workers_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_worker = |process: &u32| {
        let command_line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let is_worker = command_line.split(|byte| *byte == 0).nth(1) == Some(ARGUMENT.as_bytes());
        is_worker && status_of(*process).is_some_and(|(_, of)| of == parent)
    };
    processes.filter(is_worker).collect()
}

/// Whether a process is there and more than an entry that waits to be cleared away.
fn is_running(process: u32) -> bool {
    status_of(process).is_some_and(|(state, _)| !matches!(state.as_str(), "Z" | "X"))
}

/// State and parent of a process.
fn status_of(process: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
