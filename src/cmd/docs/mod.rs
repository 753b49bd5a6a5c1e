//! `docs`: the documents and their index. One file a verb.

mod gate;
mod hosted;
mod inventory;
mod lint;
mod list;
mod measure;
mod plan;
mod reading;
mod remove;
mod scan;
mod search;
mod show;
mod skipped;
mod status;
mod sync;
mod watch;

use std::path::{Path, PathBuf};

use crate::cmd::{Ctx, Overrides, Run as _, commands, help_end};
use crate::config::Settings;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::ingest::SyncError;
use crate::ui::Format;

/// Keep the index equal to the documents, look into it, search it
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = help_end!(
        "chatbotctl docs plan" => "what a sync would change",
        "chatbotctl docs sync" => "change it",
        "chatbotctl docs search \"how do I return an order\"" => "what a question finds"
    )
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

commands! {
    /// What to do with the documents.
    pub enum Verb {
        Sync => sync,
        Plan => plan,
        Status => status,
        List => list,
        Show => show,
        Search => search,
        Measure => measure,
        Remove => remove,
        Scan => scan,
        Lint => lint,
        Inventory => inventory,
    }
}

impl Args {
    /// Whether the result is a report in the common form.
    pub fn is_report(&self) -> bool {
        matches!(self.verb, Verb::Lint(_))
    }
}

/// Runs the verb.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    args.verb.run(ctx).await
}

/// The flags that every `docs` command has.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FolderArgs {
    /// The documents folder (setting DOCS_DIR)
    #[arg(long, value_name = "DIR")]
    pub docs_dir: Option<PathBuf>,
    /// The folder for the index and other state (setting STATE_DIR)
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

impl FolderArgs {
    fn settings(&self, ctx: &Ctx) -> Result<Settings, Failure> {
        self.settings_with(Overrides::new(), ctx)
    }

    /// The settings, with flags of one verb beside these.
    fn settings_with(&self, mut flags: Overrides, ctx: &Ctx) -> Result<Settings, Failure> {
        for (key, value) in [("DOCS_DIR", &self.docs_dir), ("STATE_DIR", &self.state_dir)] {
            if let Some(value) = value {
                flags.push((key, value.display().to_string()));
            }
        }
        ctx.settings(flags)
    }
}

/// What keeps a command from looking at the folder is what keeps a sync from it.
fn looking(error: impl Into<SyncError>) -> Failure {
    Failure { what: "look at the documents".to_owned(), ..error.into().into() }
}

/// A pipeline that reads the document learns of a missing folder from it, too; a person is told by a failure.
fn folder_problem(error: SyncError, docs_dir: &Path, format: Format) -> Result<Problem, SyncError> {
    match (&error, format) {
        (SyncError::Folder(_), Format::Json | Format::Jsonl) => {
            Ok(Problem::new(docs_dir.display().to_string(), "docs/no-folder", error.to_string()))
        }
        _ => Err(error),
    }
}

fn problem_lines(problems: &[Problem]) -> String {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("  {}: {} ({})", problem.path, problem.message, problem.code)).collect();
    lines.join("\n")
}

/// `1 document`, `2 documents`.
fn documents(count: usize) -> String {
    if count == 1 { "1 document".to_owned() } else { format!("{count} documents") }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _, Subcommand as _};

    use super::*;

    fn parse(args: &[&str]) -> Result<Verb, clap::Error> {
        let command = Verb::augment_subcommands(Command::new("docs"));
        Verb::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn the_commands_are_well_formed() {
        Verb::augment_subcommands(Command::new("docs")).debug_assert();
    }

    #[test]
    fn flags_are_taken_where_they_belong() {
        assert!(parse(&["docs", "search", "words", "--top-k", "3", "--docs-dir", "d"]).is_ok());
        assert!(parse(&["docs", "search", "--queries", "q.jsonl"]).is_ok());
        assert!(parse(&["docs", "search"]).is_err());
        assert!(parse(&["docs", "plan", "--checksum", "--retry-failed"]).is_ok());
        assert!(parse(&["docs", "search", "words", "--queries", "q.jsonl"]).is_err());
        assert!(parse(&["docs", "search", "words", "--top-k", "0"]).is_err());
        assert!(parse(&["docs", "remove"]).is_err());
        assert!(parse(&["docs", "sync", "--to", "openai", "--store", "vs_1", "--deadline", "5"]).is_ok());
        assert!(parse(&["docs", "sync", "--to", "elsewhere"]).is_err());
    }
}
