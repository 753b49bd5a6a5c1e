//! `env`: the settings.

mod show;

use crate::cmd::{Ctx, Run as _, commands, help_end};
use crate::error::Failure;
use crate::exit::Exit;

/// See the settings and where they come from
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = help_end!("chatbotctl env show" => "every setting, its value and its origin")
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

commands! {
    /// What to do with the settings.
    pub enum Verb {
        Show => show,
    }
}

/// Runs the verb.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    args.verb.run(ctx).await
}
