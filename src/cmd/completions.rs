//! `completions SHELL`: the shell's completion script, from the same tree as the help.

use clap_complete::Shell;

use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl completions bash > ~/.local/share/bash-completion/completions/chatbotctl" => "for bash",
    "chatbotctl completions zsh > ~/.zfunc/_chatbotctl" => "for zsh, with ~/.zfunc in fpath",
    "chatbotctl completions fish > ~/.config/fish/completions/chatbotctl.fish" => "for fish"
))]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
#[expect(clippy::unused_async, reason = "the table of commands awaits every command")]
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut (ctx.tree)(), "chatbotctl", &mut script);
    ctx.out.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}
