//! `vector-store create NAME`: makes a store.

use std::collections::BTreeMap;

use crate::cmd::vector_store::change::{self, Expiry, MADE_BY, OURS};
use crate::cmd::vector_store::shape::StoreRow;
use crate::cmd::vector_store::{Account, asked, use_store};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::openai::vector_store::StoreChange;
use crate::ui::Format;
use crate::ui::term::clean_line;

/// Make a vector store
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Make a vector store.\n\n\
        Names need not be unique: running it twice makes two stores. An empty store costs nothing.\n\n\
        With --format json: schema, id, name, and what else `vector-store list` tells of a store.\n\n\
        Exit codes: 0 done; 2 used wrongly; 3 the env file cannot be written (the store is made, and told); 4 no or a \
        wrong key; 5 the service cannot be reached; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store create handbook" => "make a store and print its id",
        "chatbotctl vector-store create handbook --use" => "and write it into this profile's env file",
        "chatbotctl vector-store create trial --expires-after-days 7" => "one that ends a week after its last use"
    )
)]
pub struct Args {
    /// Its name, for people
    #[arg(value_name = "NAME", value_parser = change::parse_name)]
    name: String,
    /// Let it end so many days after its last use, or `never`
    #[arg(long, value_name = "DAYS", value_parser = change::parse_expiry)]
    expires_after_days: Option<Expiry>,
    /// Attach a note to it (repeat for more)
    #[arg(long, value_name = "KEY=VALUE", value_parser = change::parse_pair)]
    metadata: Vec<(String, String)>,
    /// Write its id into this profile's env file
    #[arg(long = "use")]
    is_to_be_used: bool,
}

/// Runs `vector-store create`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let prices = account.prices()?;
    let own = BTreeMap::from([(MADE_BY.to_owned(), OURS.to_owned())]);
    let wanted = StoreChange {
        name: Some(args.name),
        expires_after: args.expires_after_days.and_then(Expiry::wire).map(Some),
        metadata: Some(change::merged(own, args.metadata)?),
    };
    let store = asked(ctx, "make a vector store", account.client.create_store(&wanted)).await?;
    let id = store.id.clone();
    // The store is there now: its id is told, whatever becomes of the env file.
    let written = args.is_to_be_used.then(|| use_store::write(ctx, &id));
    let is_used = match &written {
        Some(written) => written.is_ok(),
        None => account.used() == Some(&id),
    };
    let row = StoreRow::new(&store, &prices, is_used.then_some(id.as_str()));
    match ctx.out.format {
        Format::Human => {
            let file = written.as_ref().and_then(|written| written.as_ref().ok());
            let file =
                file.map_or_else(String::new, |written| format!("; VECTOR_STORE_ID in {} names it", written.file()));
            let name = clean_line(row.name.as_deref().unwrap_or(""));
            ctx.out.result(&format!("made {id} ({name}){file}"))?;
        }
        Format::Json => ctx.out.json("vector-store", &row)?,
        Format::Jsonl => ctx.out.json_line(&row)?,
    }
    match written.transpose()? {
        Some(written) => written.tell(ctx),
        None if !is_used => ctx.out.note(&format!("let this profile use it: chatbotctl vector-store use {id}")),
        None => {}
    }
    Ok(Exit::Good)
}
