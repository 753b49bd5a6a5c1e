//! `vector-store`: the vector stores of the OpenAI account. One file a verb.

mod change;
mod create;
mod delete;
mod list;
mod prune;
mod search;
mod shape;
mod show;
mod update;
mod use_store;

use crate::app;
use crate::cmd::{Ctx, Run as _, commands, help_end};
use crate::config::Settings;
use crate::error::Failure;
use crate::exit::Exit;
use crate::llm::models::ModelCatalogue;
use crate::openai::vector_store::VectorStore;
use crate::openai::{Client, ErrorKind, OpenAiError};

/// A store in this state answers nothing any more.
const EXPIRED: &str = "expired";
/// Ids of services with the same API are no longer.
const MAX_ID_CHARS: usize = 128;

/// Make, show, change and delete vector stores of the OpenAI account
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = help_end!(
        "chatbotctl vector-store create handbook --use" => "make a store, and let this profile use it",
        "chatbotctl vector-store list" => "every store of the account, and what it costs",
        "chatbotctl vector-store prune" => "find uploaded files that no store has any more"
    )
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

commands! {
    /// What to do with vector stores.
    pub enum Verb {
        Create => create,
        List => list,
        Show => show,
        Use => use_store,
        Update => update,
        Delete => delete,
        Search => search,
        Prune => prune,
    }
}

/// Runs the verb.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    args.verb.run(ctx).await
}

/// What every verb works with.
struct Account {
    settings: Settings,
    client: Client,
}

impl Account {
    fn open(ctx: &Ctx) -> Result<Self, Failure> {
        // Who writes answers does not matter here, and `openai` without a store would be refused: where no store is set
        // yet, these commands are the way to one.
        let settings = ctx.settings(vec![("MODEL_BACKEND", "extractive".to_owned())])?;
        let client = app::hosted::client(&settings)?;
        Ok(Self { settings, client })
    }

    fn prices(&self) -> Result<ModelCatalogue, Failure> {
        app::hosted::prices(&self.settings)
    }

    /// The store that the settings name.
    fn used(&self) -> Option<&str> {
        self.settings.vector_store_id.as_deref()
    }

    /// The store that is meant: the named one, else that of the settings.
    fn store_id(&self, named: Option<String>) -> Result<String, Failure> {
        const WHAT: &str = "choose the vector store";
        let Some(id) = named.or_else(|| self.used().map(str::to_owned)) else {
            let why = "no id is given, and VECTOR_STORE_ID is not set";
            return Err(Failure::new("vector-store/none", Exit::Usage, WHAT, why).fix(
                "name one of `chatbotctl vector-store list`, or choose one with `chatbotctl vector-store use ID`",
            ));
        };
        // It becomes part of a path.
        let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if id.is_empty() || id.chars().count() > MAX_ID_CHARS || !id.chars().all(is_id) {
            let why = format!("`{id}` is no id of a vector store; such an id looks like vs_123");
            return Err(Failure::new("vector-store/bad-id", Exit::Usage, WHAT, why).fix("chatbotctl vector-store list"));
        }
        Ok(id)
    }

    /// Looks a store up.
    async fn store(&self, ctx: &Ctx, id: &str) -> Result<VectorStore, Failure> {
        let what = format!("look at the vector store `{id}`");
        match or_stop(ctx, &what, self.client.store(id)).await? {
            Ok(store) => Ok(store),
            Err(error) if error.kind == ErrorKind::NotFound => {
                let why = "the account has no such store; the key may belong to another project";
                Err(Failure::new("vector-store/unknown", Exit::NotGood, what, why)
                    .fix("chatbotctl vector-store list")
                    .cause(error))
            }
            Err(error) => Err(app::hosted::failure(what, error)),
        }
    }
}

/// Waits for the service, or for the stop.
async fn or_stop<T>(ctx: &Ctx, what: &str, call: impl Future<Output = T>) -> Result<T, Failure> {
    ctx.stop.run_until_cancelled(call).await.ok_or_else(|| interrupted(what))
}

/// The same for a call whose every failure ends the command.
async fn asked<T>(ctx: &Ctx, what: &str, call: impl Future<Output = Result<T, OpenAiError>>) -> Result<T, Failure> {
    or_stop(ctx, what, call).await?.map_err(|error| app::hosted::failure(what, error))
}

fn interrupted(what: &str) -> Failure {
    Failure::new("input/interrupted", Exit::Interrupted, what, "it was interrupted")
}

fn is_expired(store: &VectorStore) -> bool {
    store.status == EXPIRED
}

/// What keeps a command from a store that has ended.
fn expired(what: &str, id: &str) -> Failure {
    let why = format!("the store `{id}` has expired; nothing is found in it any more");
    Failure::new("vector-store/expired", Exit::NotGood, what, why)
        .fix("make a new one: chatbotctl vector-store create NAME --use, then chatbotctl docs sync --to openai")
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _, Subcommand as _};

    use super::*;

    fn parse(args: &[&str]) -> Result<Verb, clap::Error> {
        let command = Verb::augment_subcommands(Command::new("vector-store"));
        Verb::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn the_commands_are_well_formed() {
        Verb::augment_subcommands(Command::new("vector-store")).debug_assert();
    }

    #[test]
    fn flags_are_taken_where_they_belong() {
        for good in [
            &["vs", "create", "a name", "--use", "--expires-after-days", "30", "--metadata", "team=help"][..],
            &["vs", "update", "--expires-after-days", "never"],
            &["vs", "search", "how long is the warranty"],
            &["vs", "search", "vs_1", "how long is the warranty"],
            &["vs", "delete", "--confirm", "a name", "--files"],
        ] {
            assert!(parse(good).is_ok(), "{good:?}");
        }
        for bad in [
            &["vs", "create"][..],
            &["vs", "create", " "],
            &["vs", "create", "a", "--expires-after-days", "366"],
            &["vs", "create", "a", "--metadata", "team"],
            &["vs", "update", "vs_1"],
            &["vs", "use"],
            &["vs", "search"],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
