//! `vector-store search [ID] QUERY`: what the service finds, as answering would.

use serde::Serialize;
use serde_json::json;

use crate::answer::locate::locate;
use crate::app;
use crate::cmd::vector_store::{Account, asked, expired, is_expired};
use crate::cmd::{Ctx, help_end};
use crate::config::Settings;
use crate::error::Failure;
use crate::exit::Exit;
use crate::hosted::prepare;
use crate::index;
use crate::openai::search::{Found, Search};
use crate::openai::vector_store::Attribute;
use crate::ui::{Format, clean};

/// How much of a hit's text people see.
const SHOWN_CHARS: usize = 280;
/// Hits that the service gives at the most.
const MAX_HITS: u32 = 50;

/// Search a vector store, as answering does
#[derive(Debug, clap::Args)]
#[command(
    allow_missing_positional = true,
    long_about = "Search a vector store, as answering does: with FILE_SEARCH_FILTERS, FILE_SEARCH_RANKER and \
        FILE_SEARCH_MIN_SCORE of the settings.\n\n\
        The service bills each search.\n\n\
        With --format json: schema, query, store_id, hits (document_id, path, title, file_id, filename, score, place, \
        text); document_id, path and title are null for files that `docs sync` did not make. The place is that of the same \
        words in the index of this machine, and null where it has none. \
        --format jsonl prints a hit a line.\n\n\
        Exit codes: 0 done, also without hits; 1 there is no such store, or it has expired; 2 no store is named; 4 no or a wrong key; \
        5 the service cannot be reached; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store search \"how long is the warranty\"" => "search the store that this profile uses",
        "chatbotctl vector-store search vs_123 \"warranty\" --top-k 3" => "the three best of another one"
    )
)]
pub struct Args {
    /// The store's id [default: the setting VECTOR_STORE_ID]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// The words to look for
    #[arg(value_name = "QUERY", required = true)]
    query: String,
    /// How many hits at the most [default: the setting MAX_SEARCH_RESULTS]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_HITS)))]
    top_k: Option<u32>,
}

/// A hit, for JSON.
#[derive(Debug, Serialize)]
struct Hit {
    document_id: Option<String>,
    path: Option<String>,
    title: Option<String>,
    file_id: String,
    filename: String,
    score: f64,
    place: Option<String>,
    text: String,
}

/// Runs `vector-store search`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let id = account.store_id(args.id)?;
    // A store that is not there is told as such, and not as a search that was refused.
    let what = format!("search the vector store `{id}`");
    if is_expired(&account.store(ctx, &id).await?) {
        return Err(expired(&what, &id));
    }
    let assistant = &account.settings.assistant;
    let hosted = &assistant.hosted;
    let search = Search {
        query: args.query.clone(),
        max_num_results: Some(args.top_k.map_or(assistant.max_search_results, |top_k| top_k as usize)),
        filters: hosted.filters.clone(),
        ranking_options: Some(json!({ "ranker": hosted.ranker, "score_threshold": hosted.min_score })),
    };
    let found = asked(ctx, &what, account.client.search(&id, &search)).await?;
    let mut hits: Vec<Hit> = found.into_iter().map(hit).collect();
    add_places(&mut hits, &account.settings).await;
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&hits)))?,
        Format::Json => {
            let document = json!({ "query": args.query, "store_id": id, "hits": hits });
            ctx.out.json("vector-store-search", &document)?;
        }
        Format::Jsonl => hits.iter().try_for_each(|hit| ctx.out.json_line(hit))?,
    }
    Ok(Exit::Good)
}

/// Looks the places of the hits up in the index of this machine. Where there is none, or it fails, they stay unknown: the
/// hits are the service's, and so are there.
async fn add_places(hits: &mut [Hit], settings: &Settings) {
    if !index::local::folder(&settings.paths.state_dir).exists() {
        return;
    }
    let Ok(index) = app::open_index(settings) else { return };
    for hit in hits {
        let Some(document_id) = &hit.document_id else { continue };
        let Ok(chunks) = index.chunks(document_id).await else { continue };
        let text = hit.text.clone();
        let located = tokio::task::spawn_blocking(move || {
            let place = locate(&text, &chunks)?;
            Some(chunks.get(place.chunk)?.locator.describe())
        });
        hit.place = located.await.ok().flatten().filter(|place| !place.is_empty());
    }
}

fn hit(found: Found) -> Hit {
    let attributes = found.attributes.unwrap_or_default();
    let text = |name: &str| match attributes.get(name) {
        Some(Attribute::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let pieces: Vec<&str> = found.content.iter().map(|piece| piece.text.trim()).collect();
    Hit {
        document_id: text(prepare::DOCUMENT_ID),
        path: text(prepare::PATH),
        title: text("title"),
        file_id: found.file_id,
        filename: found.filename,
        score: found.score,
        place: None,
        text: pieces.join("\n"),
    }
}

fn human(hits: &[Hit]) -> String {
    if hits.is_empty() {
        return "nothing found".to_owned();
    }
    let texts: Vec<String> = hits.iter().enumerate().map(|(at, hit)| human_hit(at + 1, hit)).collect();
    texts.join("\n\n")
}

fn human_hit(number: usize, hit: &Hit) -> String {
    let mut text: String = hit.text.chars().take(SHOWN_CHARS).collect();
    if text.len() < hit.text.len() {
        text.push('…');
    }
    let name = hit.path.as_deref().unwrap_or(&hit.filename);
    let place = hit.place.as_ref().map_or_else(String::new, |place| format!(", {place}"));
    format!("{number}. {name} (score {:.2}{place})\n   {}", hit.score, text.replace('\n', "\n   "))
}
