//! The root parser and the global flags.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, ValueHint};

use crate::cmd::{Command, help_end};
use crate::config::suggest;
use crate::exit::Exit;
use crate::ui::{Color, FormatFlag, OutSettings, Term};

/// Runs a document chatbot that answers with citations, and keeps its documents in sync.
#[derive(Debug, Parser)]
#[command(
    name = "chatbotctl",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = help_end!(
        "chatbotctl init my-bot" => "make a new bot project",
        "chatbotctl env show" => "see every setting and where it comes from",
        "chatbotctl help exit-codes" => "see what the exit codes mean"
    )
)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: GlobalFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes, before or after its name.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalFlags {
    /// Profile: dev, staging, prod, or one of chatbotctl.yaml [default: CHATBOTCTL_PROFILE, or dev]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Form of the result on stdout: human, json (one document), jsonl (one document a line); reports also junit, sarif
    #[arg(long, global = true, value_enum, default_value_t, ignore_case = true, hide_possible_values = true)]
    pub format: FormatFlag,
    /// Write the result to FILE, whole or not at all, instead of stdout
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Answer yes to every question
    #[arg(long, global = true)]
    pub yes: bool,
    /// Never ask; a question that needs an answer ends the run
    #[arg(long, global = true)]
    pub no_input: bool,
    /// No notes and no progress on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More on stderr: the causes of failures; give it twice for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to color: auto (on a terminal without NO_COLOR), always, never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, hide_possible_values = true)]
    pub color: Color,
}

impl GlobalFlags {
    /// What the flags say about output.
    pub fn out_settings(&self, term: Term) -> OutSettings {
        OutSettings {
            format: self.format.result(),
            report: self.format.report(),
            quiet: self.quiet,
            verbose: self.verbose,
            yes: self.yes,
            no_input: self.no_input,
            output: self.output.clone(),
            term,
        }
    }
}

/// The whole command tree: help, completions and man pages come from it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line. What clap has to say (help, version, a wrong use) is printed here, and gives the exit code.
pub fn parse(args: Vec<OsString>) -> Result<Cli, Exit> {
    let color = early_color(&args);
    let matches = command().color(color).try_get_matches_from(args);
    let parsed = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let error = with_suggestion(error);
        // A closed pipe is the only way for this to fail, and then nobody reads.
        let _ = error.print();
        match error.exit_code() {
            0 => Exit::Good,
            _ => Exit::Usage,
        }
    })
}

/// Adds "did you mean" for a short word with two letters swapped, which clap's own measure finds too different.
fn with_suggestion(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && error.get(ContextKind::SuggestedSubcommand).is_none()
    {
        let root = command();
        let known = root.get_subcommands().map(clap::Command::get_name);
        if let Some(found) = suggest::closest(word, known) {
            let found = ContextValue::Strings(vec![found.to_owned()]);
            error.insert(ContextKind::SuggestedSubcommand, found);
        }
    }
    error
}

/// `--color` as clap's own messages need it, before anything is parsed.
fn early_color(args: &[OsString]) -> ColorChoice {
    let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let pairs = words.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1]);
    let joined = words.iter().filter_map(|word| word.strip_prefix("--color="));
    match pairs.chain(joined).last() {
        Some("never") => ColorChoice::Never,
        Some("always") => ColorChoice::Always,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn global_flags_come_before_or_after_the_command() {
        for line in ["chatbotctl --format json -q env show", "chatbotctl env show -q --format json"] {
            let cli = parse(words(line)).unwrap();
            assert_eq!((cli.global.format, cli.global.quiet), (FormatFlag::Json, true));
        }
    }

    #[test]
    fn color_is_known_before_parsing() {
        assert_eq!(early_color(&words("chatbotctl --color never x")), ColorChoice::Never);
        assert_eq!(early_color(&words("chatbotctl x --color=always")), ColorChoice::Always);
    }
}
