//! chatbotctl as a library: everything but the process.
//!
//! Modules stand in reading order, lowest layer first. A module imports only from lower layers;
//! `tests/it/architecture.rs` holds the matrix and fails on any other import.

pub mod clock;
pub mod error;
pub mod event;
pub mod exit;
pub mod model;
pub mod secret;
pub mod text;
pub mod yaml;

pub mod config;

pub mod blobs;
pub mod chatkit;
pub mod docs;
pub mod index;
pub mod llm;
pub mod openai;
pub mod store;

pub mod answer;
pub mod hosted;
pub mod ingest;
pub mod lint;
pub mod serve;
pub mod smoke;

pub mod report;
pub mod ui;

pub mod app;

pub mod cli;
pub mod cmd;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use tokio::runtime;
use tokio_util::sync::CancellationToken;

use crate::cmd::{Ctx, Run};
use crate::config::keyring::SystemKeyring;
use crate::config::{Environment, Inputs};
use crate::docs::{format, worker};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::{Color, Out, Term, panics};

/// Runs the program: arguments (the program's name first), one snapshot of the environment, the working directory.
pub fn run(args: Vec<OsString>, environment: Environment, folder: PathBuf) -> ExitCode {
    // Before anything else: a worker has no runtime, no settings and nothing of ours in its memory.
    if args.get(1).is_some_and(|argument| argument == worker::ARGUMENT) {
        return read_documents(&environment).into();
    }
    panics::install();
    // State behind the boundary is not looked at again, so a half-done change in it does no harm.
    let outcome = catch_unwind(AssertUnwindSafe(|| start(args, environment, folder)));
    let exit = outcome.unwrap_or_else(|_| {
        panics::tell_last();
        Exit::Bug
    });
    exit.into()
}

/// Serves as a worker to another process of this program.
fn read_documents(environment: &Environment) -> Exit {
    match worker::serve(format::parse) {
        Ok(()) => Exit::Good,
        Err(error) => {
            let why = format!("{error}; this command is for the program's own use, over its pipes");
            let failure = Failure::new("docs/worker", Exit::Usage, "serve as a reader of documents", why);
            ui::out::show_failure(&failure, Term::detect(environment, Color::Auto), 0);
            failure.exit
        }
    }
}

/// Parses the command line and drives the command on a runtime.
fn start(args: Vec<OsString>, environment: Environment, folder: PathBuf) -> Exit {
    let cli = match cli::parse(args) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    let term = Term::detect(&environment, cli.global.color);
    let verbose = cli.global.verbose;
    let keyring = Arc::new(SystemKeyring);
    let inputs = Inputs { profile: cli.global.profile.clone(), environment, folder, keyring };
    let prepared = Out::open(&cli.global.out_settings(term)).and_then(|out| {
        let runtime = runtime::Builder::new_multi_thread().enable_all().build();
        Ok((out, runtime.map_err(runtime_failure)?))
    });
    let (out, runtime) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            ui::out::show_failure(&failure, term, verbose);
            return failure.exit;
        }
    };
    let exit = runtime.block_on(drive(cli.command, out, inputs));
    // A command awaits its own work. What is left now, such as a thread that waits for a key, must not hold us up.
    runtime.shutdown_background();
    exit
}

/// Runs one command to its end, or to a clean stop after a signal.
async fn drive(command: cmd::Command, out: Out, inputs: Inputs) -> Exit {
    let stop = CancellationToken::new();
    let signal = Arc::new(OnceLock::new());
    // From here on, and not when the task gets its turn: a question that is shown before would be ended by the system,
    // and leave the terminal without its echo. Where signals cannot be watched, the system's own handling stays.
    let signals = Signals::new().ok();
    let watch = tokio::spawn(watch_signals(signals, stop.clone(), Arc::clone(&signal)));
    let ctx = Ctx::new(out, stop, cli::command, inputs);
    let is_service = command.is_service();
    let outcome = match command.check_format(&ctx.out) {
        Ok(()) => command.run(&ctx).await,
        Err(failure) => Err(failure),
    };
    let outcome = outcome.and_then(|exit| ctx.out.finish().map(|()| exit));
    watch.abort();
    let exit = outcome.unwrap_or_else(|failure| {
        ctx.out.failure(&failure);
        failure.exit
    });
    match (signal.get(), exit) {
        (_, Exit::Bug) | (None, _) => exit,
        (Some(Exit::Terminated), _) if is_service => exit,
        (Some(signal), _) => *signal,
    }
}

/// Asks for a clean stop at the first signal and ends the process at the second.
#[expect(clippy::disallowed_methods, reason = "a second signal means: at once, whatever is still open")]
async fn watch_signals(signals: Option<Signals>, stop: CancellationToken, first: Arc<OnceLock<Exit>>) {
    let Some(mut signals) = signals else {
        return;
    };
    loop {
        let exit = signals.next().await;
        if first.set(exit).is_err() {
            std::process::exit(i32::from(exit.code()));
        }
        stop.cancel();
    }
}

/// The signals that end a run.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

/// The signals that end a run.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Exit {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}

/// The system gives no threads or no event queue.
fn runtime_failure(error: std::io::Error) -> Failure {
    Failure::new("process/no-runtime", Exit::Temporary, "start", error.to_string())
        .fix("look at the limits of processes and open files (ulimit -a)")
        .cause(error)
}
