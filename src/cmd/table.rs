//! How a table of commands becomes an enum for clap and its dispatch.

use crate::cmd::Ctx;
use crate::error::Failure;
use crate::exit::Exit;

/// A parsed command, ready to run.
pub trait Run {
    /// Runs it to its end.
    fn run(self, ctx: &Ctx) -> impl Future<Output = Result<Exit, Failure>>;
}

/// One row a command, `Name => module`: gives the subcommand, its place in the help, and its dispatch.
macro_rules! commands {
    ($(#[$doc:meta])* pub enum $table:ident { $($name:ident => $module:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, clap::Subcommand)]
        #[expect(missing_docs, reason = "a summary stands on the command's Args, where clap finds it")]
        pub enum $table {
            $($name($module::Args)),+
        }

        impl $crate::cmd::Run for $table {
            // On the heap: commands differ much in size.
            async fn run(self, ctx: &$crate::cmd::Ctx) -> Result<$crate::exit::Exit, $crate::error::Failure> {
                match self {
                    $(Self::$name(args) => Box::pin($module::run(args, ctx)).await),+
                }
            }
        }
    };
}

/// The end of a command's help: `"command line" => "what it does"` examples, and where the exit codes are.
macro_rules! help_end {
    ($($line:literal => $what:literal),+ $(,)?) => {
        concat!(
            "Examples:\n",
            $("  # ", $what, "\n  ", $line, "\n",)+
            "\nExit codes: chatbotctl help exit-codes"
        )
    };
}

pub(crate) use {commands, help_end};
