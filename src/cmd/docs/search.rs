//! `docs search`: one query, or a file of them.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app;
use crate::cmd::docs::FolderArgs;
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::index::{SearchQuery, VectorStore};
use crate::model::{Hit, Locator};
use crate::ui::{Format, clean};

const WHAT: &str = "search the documents";

/// How much of a hit's text people see.
const SHOWN_CHARS: usize = 280;

/// Search the index, as answering does
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Search the index, as answering does.\n\n\
        --top-k counts distinct documents, each with its best place. QUERY is plain words; there is no query syntax.\n\n\
        With --format json: schema, query, hits (document_id, path, title, score, locator, text).\n\
        With --queries FILE.jsonl --format jsonl: reads one object a line with `id` and `text` (other keys are \
        ignored) and writes for each, in order, one line with query_id and hits (document_id, path, score, locator, \
        text). Scores are comparable within one query only.\n\n\
        Exit codes: 0 done, also without hits; 2 a line of the file is wrong (the message names it).",
    after_help = help_end!(
        "chatbotctl docs search \"how long is the warranty\"" => "the best places for a question",
        "chatbotctl docs search --queries questions.jsonl --top-k 10 --format jsonl" => "many questions at once, for measuring"
    )
)]
pub struct Args {
    /// The words to look for
    #[arg(required_unless_present = "queries", conflicts_with = "queries")]
    query: Option<String>,
    /// A file of queries: JSON lines with `id` and `text`
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// How many documents at the most
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    top_k: u32,
    #[command(flatten)]
    folders: FolderArgs,
}

#[derive(Debug, Deserialize)]
struct QueryLine {
    id: QueryId,
    text: String,
}

/// Ids are text or numbers in the sets that people have; both come out as they went in.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(transparent)]
struct QueryId(serde_json::Value);

#[derive(Debug, Serialize)]
struct Found {
    document_id: String,
    path: String,
    title: String,
    score: f32,
    locator: Locator,
    text: String,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    query: &'a str,
    hits: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct AnswerLine {
    query_id: QueryId,
    hits: Vec<Found>,
}

/// Runs `docs search`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let index = app::open_index(&settings)?;
    if index.records().await?.is_empty() {
        ctx.out.warn("no documents are indexed; run `chatbotctl docs sync`, or look at --state-dir");
    }
    let limit = args.top_k as usize;
    match (&args.query, &args.queries) {
        (_, Some(file)) => many(&index, file, limit, ctx).await,
        (query, None) => one(&index, query.as_deref().unwrap_or_default(), limit, ctx).await,
    }
}

async fn one(index: &Arc<dyn VectorStore>, query: &str, limit: usize, ctx: &Ctx) -> Result<Exit, Failure> {
    let hits = search(index, query, limit).await?;
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&hits)))?,
        Format::Json => ctx.out.json("docs-search", &Answer { query, hits })?,
        Format::Jsonl => ctx.out.json_line(&Answer { query, hits })?,
    }
    Ok(Exit::Good)
}

async fn many(index: &Arc<dyn VectorStore>, file: &Path, limit: usize, ctx: &Ctx) -> Result<Exit, Failure> {
    if ctx.out.format == Format::Json {
        let why = "many queries give many documents";
        return Err(Failure::new("docs/format", Exit::Usage, WHAT, why).fix("use --format jsonl"));
    }
    // All lines are read first: a mistake in the last one shows before anything is written.
    for query in read_queries(file)? {
        if ctx.stop.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        let hits = search(index, &query.text, limit).await?;
        match ctx.out.format {
            Format::Human => ctx.out.result(&clean(&format!("{}\n{}\n", query.text, human(&hits))))?,
            Format::Json | Format::Jsonl => ctx.out.json_line(&AnswerLine { query_id: query.id, hits })?,
        }
    }
    Ok(Exit::Good)
}

async fn search(index: &Arc<dyn VectorStore>, text: &str, limit: usize) -> Result<Vec<Found>, Failure> {
    let query = SearchQuery { text: text.to_owned(), limit, distinct_documents: true };
    Ok(index.search(&query).await?.into_iter().map(found).collect())
}

fn found(hit: Hit) -> Found {
    let Hit { chunk, path, title, score, .. } = hit;
    Found { document_id: chunk.document_id, path, title, score, locator: chunk.locator, text: chunk.text }
}

fn read_queries(file: &Path) -> Result<Vec<QueryLine>, Failure> {
    let shown = file.display();
    let wrong = |why: String| Failure::new("docs/queries", Exit::Usage, WHAT, why);
    let reader = File::open(file).map_err(|error| {
        wrong(format!("`{shown}` cannot be read: {error}")).fix(
            "name a file of queries: JSON lines with `id` and `text`, such as {\"id\": 1, \"text\": \"how to return\"}",
        )
    })?;
    let mut queries = Vec::new();
    for (at, line) in BufReader::new(reader).lines().enumerate() {
        let number = at + 1;
        let line =
            line.map_err(|error| wrong(format!("`{shown}`, line {number}: {error}")).fix("save the file as UTF-8"))?;
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        let query: QueryLine = serde_json::from_str(line).map_err(|error| {
            wrong(format!("`{shown}`, line {number}: {error}")).fix("write one object a line, with `id` and `text`")
        })?;
        if !(query.id.0.is_string() || query.id.0.is_number()) {
            return Err(wrong(format!("`{shown}`, line {number}: `id` is neither text nor a number"))
                .fix("write one object a line, with `id` and `text`"));
        }
        queries.push(query);
    }
    Ok(queries)
}

fn human(hits: &[Found]) -> String {
    if hits.is_empty() {
        return "nothing found".to_owned();
    }
    let texts: Vec<String> = hits.iter().enumerate().map(|(at, hit)| human_hit(at + 1, hit)).collect();
    texts.join("\n\n")
}

fn human_hit(number: usize, hit: &Found) -> String {
    let mut text: String = hit.text.chars().take(SHOWN_CHARS).collect();
    if text.len() < hit.text.len() {
        text.push('…');
    }
    let place = match hit.locator.describe() {
        place if place.is_empty() => place,
        place => format!(", {place}"),
    };
    format!("{number}. {} ({}{place}, score {:.2})\n   {}", hit.title, hit.path, hit.score, text.replace('\n', "\n   "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_and_mistakes_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("q.jsonl");
        std::fs::write(&file, "{\"id\": \"a\", \"text\": \"x\", \"more\": 1}\n\n{\"id\": 2, \"text\": \"y\"}\n")
            .unwrap();
        let queries = read_queries(&file).unwrap();
        assert_eq!(queries.len(), 2);
        assert_eq!(queries[1].id.0, 2);
        std::fs::write(&file, "{\"id\": \"a\", \"text\": \"x\"}\n{\"id\": \"b\"}\n").unwrap();
        let failure = read_queries(&file).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.why.contains("line 2") && failure.why.contains("text"), "{}", failure.why);
    }
}
