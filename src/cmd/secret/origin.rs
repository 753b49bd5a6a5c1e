//! `secret where`: which source gives a secret.

use serde::Serialize;

use crate::cmd::secret::{NameArgs, with_secrets};
use crate::cmd::{Ctx, help_end};
use crate::config::secrets::{Source, Trace};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::{Format, table};

const WHAT: &str = "find where a secret comes from";

/// Tell which source gives a secret now, and which others have it
///
/// Sources in the order in which they count: environment, keyring, env file, chatbotctl.yaml. Equal fingerprints are equal
/// values. The exit code is 1 when no source gives it. JSON: chatbotctl.secret-where/1.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl secret where OPENAI_API_KEY" => "is it the environment's or the keyring's?",
    "chatbotctl secret where OPENAI_API_KEY --format json | jq -r .origin" => "the source alone"
))]
pub struct Args {
    #[command(flatten)]
    name: NameArgs,
}

#[derive(Serialize)]
struct Document {
    profile: String,
    name: &'static str,
    origin: Option<String>,
    sources: Vec<SourceRow>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct SourceRow {
    origin: String,
    value: String,
    counts: bool,
}

/// Runs `secret where`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let key = args.name.key(WHAT)?;
    let traced = with_secrets(ctx, WHAT, move |secrets| Ok((secrets.profile().to_owned(), secrets.trace(key)?)));
    let (profile, Trace { sources, warnings }) = traced.await?;
    let row = |(place, source): (usize, Source)| SourceRow {
        origin: source.origin.to_string(),
        value: source.shown,
        counts: place == 0,
    };
    let sources: Vec<SourceRow> = sources.into_iter().enumerate().map(row).collect();
    let origin = sources.first().map(|source| source.origin.clone());
    let document = Document { profile, name: key.name, origin, sources, warnings };
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&document))?,
        Format::Json => ctx.out.json("secret-where", &document)?,
        Format::Jsonl => document.sources.iter().try_for_each(|row| ctx.out.json_line(row))?,
    }
    document.warnings.iter().for_each(|warning| ctx.out.warn(warning));
    Ok(if document.origin.is_some() { Exit::Good } else { Exit::NotGood })
}

fn human(document: &Document) -> String {
    let head = format!("{} of profile {}", document.name, document.profile);
    if document.sources.is_empty() {
        return format!("{head}: no source gives it\n");
    }
    let rows = document.sources.iter().map(|source| {
        let note = if source.counts { "counts" } else { "" };
        vec![source.origin.clone(), source.value.clone(), note.to_owned()]
    });
    format!("{head}\n\n{}\n", table(&["origin", "value", "note"], rows.collect()))
}
