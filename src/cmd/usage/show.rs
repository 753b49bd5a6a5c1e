//! What answers took, as a table or as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cmd::Ctx;
use crate::cmd::usage::Days;
use crate::error::Failure;
use crate::llm::models::dollars;
use crate::model::usage::{Grouping, UsageSum};
use crate::ui::{Format, table};

/// One sum, for JSON.
#[derive(Debug, Serialize)]
struct Row<'a> {
    /// None for threads that were deleted, and for the total.
    key: Option<&'a str>,
    answers: u64,
    unpriced_answers: u64,
    requests: u64,
    input_tokens: u64,
    cached_tokens: u64,
    cache_write_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    searches: u64,
    cost_usd: Option<f64>,
    cost_nano_usd: Option<u64>,
    priced_from: Option<String>,
    priced_to: Option<String>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    by: Grouping,
    since: Option<String>,
    until: Option<String>,
    has_database: bool,
    rows: Vec<Row<'a>>,
    total: Row<'a>,
}

/// Prints the sums; none where there is no database.
pub(super) fn show(ctx: &Ctx, by: Grouping, days: Days, looked: Option<Vec<UsageSum>>) -> Result<(), Failure> {
    let has_database = looked.is_some();
    if !has_database {
        ctx.out.note("there is no database yet, so nothing was recorded; the bot makes it when it is served");
    }
    let sums = looked.unwrap_or_default();
    let total = UsageSum::total(&sums);
    match ctx.out.format {
        Format::Human if sums.is_empty() => ctx.out.result("no answers of a language model are recorded"),
        Format::Human => ctx.out.result(&human(by, &sums, &total)),
        Format::Json => {
            let rows = sums.iter().map(row).collect();
            let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
            let (since, until) = (day(days.since), day(days.until));
            ctx.out.json("usage", &Document { by, since, until, has_database, rows, total: row(&total) })
        }
        Format::Jsonl => sums.iter().try_for_each(|sum| ctx.out.json_line(&row(sum))),
    }
}

fn row(sum: &UsageSum) -> Row<'_> {
    let is_priced = sum.unpriced < sum.answers || sum.answers == 0;
    let (from, to) = sum.priced_on.map(|(from, to)| (from.to_string(), to.to_string())).unzip();
    Row {
        key: sum.key.as_deref(),
        answers: sum.answers,
        unpriced_answers: sum.unpriced,
        requests: sum.requests,
        input_tokens: sum.input_tokens,
        cached_tokens: sum.cached_tokens,
        cache_write_tokens: sum.cache_write_tokens,
        output_tokens: sum.output_tokens,
        reasoning_tokens: sum.reasoning_tokens,
        searches: sum.searches,
        cost_usd: is_priced.then(|| in_dollars(sum.nano_dollars)),
        cost_nano_usd: is_priced.then_some(sum.nano_dollars),
        priced_from: from,
        priced_to: to,
    }
}

#[expect(clippy::cast_precision_loss, reason = "the exact amount stands beside it")]
fn in_dollars(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn human(by: Grouping, sums: &[UsageSum], total: &UsageSum) -> String {
    let (title, deleted) = match by {
        Grouping::Day => ("day", "-"),
        Grouping::Thread => ("thread", "deleted threads"),
        Grouping::Model => ("model", "-"),
    };
    let mut rows: Vec<Vec<String>> = sums.iter().map(|sum| cells(sum.key.as_deref().unwrap_or(deleted), sum)).collect();
    if sums.len() > 1 {
        rows.push(cells("total", total));
    }
    let header = [title, "answers", "calls", "input", "cached", "output", "thought", "searches", "cost"];
    let mut text = table(&header, rows);
    text.push('\n');
    if let Some((from, to)) = total.priced_on {
        let days = if from == to { from.to_string() } else { format!("{from} to {to}") };
        let _ = write!(text, "\nEstimates in US dollars by the prices of {days}.");
    }
    if total.unpriced > 0 {
        let answers = if total.unpriced == 1 { "1 answer is" } else { &format!("{} answers are", total.unpriced) };
        let _ = write!(text, "\n{answers} not in the cost: no price is known for the model, or its end was not seen.");
    }
    text
}

fn cells(key: &str, sum: &UsageSum) -> Vec<String> {
    let cost = match sum.unpriced {
        0 => dollars(sum.nano_dollars),
        unknown if unknown == sum.answers => "unknown".to_owned(),
        unknown => format!("{} + {unknown} unknown", dollars(sum.nano_dollars)),
    };
    let counts = [
        sum.answers,
        sum.requests,
        sum.input_tokens,
        sum.cached_tokens,
        sum.output_tokens,
        sum.reasoning_tokens,
        sum.searches,
    ];
    let counts = counts.iter().map(u64::to_string);
    std::iter::once(key.to_owned()).chain(counts).chain([cost]).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn sum(key: &str, answers: u64, unpriced: u64, nano_dollars: u64) -> UsageSum {
        let priced_on = (unpriced < answers).then_some((date(2026, 11, 22), date(2026, 11, 22)));
        UsageSum { key: Some(key.to_owned()), answers, unpriced, nano_dollars, priced_on, ..UsageSum::default() }
    }

    #[test]
    fn unknown_money_is_told_and_is_no_zero() {
        let sums = [sum("a", 3, 1, 12_300_000), sum("b", 2, 2, 0)];
        let text = human(Grouping::Model, &sums, &UsageSum::total(&sums));
        assert!(text.contains("$0.0123 + 1 unknown"), "{text}");
        assert!(text.contains("$0.0123 + 3 unknown"), "{text}");
        assert!(text.lines().any(|line| line.starts_with('b') && line.ends_with("unknown")), "{text}");
        assert!(text.contains("prices of 2026-11-22") && text.contains("3 answers are not in the cost"), "{text}");
        let unknown = serde_json::to_value(row(&sums[1])).unwrap();
        assert!(unknown["cost_usd"].is_null() && unknown["cost_nano_usd"].is_null(), "{unknown}");
        let known = serde_json::to_value(row(&sums[0])).unwrap();
        assert_eq!((known["cost_nano_usd"].as_u64(), known["cost_usd"].as_f64()), (Some(12_300_000), Some(0.0123)));
    }

    #[test]
    fn deleted_threads_are_one_row() {
        let sums = [UsageSum { answers: 1, ..UsageSum::default() }];
        let text = human(Grouping::Thread, &sums, &UsageSum::total(&sums));
        assert!(text.contains("deleted threads") && !text.contains("total"), "{text}");
    }
}
