//! `secret`: values that lie in the operating system's keyring.
//!
//! A value comes from a prompt or from standard input, never from an argument, which stands in the shell's history
//! and in the list of processes. It leaves through `secret get` alone.

mod get;
mod list;
mod origin;
mod remove;
mod set;

use std::ffi::OsString;
use std::time::Duration;

use crate::cmd::{Ctx, Run as _, commands, help_end};
use crate::config::keyring::KeyringError;
use crate::config::keys::Key;
use crate::config::secrets::{Secrets, SecretsError, secret_key};
use crate::error::Failure;
use crate::exit::Exit;

/// How long a person may take to unlock the keyring.
const PERSON_PATIENCE: Duration = Duration::from_mins(1);
/// How long the keyring may take where nobody is.
const MACHINE_PATIENCE: Duration = Duration::from_secs(5);

/// Keep secrets in the system's keyring instead of a file
///
/// Each secret belongs to a profile (--profile) and to this folder: another folder does not get it. Its place among the
/// sources of a setting is after the environment and before the env file. Where the keyring does not answer within two
/// seconds, the other sources count and a warning says so.
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = help_end!(
        "chatbotctl secret set OPENAI_API_KEY" => "type a key, unseen",
        "pass show openai | chatbotctl secret set OPENAI_API_KEY --profile prod" => "take it from another program",
        "chatbotctl secret where OPENAI_API_KEY" => "see which source gives it now"
    )
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

commands! {
    /// What to do with the secrets.
    pub enum Verb {
        Set => set,
        Get => get,
        List => list,
        Remove => remove,
        Where => origin,
    }
}

/// Runs the verb.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    args.verb.run(ctx).await
}

/// The name of a secret setting, and what must not follow it.
#[derive(Debug, clap::Args)]
pub(super) struct NameArgs {
    /// A secret setting, such as OPENAI_API_KEY
    name: String,
    /// Caught to be refused: clap's own message would repeat it.
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    surplus: Vec<OsString>,
}

impl NameArgs {
    /// The row of the setting.
    fn key(&self, what: &str) -> Result<&'static Key, Failure> {
        let (name, has_value) = match self.name.split_once('=') {
            Some((name, _)) => (name, true),
            None => (self.name.as_str(), !self.surplus.is_empty()),
        };
        if has_value {
            let why = "one name is expected; a value is never an argument, since other people of this machine can see \
                       it there and the shell keeps it: if it was one, change it";
            return Err(Failure::new("secret/argument", Exit::Usage, what, why)
                .fix("give the value at the prompt or on standard input: `chatbotctl secret set NAME < FILE`"));
        }
        secret_key(name).map_err(|error| failure(what, &error))
    }
}

/// Works with the secrets on a thread that may wait, until it is done or the command is interrupted.
async fn with_secrets<T: Send + 'static>(
    ctx: &Ctx,
    what: &str,
    work: impl FnOnce(&Secrets) -> Result<T, SecretsError> + Send + 'static,
) -> Result<T, Failure> {
    let inputs = ctx.inputs();
    let patience = if ctx.out.can_ask() { PERSON_PATIENCE } else { MACHINE_PATIENCE };
    let working =
        tokio::task::spawn_blocking(move || Secrets::open(inputs, patience).and_then(|secrets| work(&secrets)));
    let outcome = tokio::select! {
        outcome = working => outcome,
        () = ctx.stop.cancelled() => {
            return Err(Failure::new("secret/interrupted", Exit::Interrupted, what, "it was interrupted"));
        }
    };
    let outcome = outcome.map_err(|error| {
        Failure::new("secret/broken", Exit::Bug, what, "the thread that asks the keyring ended early").cause(error)
    });
    outcome?.map_err(|error| failure(what, &error))
}

/// What went wrong, in the form of the edge.
fn failure(what: &str, error: &SecretsError) -> Failure {
    let (code, exit, fix) = match error {
        SecretsError::Unknown(_) | SecretsError::NotSecret(_) => {
            ("secret/name", Exit::Usage, "`chatbotctl env show` lists every setting; secrets are those that are masked")
        }
        SecretsError::Value { .. } => ("secret/value", Exit::Usage, "give a value that the setting takes"),
        SecretsError::Profile(_) => ("settings/invalid", Exit::Settings, "name a profile with --profile"),
        SecretsError::Register(_) => {
            ("secret/register", Exit::Settings, "look at .chatbotctl/keyring.json; it holds names only")
        }
        SecretsError::Keyring(error) => of_keyring(error),
    };
    Failure::new(code, exit, what, error.to_string()).fix(fix)
}

fn of_keyring(error: &KeyringError) -> (&'static str, Exit, &'static str) {
    match error {
        KeyringError::NoService(_) => (
            "secret/no-keyring",
            Exit::Settings,
            "no plain text is written instead; keep the secret in an environment variable of its name, in the env file with mode \
             0600 (`chmod 600 .env`), or as a systemd credential (LoadCredentialEncrypted=) that the unit's start \
             command exports",
        ),
        KeyringError::Locked | KeyringError::Late(_) => {
            ("secret/locked", Exit::Temporary, "unlock the keyring (log in to the desktop) and run it again")
        }
        KeyringError::Ambiguous | KeyringError::NotText => {
            ("secret/foreign", Exit::NotGood, "look at the entries of `chatbotctl` with the desktop's own tool")
        }
        KeyringError::CannotList | KeyringError::Refused(_) => {
            ("secret/refused", Exit::Temporary, "look at the keyring service, and run it again")
        }
    }
}
