//! `docs verify`: whether the vector store equals the documents folder.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;

use crate::app;
use crate::clock::{RandomIds, SystemClock};
use crate::cmd::docs::FolderArgs;
use crate::cmd::docs::hosted::{Hosted, TargetArgs, failure, options};
use crate::cmd::{Ctx, help_end, outcome_exit};
use crate::config::{self, Inputs};
use crate::error::Failure;
use crate::exit::Exit;
use crate::hosted::prune::{self, Orphan};
use crate::hosted::verify::{self, Subject};
use crate::hosted::{self, Look, SyncContext, Timing};
use crate::ingest::SyncOptions;
use crate::model::report::Report;
use crate::openai::file::File;
use crate::openai::vector_store::VectorStore;
use crate::openai::{Client, OpenAiError};
use crate::report;
use crate::ui::{Format, clean};

const WHAT: &str = "verify the vector store";

/// Check that the vector store equals the documents folder
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Check that the vector store equals the documents folder, document by document. It only reads.\n\n\
        Blocking: documents that are missing, outdated, extra, not indexed yet, refused by the service, twice in the \
        store or under other attributes, files that were uploaded for the store and are not in it, and documents that \
        cannot be looked at. Warnings: files of others in the store, files left of stores that are gone, stores that no \
        profile of this project names (with their cost), a store that ends by itself.\n\n\
        With --format json: schema, target, summary (counts of verdicts), outcome, probes: one entry for every rule, \
        passes included (id, kind, verdict, severity, summary, evidence, fix, duration_ms). --format jsonl prints one \
        probe a line; junit and sarif are for CI systems.\n\n\
        Exit codes: 0 GO, the store equals the folder; 1 NO-GO, it does not, or there is no such store, or it has \
        expired; 3 no store is named, or documents.yaml is wrong; 4 no or a wrong key; 5 the service cannot be reached; \
        6 NOT PROVEN, there is nothing to compare; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl docs verify" => "does the bot know what the folder says?",
        "chatbotctl docs verify --store vs_123 --format junit -o verify.xml" => "the same of another store, for CI"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    /// The vector store (setting VECTOR_STORE_ID)
    #[arg(long, value_name = "ID")]
    store: Option<String>,
    /// Hash every file, however untouched it looks
    #[arg(long)]
    checksum: bool,
}

/// What the account has beside the store.
struct Around {
    orphans: Vec<Orphan>,
    stores: Vec<VectorStore>,
}

/// Runs `docs verify`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let hosted = Hosted::open(&args.folders, &TargetArgs::openai(args.store), ctx)?;
    let prices = app::hosted::prices(&hosted.settings)?;
    let Some(look) = look(&hosted, args.checksum, ctx).await? else { return Ok(Exit::Interrupted) };
    let client = app::hosted::client(&hosted.settings)?;
    let own = hosted.service.store_id();
    let Some(around) = ctx.stop.run_until_cancelled(around(&client, own)).await else { return Ok(Exit::Interrupted) };
    let Around { orphans, stores } = around.map_err(|error| app::hosted::failure(WHAT, error))?;
    let known = named_stores(ctx, own);
    let unknown: Vec<VectorStore> = stores.into_iter().filter(|store| !known.contains(&store.id)).collect();
    let subject = Subject { look: &look, orphans: &orphans, unknown_stores: &unknown, prices: &prices };
    let report = Report::new(own, verify::judge(&subject));
    show(&report, ctx)?;
    Ok(outcome_exit(report.outcome))
}

async fn look(hosted: &Hosted, checksum: bool, ctx: &Ctx) -> Result<Option<Look>, Failure> {
    let (reader, progress) = (app::open_reader(), ctx.out.progress());
    let local = SyncOptions { checksum, ..SyncOptions::default() };
    let timing = Timing::default();
    let context = SyncContext {
        service: &hosted.service,
        reader: &*reader,
        observer: &progress,
        ask: &|_| Ok(false),
        gate: None,
        prices: None,
        clock: &SystemClock,
        ids: &RandomIds,
        stop: &ctx.stop,
        options: options(local, timing.stuck_after),
        timing,
    };
    let looked = hosted::look(&app::folders(&hosted.settings), context).await;
    looked.map_err(|error| Failure { what: WHAT.to_owned(), ..failure(error) })
}

async fn around(client: &Client, own: &str) -> Result<Around, OpenAiError> {
    let files: Vec<File> = client.all_files().try_collect().await?;
    let stores: Vec<VectorStore> = client.all_stores().try_collect().await?;
    let orphans = prune::among(client, &files, &stores, Some(own)).await?;
    Ok(Around { orphans, stores })
}

/// The stores that the profiles of this project name, and the one that is looked at.
fn named_stores(ctx: &Ctx, own: &str) -> BTreeSet<String> {
    let inputs = ctx.inputs();
    let named = |profile: String| {
        let of_profile = Inputs { profile: Some(profile), ..(*inputs).clone() };
        let rows = config::resolve(&of_profile, &config::Flags::new()).rows;
        rows.into_iter().find(|row| row.key.name == "VECTOR_STORE_ID")?.shown
    };
    let present = ctx.resolution(Vec::new()).rows.into_iter().find(|row| row.key.name == "VECTOR_STORE_ID");
    let present = present.and_then(|row| row.shown);
    config::profile_names(&inputs).into_iter().filter_map(named).chain(present).chain([own.to_owned()]).collect()
}

fn show(report: &Report, ctx: &Ctx) -> Result<(), Failure> {
    if let Some(text) = ctx.out.report.and_then(|form| report::render(form.name(), "docs-verify", report)) {
        return ctx.out.result(&text);
    }
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&report::render_human(report))),
        Format::Json => ctx.out.json("docs-verify", report),
        Format::Jsonl => report.probes.iter().try_for_each(|probe| ctx.out.json_line(probe)),
    }
}
