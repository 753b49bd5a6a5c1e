//! `secret remove`: takes a secret out of the keyring.

use serde::Serialize;

use crate::cmd::secret::{NameArgs, with_secrets};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::{Format, clean_line};

const WHAT: &str = "remove a secret";

/// Remove a secret from the keyring
///
/// It asks first; --yes answers yes. Afterwards the next source of the setting counts, if there is one. JSON:
/// chatbotctl.secret-remove/1.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl secret remove OPENAI_API_KEY --profile prod" => "remove one, after a question",
    "chatbotctl secret remove OPENAI_API_KEY --folder /srv/old-bot --yes" => "one of a folder that was moved"
))]
pub struct Args {
    /// The folder that it was kept for, as `secret list` names it [default: this one]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<String>,
    #[command(flatten)]
    name: NameArgs,
}

#[derive(Serialize)]
struct Outcome {
    profile: String,
    name: &'static str,
    removed: bool,
}

/// Runs `secret remove`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let key = args.name.key(WHAT)?;
    let profile = with_secrets(ctx, WHAT, |secrets| Ok(secrets.profile().to_owned())).await?;
    let of = args.folder.as_ref().map_or_else(|| "this folder".to_owned(), |folder| format!("`{folder}`"));
    let question = format!("remove `{}` of profile `{profile}` of {of} from the keyring?", key.name);
    if !ctx.out.confirm(&question)? {
        return Err(Failure::new("secret/declined", Exit::Undecided, WHAT, "not confirmed")
            .fix("run it again and answer yes, or add --yes"));
    }
    let folder = args.folder;
    let outcome = with_secrets(ctx, WHAT, move |secrets| {
        let removed = secrets.remove(key, folder.as_deref())?;
        Ok(Outcome { profile: secrets.profile().to_owned(), name: key.name, removed })
    });
    let outcome = outcome.await?;
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&outcome))?,
        Format::Json => ctx.out.json("secret-remove", &outcome)?,
        Format::Jsonl => ctx.out.json_line(&outcome)?,
    }
    Ok(if outcome.removed { Exit::Good } else { Exit::NotGood })
}

fn human(outcome: &Outcome) -> String {
    let Outcome { profile, name, removed } = outcome;
    let text = if *removed {
        format!("{name} of profile {profile} is removed from the keyring")
    } else {
        format!("the keyring held no {name} of profile {profile}; `chatbotctl secret list` tells what it holds")
    };
    clean_line(&text)
}
