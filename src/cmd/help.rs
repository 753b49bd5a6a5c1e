//! `help [TOPIC]`: the help of a command, or of a topic that is no command.

use serde::Serialize;

use crate::cmd::{Ctx, help_end};
use crate::config::suggest;
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::{Format, table};

/// Print the help of a command, or of a topic: exit-codes
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl help env show" => "the help of a command",
    "chatbotctl help exit-codes" => "what the exit codes mean"
))]
pub struct Args {
    /// A command's words, or exit-codes
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// What the table does not say.
const OF_A_SERVICE: &str = "After SIGTERM `serve` exits with 0: being stopped is how it normally ends.";

/// One exit code, for JSON.
#[derive(Serialize)]
struct CodeRow {
    code: u8,
    meaning: &'static str,
}

/// Prints the help.
#[expect(clippy::unused_async, reason = "the table of commands awaits every command")]
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let topic: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    match topic.as_slice() {
        ["exit-codes"] => exit_codes(ctx)?,
        words => ctx.out.result(&command_help((ctx.tree)(), words, ctx.out.term.color_stdout)?)?,
    }
    Ok(Exit::Good)
}

/// The table of exit codes.
fn exit_codes(ctx: &Ctx) -> Result<(), Failure> {
    let rows = Exit::ALL.map(|exit| CodeRow { code: exit.code(), meaning: exit.meaning() });
    match ctx.out.format {
        Format::Human => {
            let rows = rows.iter().map(|row| vec![row.code.to_string(), row.meaning.to_owned()]);
            let table = table(&["code", "meaning"], rows.collect());
            ctx.out.result(&format!("{table}\n\n{OF_A_SERVICE}"))
        }
        Format::Json => ctx.out.json("exit-codes", &serde_json::json!({ "codes": rows })),
        Format::Jsonl => rows.iter().try_for_each(|row| ctx.out.json_line(row)),
    }
}

/// The help of the command that `words` name.
fn command_help(mut root: clap::Command, words: &[&str], color: bool) -> Result<String, Failure> {
    root.build();
    let mut found = &mut root;
    for word in words {
        let unknown = unknown(word, found);
        found = found.find_subcommand_mut(word).ok_or(unknown)?;
    }
    let help = found.render_long_help();
    Ok(if color { help.ansi().to_string() } else { help.to_string() })
}

fn unknown(word: &str, parent: &clap::Command) -> Failure {
    let known = parent.get_subcommands().map(clap::Command::get_name);
    let hint = suggest::hint(word, known.chain(["exit-codes"]));
    let why = format!("`{}` has no command or topic `{word}`{hint}", parent.get_name());
    Failure::new("help/unknown-topic", Exit::Usage, "show help", why).fix("`chatbotctl help` lists the commands")
}
