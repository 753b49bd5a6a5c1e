//! `secret list`: what lies in the keyring, by name.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cmd::secret::with_secrets;
use crate::cmd::{Ctx, help_end};
use crate::config::secrets::{KeptSecret, Listing, Secrets};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::{Format, clean_line, table};

/// List the secrets in the keyring, by name and fingerprint
///
/// Those of this folder with all profiles; then, where the keyring tells, the names of those that were kept for other
/// folders. A value is never shown. JSON: chatbotctl.secret-list/1.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl secret list" => "what is kept for this folder, and elsewhere",
    "chatbotctl secret list --format json | jq -r '.secrets[].name'" => "the names alone"
))]
pub struct Args {}

#[derive(Serialize)]
struct SecretRow {
    profile: String,
    name: String,
    /// Masked; nothing when the keyring no longer holds it.
    value: Option<String>,
    used: bool,
}

#[derive(Serialize)]
struct ElsewhereRow {
    folder: String,
    profile: String,
    name: String,
}

#[derive(Serialize)]
struct Document {
    secrets: Vec<SecretRow>,
    elsewhere: Vec<ElsewhereRow>,
}

/// Runs `secret list`.
pub async fn run(_args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let listing = with_secrets(ctx, "list the secrets in the keyring", Secrets::list).await?;
    let document = document(listing);
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&document))?,
        Format::Json => ctx.out.json("secret-list", &document)?,
        Format::Jsonl => document.secrets.iter().try_for_each(|row| ctx.out.json_line(row))?,
    }
    Ok(Exit::Good)
}

fn document(listing: Listing) -> Document {
    let own = |secret: KeptSecret| SecretRow {
        profile: secret.profile,
        name: secret.name,
        value: secret.shown,
        used: secret.is_used,
    };
    let elsewhere = listing.elsewhere.into_iter().map(|account| ElsewhereRow {
        folder: account.folder,
        profile: account.profile,
        name: account.name,
    });
    Document { secrets: listing.own.into_iter().map(own).collect(), elsewhere: elsewhere.collect() }
}

fn human(document: &Document) -> String {
    let mut text = if document.secrets.is_empty() {
        "the keyring holds no secrets of this folder\n".to_owned()
    } else {
        let rows = document.secrets.iter().map(|row| {
            let value = row.value.as_deref().unwrap_or("no longer in the keyring");
            vec![clean_line(&row.profile), clean_line(&row.name), clean_line(value), note(row).to_owned()]
        });
        format!("{}\n", table(&["profile", "setting", "value", "note"], rows.collect()))
    };
    if !document.elsewhere.is_empty() {
        let rows = document.elsewhere.iter();
        let rows = rows.map(|row| [&row.folder, &row.profile, &row.name].map(|cell| clean_line(cell)).to_vec());
        let head = "kept for other folders (`chatbotctl secret remove NAME --folder FOLDER` removes one):";
        let _ = write!(text, "\n{head}\n{}\n", table(&["folder", "profile", "setting"], rows.collect()));
    }
    text
}

fn note(row: &SecretRow) -> &'static str {
    match (row.used, &row.value) {
        (true, Some(_)) => "",
        (true, None) => "keep it again with `secret set`, or forget it with `secret remove`",
        (false, _) => "not used: .chatbotctl/keyring.json does not name it; `secret set` does",
    }
}
