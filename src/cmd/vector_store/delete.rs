//! `vector-store delete [ID]`: deletes a store, and with `--files` what was uploaded for it.

use futures_util::TryStreamExt as _;
use serde::Serialize;

use crate::clock::{Clock as _, SystemClock};
use crate::cmd::vector_store::shape::{files, size};
use crate::cmd::vector_store::{Account, asked};
use crate::cmd::{Ctx, help_end};
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::hosted::prune::{self, Orphan, Removed};
use crate::openai::vector_store::VectorStore;
use crate::openai::{ErrorKind, OpenAiError};
use crate::ui::term::clean_line;
use crate::ui::{Format, clean};

const WHAT: &str = "delete the vector store";
/// How many files are shown by name before the question.
const SHOWN: usize = 20;

/// Delete a vector store
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Delete a vector store.\n\n\
        It asks for the store's name (for its id when it has none); --yes is no answer to that, --confirm NAME is. The \
        files that were uploaded stay unless --files is given: then those that this program uploaded for the store are \
        shown and deleted first, so that an interrupted run can be repeated. Files of others always stay.\n\n\
        With --format json: schema, id, name, deleted, files_deleted, files_left (uploaded for it and still there), \
        problems (path, code, message).\n\n\
        Exit codes: 0 done; 1 there is no such store, or something could not be deleted; 2 no store is named; 4 no or \
        a wrong key; 5 a sync works on it, or the service cannot be reached; 7 the name was not given; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store delete vs_123" => "delete a store after a question",
        "chatbotctl vector-store delete vs_123 --files --confirm trial" => "with its files, and without a question"
    )
)]
pub struct Args {
    /// The store's id [default: the setting VECTOR_STORE_ID]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Delete also the files that this program uploaded for it
    #[arg(long)]
    files: bool,
    /// The store's name, as the answer to the question
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

/// What was done, for JSON.
#[derive(Debug, Serialize)]
struct Report {
    id: String,
    name: Option<String>,
    deleted: bool,
    files_deleted: usize,
    files_left: usize,
    problems: Vec<Problem>,
}

/// Runs `vector-store delete`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let id = account.store_id(args.id)?;
    let store = account.store(ctx, &id).await?;
    refuse_reserved(&store)?;
    let all = asked(ctx, "list the uploaded files", account.client.all_files().try_collect::<Vec<_>>()).await?;
    let uploaded = prune::uploaded_for(&all, &id);
    ctx.out.note(&shown(&store, &uploaded, args.files));
    confirm(ctx, &store, args.confirm.as_deref())?;
    let removed = if args.files {
        prune::remove(&account.client, uploaded.clone(), &ctx.out.progress(), &ctx.stop).await
    } else {
        Removed::default()
    };
    let files_left = uploaded.len() - removed.removed.len();
    let mut report = Report {
        id: id.clone(),
        name: store.name.clone(),
        deleted: false,
        files_deleted: removed.removed.len(),
        files_left,
        problems: removed.problems,
    };
    // Files that could not be deleted are found again by the store's id; without the store they would be others'.
    if !removed.interrupted && report.problems.is_empty() {
        asked(ctx, WHAT, gone(account.client.delete_store(&id))).await?;
        report.deleted = true;
    }
    show(&report, ctx)?;
    if report.deleted && account.used() == Some(id.as_str()) {
        ctx.out.warn("VECTOR_STORE_ID still names it; choose another: chatbotctl vector-store use ID");
    }
    Ok(match (removed.interrupted, report.problems.is_empty()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Good,
        (false, false) => Exit::NotGood,
    })
}

/// What is gone already is deleted.
async fn gone(call: impl Future<Output = Result<(), OpenAiError>>) -> Result<(), OpenAiError> {
    match call.await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// A store that a sync works on is not taken away under its hands.
fn refuse_reserved(store: &VectorStore) -> Result<(), Failure> {
    let Some(until) = prune::reserved_until(store, SystemClock.now()) else {
        return Ok(());
    };
    let why = format!("a sync works on it; its reservation ends at {until}");
    Err(Failure::new("vector-store/busy", Exit::Temporary, WHAT, why).fix("run it again when the sync has ended"))
}

/// The word that the question asks for.
fn word(store: &VectorStore) -> &str {
    store.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&store.id)
}

fn confirm(ctx: &Ctx, store: &VectorStore, given: Option<&str>) -> Result<(), Failure> {
    let word = word(store);
    let typed = if let Some(given) = given {
        Some(given.to_owned())
    } else {
        let question = format!("This cannot be undone. Type `{}` to delete it", clean_line(word));
        ctx.out.typed_in_person(&question)?
    };
    let why = match typed {
        Some(typed) if typed.trim() == word => return Ok(()),
        Some(_) => "what was given is not its name",
        None => "its name must be given, and there is nobody to ask",
    };
    Err(Failure::new("vector-store/not-confirmed", Exit::Undecided, WHAT, why)
        .fix("give the name as the answer, or with --confirm NAME; --yes is no answer to this"))
}

fn shown(store: &VectorStore, uploaded: &[Orphan], goes: bool) -> String {
    let name = store.name.as_deref().unwrap_or("without a name");
    let total = files(usize::try_from(store.file_counts.total).unwrap_or(usize::MAX));
    let mut lines = vec![format!("{} ({}) has {total}, {}", store.id, clean_line(name), size(store.usage_bytes))];
    let bytes: u64 = uploaded.iter().map(|file| file.bytes).sum();
    let what = format!("{} that this program uploaded for it ({})", files(uploaded.len()), size(bytes));
    match (uploaded.len(), goes) {
        (0, _) => {}
        (_, false) => lines.push(format!("{what}: kept; --files deletes them too")),
        (count, true) => {
            lines.push(format!("{what}: deleted with it"));
            lines.extend(uploaded.iter().take(SHOWN).map(|file| format!("  {}", clean_line(&file.filename))));
            if count > SHOWN {
                lines.push(format!("  and {} more", count - SHOWN));
            }
        }
    }
    lines.join("\n")
}

fn show(report: &Report, ctx: &Ctx) -> Result<(), Failure> {
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(report))),
        Format::Json => ctx.out.json("vector-store-delete", report),
        Format::Jsonl => ctx.out.json_line(report),
    }
}

fn human(report: &Report) -> String {
    let what = if report.deleted { "deleted" } else { "not deleted:" };
    let mut lines = vec![format!("{what} {}", report.id)];
    if report.files_deleted > 0 {
        lines.push(format!("{} deleted", files(report.files_deleted)));
    }
    if report.files_left > 0 {
        let fix = if report.deleted { "chatbotctl vector-store prune" } else { "run it again" };
        lines.push(format!("{} left; {fix}", files(report.files_left)));
    }
    lines.extend(report.problems.iter().map(|problem| format!("  {}: {}", problem.path, problem.message)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: Option<&str>) -> VectorStore {
        serde_json::from_value(serde_json::json!({ "id": "vs_1", "name": name })).unwrap()
    }

    #[test]
    fn a_store_without_a_name_is_named_by_its_id() {
        assert_eq!(word(&store(Some(" a "))), "a");
        assert_eq!([word(&store(Some(" "))), word(&store(None))], ["vs_1", "vs_1"]);
    }
}
