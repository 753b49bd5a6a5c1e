//! `secret set`: keeps a value in the keyring.

use serde::Serialize;

use crate::cmd::secret::{NameArgs, with_secrets};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::{Format, clean_line, input};

/// Keep a secret in the keyring, in the place of the former one
///
/// On a terminal the value is typed twice and not shown; else all of standard input is the value, without one line break
/// at its end. It is checked as the setting's values are. JSON: chatbotctl.secret-set/1.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl secret set OPENAI_API_KEY" => "type it, unseen",
    "openssl rand -hex 32 | chatbotctl secret set VISITOR_KEY --profile prod" => "one that nobody ever sees"
))]
pub struct Args {
    #[command(flatten)]
    name: NameArgs,
}

#[derive(Serialize)]
struct Kept {
    profile: String,
    name: &'static str,
    value: String,
}

/// Runs `secret set`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let what = "keep a secret";
    let key = args.name.key(what)?;
    let value = input::secret(&ctx.out, key.name, &ctx.stop).await?;
    let kept = with_secrets(ctx, what, move |secrets| {
        let shown = secrets.set(key, &value)?;
        Ok(Kept { profile: secrets.profile().to_owned(), name: key.name, value: shown })
    });
    let kept = kept.await?;
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean_line(&format!(
            "{} of profile {} is kept in the keyring: {}",
            kept.name, kept.profile, kept.value
        )))?,
        Format::Json => ctx.out.json("secret-set", &kept)?,
        Format::Jsonl => ctx.out.json_line(&kept)?,
    }
    Ok(Exit::Good)
}
