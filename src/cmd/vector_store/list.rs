//! `vector-store list`: every store of the account, and what it costs.

use futures_util::TryStreamExt as _;
use serde::Serialize;

use crate::cmd::vector_store::shape::{StoreRow, size};
use crate::cmd::vector_store::{Account, asked};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::hosted::cost;
use crate::llm::models::{Cost, ModelCatalogue};
use crate::ui::Format;
use crate::ui::term::clean_line;

/// The state of a store that is as it should be.
const READY: &str = "completed";

/// List the vector stores of the account
#[derive(Debug, clap::Args)]
#[command(
    long_about = "List the vector stores of the account, newest first.\n\n\
        Costs are estimates in US dollars for 30 days, from the table of prices (see MODELS_FILE) with its date. The \
        sum takes the free part of the account off, the single figures do not. The one that this profile uses is \
        marked with *.\n\n\
        With --format json: schema, stores (id, name, status, files by state, bytes, usd_per_month, created_at, \
        last_active_at, expires_at, expires_after_days, metadata, used, made_here), bytes, usd_per_month, free_gib, \
        prices_as_of. --format jsonl prints a store a line.\n\n\
        Exit codes: 0 done; 4 no or a wrong key; 5 the service cannot be reached; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store list" => "what there is, and what it costs",
        "chatbotctl vector-store list --format json | jq -r '.stores[] | select(.used) | .id'" => "the id of the used one"
    )
)]
pub struct Args {}

/// The account's stores, for JSON.
#[derive(Serialize)]
struct Listed {
    stores: Vec<StoreRow>,
    bytes: u64,
    usd_per_month: f64,
    free_gib: u64,
    prices_as_of: String,
    #[serde(skip)]
    cost: Cost,
}

/// Runs `vector-store list`.
pub async fn run(_args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let prices = account.prices()?;
    let found = asked(ctx, "list the vector stores", account.client.all_stores().try_collect::<Vec<_>>()).await?;
    let rows = found.iter().map(|store| StoreRow::new(store, &prices, account.used())).collect();
    let listed = Listed::new(rows, &prices);
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&listed))?,
        Format::Json => ctx.out.json("vector-store-list", &listed)?,
        Format::Jsonl => listed.stores.iter().try_for_each(|row| ctx.out.json_line(row))?,
    }
    if let Some(used) = account.used().filter(|used| listed.stores.iter().all(|row| row.id != **used)) {
        ctx.out.warn(&format!("VECTOR_STORE_ID names `{used}`, which the account does not have"));
    }
    Ok(Exit::Good)
}

impl Listed {
    fn new(stores: Vec<StoreRow>, prices: &ModelCatalogue) -> Self {
        let bytes = stores.iter().map(|row| row.bytes).sum();
        let cost = cost::of_account(prices, bytes);
        Self {
            stores,
            bytes,
            usd_per_month: cost::usd(cost),
            free_gib: prices.storage.free_gib,
            prices_as_of: prices.as_of.to_string(),
            cost,
        }
    }
}

fn human(listed: &Listed) -> String {
    if listed.stores.is_empty() {
        return "the account has no vector store; make one: chatbotctl vector-store create NAME --use".to_owned();
    }
    let stores: Vec<String> = listed.stores.iter().map(human_store).collect();
    format!(
        "{}\n\n{} together, about {} a month after the first {} GiB (prices of {})",
        stores.join("\n"),
        size(listed.bytes),
        listed.cost,
        listed.free_gib,
        listed.prices_as_of
    )
}

/// Two lines a store: ids are long, and one that is broken over lines cannot be copied.
fn human_store(row: &StoreRow) -> String {
    let mark = if row.used { "*" } else { " " };
    let name = row.name.as_deref().unwrap_or("without a name");
    let status = if row.status == READY { String::new() } else { format!("{}, ", row.status) };
    let end = row.end_told().map_or_else(String::new, |end| format!(", ends {end}"));
    let facts = format!("{status}{}, {}, about {} a month{end}", row.files_told(), size(row.bytes), row.cost);
    format!("{mark} {}  {}\n    {}", row.id, clean_line(name), clean_line(&facts))
}
