//! `secret get`: the one way for a value out.

use serde::Serialize;

use crate::cmd::secret::{NameArgs, with_secrets};
use crate::cmd::{Ctx, help_end};
use crate::config::secrets::KeptValue;
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::Format;

const WHAT: &str = "get a secret";

/// Print a secret that lies in the keyring
///
/// It is the keyring's value, whatever other sources say (`secret where` tells those). It is printed to a pipe or a file;
/// on a terminal, and with --format json, only with --show. JSON: chatbotctl.secret-get/1.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl secret get ADMIN_TOKEN | wl-copy" => "hand it to another program",
    "chatbotctl secret get ADMIN_TOKEN --show" => "see it"
))]
pub struct Args {
    /// Show the value where people see it: on a terminal, and within JSON
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    name: NameArgs,
}

#[derive(Serialize)]
struct Document<'a> {
    profile: &'a str,
    name: &'static str,
    value: &'a str,
    is_masked: bool,
}

/// Runs `secret get`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let key = args.name.key(WHAT)?;
    if ctx.out.format == Format::Human && ctx.out.term.stdout && !args.show {
        let why = "standard output is a terminal, where others may read it";
        return Err(Failure::new("secret/terminal", Exit::Usage, WHAT, why).fix("pipe it, or add --show"));
    }
    let found = with_secrets(ctx, WHAT, move |secrets| Ok((secrets.profile().to_owned(), secrets.get(key)?)));
    let (profile, found) = found.await?;
    let Some(KeptValue { value, shown }) = found else {
        let why = format!("the keyring holds no `{}` of profile `{profile}` for this folder", key.name);
        let fix = format!("chatbotctl secret set {}, or chatbotctl secret where {}", key.name, key.name);
        return Err(Failure::new("secret/absent", Exit::NotGood, WHAT, why).fix(fix));
    };
    let told = if args.show { value.expose() } else { &shown };
    let document = Document { profile: &profile, name: key.name, value: told, is_masked: !args.show };
    match ctx.out.format {
        Format::Human => ctx.out.result(value.expose())?,
        Format::Json => ctx.out.json("secret-get", &document)?,
        Format::Jsonl => ctx.out.json_line(&document)?,
    }
    Ok(Exit::Good)
}
