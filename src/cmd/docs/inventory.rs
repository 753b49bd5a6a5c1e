//! `docs inventory`: what the documents folder holds, counted.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use crate::cmd::docs::reading::{docs_dir, read_all};
use crate::cmd::docs::{FolderArgs, documents, problem_lines};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::lint::inventory::{self, Dated, Group, Inventory, SkippedGroup};
use crate::ui::{Format, clean, table};

/// Largest documents shown; the JSON form has more.
const LARGEST_SHOWN: usize = 5;

/// Count the documents by type, language, age or folder
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Count the documents, their bytes, pages and words by type, language, age or folder; name the oldest, \
        the newest and the largest, what is skipped and why, and what cannot be read. Nothing is changed, and no \
        index is needed.\n\n\
        With --format json: schema, docs_dir, total (documents, unread, bytes, pages, words), oldest, newest, by_type (as they were read; those that were not, by their names), \
        by_language (ISO 639-3), by_age (year of the last change), by_folder, largest, skipped, problems.\n\n\
        Exit codes: 0 done, documents that cannot be read included; 1 there is no documents folder; 6 there is no \
        document; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl docs inventory" => "see what a customer's folder holds",
        "chatbotctl docs inventory --docs-dir inbox --by age" => "see how old it is",
        "chatbotctl docs inventory --format json | jq .total" => "for a program"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    /// What the table groups by: type, language, age (year of the last change) or folder
    #[arg(long, value_enum, value_name = "WHAT", default_value_t, hide_possible_values = true)]
    by: By,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum By {
    #[default]
    Type,
    Language,
    Age,
    Folder,
}

#[derive(Debug, Serialize)]
struct Shown {
    docs_dir: String,
    #[serde(flatten)]
    inventory: Inventory,
}

/// Runs `docs inventory`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let Some((items, listing)) = read_all(&settings, ctx, Arc::new(inventory::item)).await? else {
        return Ok(Exit::Interrupted);
    };
    let inventory = inventory::inventory(&items, listing);
    let shown = Shown { docs_dir: docs_dir(&settings).display().to_string(), inventory };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&shown, args.by)))?,
        Format::Json => ctx.out.json("docs-inventory", &shown)?,
        Format::Jsonl => ctx.out.json_line(&shown)?,
    }
    let is_empty = shown.inventory.total.documents == 0 && shown.inventory.problems.is_empty();
    Ok(if is_empty { Exit::NotProven } else { Exit::Good })
}

fn human(shown: &Shown, by: By) -> String {
    let Shown { docs_dir, inventory } = shown;
    let total = &inventory.total;
    let (count, size) = (documents(total.documents), bytes(total.bytes));
    let (pages, words) = (counted(total.pages, "page"), counted(total.words, "word"));
    let mut text = format!("{count} in `{docs_dir}`: {size}, {pages}, {words}");
    if total.documents == 0 {
        text = format!("{count} in `{docs_dir}`: there is nothing to count");
    } else {
        let _ = write!(text, "\n\n{}\n", groups(inventory, by));
    }
    for (name, dated) in [("oldest", &inventory.oldest), ("newest", &inventory.newest)] {
        if let Some(Dated { path, modified_at }) = dated {
            let _ = write!(text, "\n{name}   {} {path}", modified_at.strftime("%F"));
        }
    }
    for (at, sized) in inventory.largest.iter().take(LARGEST_SHOWN).enumerate() {
        let name = if at == 0 { "largest" } else { "       " };
        let _ = write!(text, "\n{name}  {} {}", bytes(sized.bytes), sized.path);
    }
    for SkippedGroup { reason, files, paths } in &inventory.skipped {
        let more = files.checked_sub(paths.len()).filter(|more| *more > 0);
        let more = more.map_or_else(String::new, |more| format!(" and {more} more"));
        let _ = write!(text, "\nskipped  {reason}: {}{more}", paths.join(", "));
    }
    if !inventory.problems.is_empty() {
        let _ = write!(text, "\n{} not read:\n{}", inventory.problems.len(), problem_lines(&inventory.problems));
    }
    text
}

fn groups(inventory: &Inventory, by: By) -> String {
    let (name, groups) = match by {
        By::Type => ("type", &inventory.by_type),
        By::Language => ("language", &inventory.by_language),
        By::Age => ("year", &inventory.by_age),
        By::Folder => ("folder", &inventory.by_folder),
    };
    let row = |Group { name, sums }: &Group| {
        let (documents, unread) = (sums.documents.to_string(), sums.unread.to_string());
        let numbers = [documents, unread, bytes(sums.bytes), sums.pages.to_string(), sums.words.to_string()];
        [name.clone()].into_iter().chain(numbers).collect()
    };
    table(&[name, "documents", "unread", "size", "pages", "words"], groups.iter().map(row).collect())
}

/// `1 page`, `2 pages`.
fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A size for people, in powers of 1,000.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "page")), ["0 pages", "1 page", "2 pages"]);
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!([bytes(0), bytes(999), bytes(1500), bytes(2_000_000)], ["0 B", "999 B", "1.5 kB", "2.0 MB"]);
    }
}
