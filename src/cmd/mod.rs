//! The commands: one file each, registered in one table.
//!
//! A command is a module with `Args` (whose doc comment is its summary, and whose `after_help` is made by
//! `help_end!`) and `pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure>`. A noun has a table of its
//! own, of verbs. Commands choose and render; engines do the work.

mod ask;
mod bot;
mod chat;
mod completions;
mod conformance;
pub mod docs;
pub mod env;
mod help;
mod init;
mod man;
pub mod secret;
mod serve;
mod table;
mod usage;
pub mod vector_store;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use crate::config::{self, Base, Inputs, Resolution, Settings};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::report::Outcome;
use crate::ui::Out;

pub use table::Run;
pub(crate) use table::{commands, help_end};

commands! {
    /// What to do, in the order of the help. A new command is one row.
    pub enum Command {
        Init => init,
        Serve => serve,
        Ask => ask,
        Chat => chat,
        Docs => docs,
        VectorStore => vector_store,
        Conformance => conformance,
        Usage => usage,
        Env => env,
        Secret => secret,
        Completions => completions,
        Man => man,
        Help => help,
    }
}

impl Command {
    /// Whether SIGTERM is how it normally ends: a service runs until it is told to stop, and has done its work then.
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    /// Refuses a form of reports for what is no report.
    pub fn check_format(&self, out: &Out) -> Result<(), Failure> {
        let is_report = match self {
            Self::Docs(args) => args.is_report(),
            Self::Conformance(args) => args.is_report(),
            _ => false,
        };
        match out.report {
            Some(form) if !is_report => {
                let why = format!("`--format {}` is for reports, and this command makes none", form.name());
                Err(Failure::new("usage/format", Exit::Usage, "choose the form of the result", why)
                    .fix("--format human, json or jsonl; `docs lint`, `docs verify` and `conformance` make reports"))
            }
            _ => Ok(()),
        }
    }
}

/// Settings that flags of one command give: key of the table and value, as typed.
pub type Overrides = Vec<(&'static str, String)>;

/// What every command gets.
pub struct Ctx {
    /// Where results and notes go.
    pub out: Out,
    /// Ends long work: set by Ctrl-C and SIGTERM.
    pub stop: CancellationToken,
    /// Makes the whole command tree: help, completions and man pages come from it.
    pub tree: fn() -> clap::Command,
    inputs: Arc<Inputs>,
    warned: AtomicBool,
}

impl Ctx {
    /// What a command gets.
    pub fn new(out: Out, stop: CancellationToken, tree: fn() -> clap::Command, inputs: Inputs) -> Self {
        Self { out, stop, tree, inputs: Arc::new(inputs), warned: AtomicBool::new(false) }
    }

    /// The folder in which the command runs: the project's.
    pub fn folder(&self) -> &Path {
        &self.inputs.folder
    }

    /// What settings are resolved from: for what resolves them again.
    pub fn inputs(&self) -> Arc<Inputs> {
        Arc::clone(&self.inputs)
    }

    /// Resolves the settings, with this command's flags above all other sources. Tells the warnings once.
    pub fn settings(&self, flags: Overrides) -> Result<Settings, Failure> {
        let resolution = self.resolution(flags);
        if !self.warned.swap(true, Ordering::Relaxed) {
            resolution.warnings.iter().for_each(|warning| self.out.warn(warning));
        }
        resolution.settings.ok_or_else(|| settings_failure(&resolution.profile, &resolution.problems))
    }

    /// Every setting with its origin, and what is wrong: for commands about settings.
    pub fn resolution(&self, flags: Overrides) -> Resolution {
        config::resolve(&self.inputs, &flags.into_iter().collect())
    }
}

/// The exit code that an outcome has, the same for every report.
pub fn outcome_exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Go => Exit::Good,
        Outcome::NoGo => Exit::NotGood,
        Outcome::NotProven => Exit::NotProven,
    }
}

/// The env file that a profile without one gets: its own, so that no other profile takes its values over.
fn env_file_name(profile: &str) -> String {
    if profile == Base::Dev.name() { ".env".to_owned() } else { format!(".env.{profile}") }
}

/// All problems of the settings as one failure.
pub fn settings_failure(profile: &str, problems: &[config::SettingProblem]) -> Failure {
    let why = match problems {
        [problem] => problem.to_string(),
        many => {
            let lines: Vec<String> = many.iter().map(|problem| format!("\n  - {problem}")).collect();
            format!("{} problems{}", many.len(), lines.concat())
        }
    };
    let what = format!("read the settings of profile `{profile}`");
    Failure::new("settings/invalid", Exit::Settings, what, why)
        .fix("correct them where they come from; `chatbotctl env show` lists every setting with its origin")
}
