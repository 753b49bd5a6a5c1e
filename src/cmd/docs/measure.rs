//! `docs measure`: whether embeddings help the search, by language.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app;
use crate::cmd::docs::FolderArgs;
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::index::hybrid::measured::{self, Figures, Measured};
use crate::index::{SearchQuery, VectorStore};
use crate::model::{DocumentRecord, file_name};
use crate::ui::{Format, clean, table};

const WHAT: &str = "measure embeddings";
/// nDCG looks at so many documents.
const DEPTH: usize = 10;

/// Measure whether embeddings help the search, by language
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Measure whether embeddings help the search, by language.\n\n\
        Asks every question of a golden set (JSON lines with id, question and documents) twice, by words alone and \
        with embeddings, and compares nDCG@10, the share of the best possible ranking. What is measured is kept in \
        STATE_DIR for the model, and from then on the documents of languages in which embeddings were worse are \
        searched by words alone; fewer than ten questions prove nothing. --dry-run keeps nothing.\n\n\
        With --format json: schema, model, languages (by ISO 639-3 code: questions, words, fused).\n\n\
        Exit codes: 0 measured; 2 a line of the file is wrong (the message names it); 3 no embedding model is named; \
        5 a question got no vector, and nothing is kept; 6 no question could be measured.",
    after_help = help_end!(
        "chatbotctl docs measure questions.jsonl" => "measure, and heed it in every search from now on",
        "chatbotctl docs measure questions.jsonl --dry-run --format json" => "look only"
    )
)]
pub struct Args {
    /// The golden question set: JSON lines with `id`, `question`, `documents`
    #[arg(value_name = "FILE")]
    questions: PathBuf,
    /// Keep nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    folders: FolderArgs,
}

/// A line of a golden set, as far as a search is judged by it.
#[derive(Debug, Deserialize)]
struct Question {
    question: String,
    #[serde(default)]
    documents: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    model: &'a str,
    languages: &'a BTreeMap<String, Figures>,
    kept: bool,
}

/// Runs `docs measure`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let both = app::embeddings::open_both(&settings)?;
    let model = settings.embedding.as_ref().map(|embedding| embedding.model.clone()).unwrap_or_default();
    let file = args.questions.clone();
    let read = tokio::task::spawn_blocking(move || questions(&file)).await;
    let questions = read.map_err(|error| failure("docs/bug", Exit::Bug, error.to_string()))??;
    let Some(languages) = measure(&both, &questions, ctx).await? else { return Ok(Exit::Interrupted) };
    if languages.is_empty() {
        let why = "no question names a document that is indexed";
        return Err(failure("docs/nothing-measured", Exit::NotProven, why).fix("chatbotctl docs sync"));
    }
    let measured = Measured { model, languages };
    if !args.dry_run {
        measured::save(&settings.paths.state_dir, &measured)
            .map_err(|error| failure("docs/state", Exit::NotGood, error.to_string()))?;
    }
    let shown = Shown { model: &measured.model, languages: &measured.languages, kept: !args.dry_run };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&measured)))?,
        Format::Json => ctx.out.json("docs-measure", &shown)?,
        Format::Jsonl => ctx.out.json_line(&shown)?,
    }
    Ok(Exit::Good)
}

fn failure(code: &'static str, exit: Exit, why: impl Into<String>) -> Failure {
    Failure::new(code, exit, WHAT, why)
}

fn questions(path: &Path) -> Result<Vec<Question>, Failure> {
    let unreadable = |error: std::io::Error| {
        failure("docs/questions", Exit::Usage, format!("`{}` cannot be read: {error}", path.display()))
    };
    let mut questions = Vec::new();
    for (number, line) in BufReader::new(File::open(path).map_err(unreadable)?).lines().enumerate() {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        let question = serde_json::from_str(&line).map_err(|error| {
            let place = format!("line {} of `{}`", number + 1, path.display());
            failure("docs/questions", Exit::Usage, format!("{place} is no question: {error}"))
                .fix("each line is an object with `question` and `documents`")
        })?;
        questions.push(question);
    }
    Ok(questions)
}

/// Sums over the questions of one language.
#[derive(Default)]
struct Sums {
    questions: usize,
    words: f64,
    fused: f64,
}

/// The figures by language; none when interrupted.
async fn measure(
    both: &app::embeddings::Both,
    questions: &[Question],
    ctx: &Ctx,
) -> Result<Option<BTreeMap<String, Figures>>, Failure> {
    let records = both.words.records().await?;
    let mut by_name: HashMap<&str, Vec<&DocumentRecord>> = HashMap::new();
    for record in &records {
        by_name.entry(file_name(&record.path)).or_default().push(record);
    }
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for question in questions {
        if ctx.stop.is_cancelled() {
            return Ok(None);
        }
        let wanted: Vec<&DocumentRecord> =
            question.documents.iter().flat_map(|name| named(name, &records, &by_name)).collect();
        let Some(language) = wanted.first().and_then(|record| record.language.clone()) else { continue };
        let sum = sums.entry(language).or_default();
        sum.questions += 1;
        sum.words += ndcg(&*both.words, &question.question, &wanted).await?;
        sum.fused += ndcg(&*both.fused, &question.question, &wanted).await.map_err(unmeasured)?;
    }
    let mean = |sum: Sums| {
        let count = sum.questions as f64;
        Figures { questions: sum.questions, words: sum.words / count, fused: sum.fused / count }
    };
    Ok(Some(sums.into_iter().map(|(language, sum)| (language, mean(sum))).collect()))
}

/// The documents of a path, or else of a file name.
fn named<'a>(
    name: &str,
    records: &'a [DocumentRecord],
    by_name: &HashMap<&str, Vec<&'a DocumentRecord>>,
) -> Vec<&'a DocumentRecord> {
    match records.iter().find(|record| record.path == name) {
        Some(record) => vec![record],
        None => by_name.get(file_name(name)).cloned().unwrap_or_default(),
    }
}

/// Without a vector for every question there is nothing to compare, and what was measured earlier stays.
fn unmeasured(failure: Failure) -> Failure {
    Failure { exit: Exit::Temporary, what: WHAT.to_owned(), ..failure }
        .fix("see that the endpoint answers and that `chatbotctl docs sync` has embedded the documents")
}

/// Normalised discounted cumulative gain of the first ten documents, each wanted one worth the same.
async fn ndcg(index: &dyn VectorStore, question: &str, wanted: &[&DocumentRecord]) -> Result<f64, Failure> {
    let query = SearchQuery { text: question.to_owned(), limit: DEPTH, distinct_documents: true };
    let hits = index.search(&query).await?;
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let is_wanted = |document_id: &str| wanted.iter().any(|record| record.document_id == document_id);
    let found: f64 = hits
        .iter()
        .enumerate()
        .filter(|(_, hit)| is_wanted(&hit.chunk.document_id))
        .map(|(rank, _)| discount(rank))
        .sum();
    let best: f64 = (0..wanted.len().min(DEPTH)).map(discount).sum();
    Ok(found / best)
}

fn human(measured: &Measured) -> String {
    let row = |(language, figures): (&String, &Figures)| {
        let verdict = if figures.is_worse() { "words alone" } else { "with embeddings" };
        vec![
            language.clone(),
            figures.questions.to_string(),
            format!("{:.4}", figures.words),
            format!("{:.4}", figures.fused),
            verdict.to_owned(),
        ]
    };
    let rows = measured.languages.iter().map(row).collect();
    format!("{}\n\nmodel: {}", table(&["language", "questions", "words", "fused", "search"], rows), measured.model)
}
