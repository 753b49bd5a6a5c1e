//! `vector-store prune [ID]`: deletes uploaded files that no store has any more.

use serde::Serialize;

use crate::clock::{Clock as _, SystemClock};
use crate::cmd::vector_store::shape::{day, files, size, time};
use crate::cmd::vector_store::{Account, asked};
use crate::cmd::{Ctx, help_end};
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::hosted::cost;
use crate::hosted::prune::{self, Orphan, Removed};
use crate::llm::models::ModelCatalogue;
use crate::ui::{Format, table};

const WHAT: &str = "prune the uploaded files";

/// Delete uploaded files that no vector store has any more
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Delete uploaded files that no vector store has any more.\n\n\
        Only files that this program uploaded, which their names tell, for the named store, or for stores that are gone; \
        files of others, and of other stores, are never touched. They are shown first, then it asks; --yes answers yes. \
        Costs are estimates: at the price of vector storage for the size of the file.\n\n\
        With --format json: schema, orphans (file_id, filename, bytes, usd_per_month, created_at, why: not_in_its_store \
        or store_gone), bytes, usd_per_month, prices_as_of, removed (file ids), problems (path, code, message), dry_run.\n\n\
        Exit codes: 0 done, or nothing to do; 1 a file could not be deleted, or there is no such store; 4 no or a wrong \
        key; 5 a sync works on the store, or the service cannot be reached; 7 a confirmation is needed; \
        130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store prune --dry-run" => "see what would go",
        "chatbotctl vector-store prune --yes" => "let it go"
    )
)]
pub struct Args {
    /// The store whose files are looked at [default: the setting VECTOR_STORE_ID; without it only those of gone stores]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Show them and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    file_id: String,
    filename: String,
    bytes: u64,
    usd_per_month: f64,
    created_at: Option<jiff::Timestamp>,
    why: &'static str,
}

/// What was found and done, for JSON.
#[derive(Debug, Serialize)]
struct Report {
    orphans: Vec<Row>,
    bytes: u64,
    usd_per_month: f64,
    prices_as_of: String,
    removed: Vec<String>,
    problems: Vec<Problem>,
    dry_run: bool,
}

/// Runs `vector-store prune`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let prices = account.prices()?;
    let names_one = args.id.is_some() || account.used().is_some();
    let id = if names_one { Some(account.store_id(args.id)?) } else { None };
    refuse_reserved(&account, ctx, id.as_deref()).await?;
    let found = asked(ctx, WHAT, prune::look(&account.client, id.as_deref())).await?;
    let shown = shown(&found, &prices);
    let removed = if found.is_empty() || args.dry_run {
        Removed::default()
    } else {
        agree(ctx, &found, &shown)?;
        // A person may take their time: only what is still nobody's goes.
        refuse_reserved(&account, ctx, id.as_deref()).await?;
        let again = asked(ctx, WHAT, prune::look(&account.client, id.as_deref())).await?;
        let agreed: Vec<Orphan> = again.into_iter().filter(|orphan| found.contains(orphan)).collect();
        prune::remove(&account.client, agreed, &ctx.out.progress(), &ctx.stop).await
    };
    let report = Report::new(&found, &prices, &removed, args.dry_run);
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&report, &shown))?,
        Format::Json => ctx.out.json("vector-store-prune", &report)?,
        Format::Jsonl => ctx.out.json_line(&report)?,
    }
    Ok(match (removed.interrupted, removed.problems.is_empty()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Good,
        (false, false) => Exit::NotGood,
    })
}

/// What a sync has just uploaded is not in the store yet, and looks like an orphan.
async fn refuse_reserved(account: &Account, ctx: &Ctx, id: Option<&str>) -> Result<(), Failure> {
    let Some(id) = id else { return Ok(()) };
    let store = account.store(ctx, id).await?;
    match prune::reserved_until(&store, SystemClock.now()) {
        None => Ok(()),
        Some(until) => {
            let why = format!("a sync works on the store `{id}`; its reservation ends at {until}");
            Err(Failure::new("vector-store/busy", Exit::Temporary, WHAT, why)
                .fix("run it again when the sync has ended"))
        }
    }
}

fn agree(ctx: &Ctx, found: &[Orphan], shown: &str) -> Result<(), Failure> {
    ctx.out.note(shown);
    if ctx.out.confirm(&format!("delete {}?", files(found.len())))? {
        return Ok(());
    }
    Err(Failure::new("vector-store/declined", Exit::Undecided, WHAT, "not confirmed")
        .fix("run it again and answer yes, or add --yes"))
}

impl Report {
    fn new(found: &[Orphan], prices: &ModelCatalogue, removed: &Removed, dry_run: bool) -> Self {
        let bytes = found.iter().map(|orphan| orphan.bytes).sum();
        let row = |orphan: &Orphan| Row {
            file_id: orphan.file_id.clone(),
            filename: orphan.filename.clone(),
            bytes: orphan.bytes,
            usd_per_month: cost::usd(cost::of_bytes(prices, orphan.bytes)),
            created_at: time(Some(orphan.created_at)),
            why: orphan.why.name(),
        };
        Self {
            orphans: found.iter().map(row).collect(),
            bytes,
            usd_per_month: cost::usd(cost::of_bytes(prices, bytes)),
            prices_as_of: prices.as_of.to_string(),
            removed: removed.removed.iter().map(|orphan| orphan.file_id.clone()).collect(),
            problems: removed.problems.clone(),
            dry_run,
        }
    }
}

/// The orphans as a table, with their sum.
fn shown(found: &[Orphan], prices: &ModelCatalogue) -> String {
    let rows = found.iter().map(|orphan| {
        let uploaded = time(Some(orphan.created_at)).map(day).unwrap_or_default();
        vec![orphan.filename.clone(), size(orphan.bytes), uploaded, orphan.why.told().to_owned()]
    });
    let bytes = found.iter().map(|orphan| orphan.bytes).sum();
    let table = table(&["file", "size", "uploaded", "why"], rows.collect());
    let (sum, cost) = (size(bytes), cost::of_bytes(prices, bytes));
    format!("{table}\n\n{}, {sum}, at most {cost} a month (prices of {})", files(found.len()), prices.as_of)
}

fn human(report: &Report, shown: &str) -> String {
    if report.orphans.is_empty() {
        return "nothing to delete: every file that this program uploaded is in its store".to_owned();
    }
    if report.dry_run {
        return shown.to_owned();
    }
    let mut lines = vec![format!("{} deleted", files(report.removed.len()))];
    lines.extend(report.problems.iter().map(|problem| format!("  {}: {}", problem.path, problem.message)));
    lines.join("\n")
}
