//! `vector-store update [ID]`: changes a store's name, end or metadata.

use crate::cmd::vector_store::change::{self, Expiry};
use crate::cmd::vector_store::shape::StoreRow;
use crate::cmd::vector_store::{Account, asked};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::openai::vector_store::StoreChange;
use crate::ui::Format;
use crate::ui::term::clean_line;

/// Change a vector store's name, end or metadata
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).multiple(true),
    long_about = "Change a vector store's name, end or metadata.\n\n\
        Pairs that are not named stay; one with an empty value is taken away.\n\n\
        With --format json: schema, and what `vector-store list` tells of a store.\n\n\
        Exit codes: 0 done; 1 there is no such store; 2 used wrongly; 4 no or a wrong key; 5 the service cannot be \
        reached; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store update --expires-after-days never" => "keep the used store for good",
        "chatbotctl vector-store update vs_123 --name handbook --metadata team=help" => "name another one"
    )
)]
pub struct Args {
    /// The store's id [default: the setting VECTOR_STORE_ID]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Its new name
    #[arg(long, value_name = "NAME", group = "what", value_parser = change::parse_name)]
    name: Option<String>,
    /// Let it end so many days after its last use, or `never`
    #[arg(long, value_name = "DAYS", group = "what", value_parser = change::parse_expiry)]
    expires_after_days: Option<Expiry>,
    /// Attach a note to it (repeat for more); without a value: take it away
    #[arg(long, value_name = "KEY=VALUE", group = "what", value_parser = change::parse_pair)]
    metadata: Vec<(String, String)>,
}

/// Runs `vector-store update`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let prices = account.prices()?;
    let id = account.store_id(args.id)?;
    let store = account.store(ctx, &id).await?;
    // The service replaces all pairs at once, so those that are there go along.
    let metadata = if args.metadata.is_empty() {
        None
    } else {
        Some(change::merged(store.metadata.unwrap_or_default(), args.metadata)?)
    };
    let wanted = StoreChange { name: args.name, expires_after: args.expires_after_days.map(Expiry::wire), metadata };
    let what = format!("change the vector store `{id}`");
    let changed = asked(ctx, &what, account.client.update_store(&id, &wanted)).await?;
    let row = StoreRow::new(&changed, &prices, account.used());
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&row))?,
        Format::Json => ctx.out.json("vector-store", &row)?,
        Format::Jsonl => ctx.out.json_line(&row)?,
    }
    Ok(Exit::Good)
}

fn human(row: &StoreRow) -> String {
    let name = row.name.as_deref().unwrap_or("without a name");
    let end = row.end_told().map_or_else(|| "it does not end by itself".to_owned(), |end| format!("it ends {end}"));
    let pairs: Vec<String> = row.notes().map(|note| format!("\n  {}", clean_line(&note))).collect();
    format!("{} ({}): {end}{}", row.id, clean_line(name), pairs.concat())
}
