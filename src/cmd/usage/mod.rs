//! `usage`: what answers took, in tokens, searches and money.

mod show;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::app;
use crate::cmd::{Ctx, Overrides, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::usage::{Grouping, UsageQuery};

/// Show what answers took: tokens, searches, money
///
/// The figures are those that the bot keeps with each answer of a language model. The database is only read, so a server
/// may be running; where there is none yet, nothing was recorded. Money is an estimate in US dollars by the prices of a
/// day, which is shown; MODELS_FILE changes prices for the answers to come. An answer whose price is not known, or whose
/// end was not seen, is counted and told, and its money is not. Days are days in UTC. Threads that were deleted leave
/// their figures, in one row.
///
/// JSON: chatbotctl.usage/1 with by, since, until, has_database, rows and total. A row has key, answers,
/// unpriced_answers, requests, input_tokens (with cached_tokens and cache_write_tokens), output_tokens (with
/// reasoning_tokens), searches, cost_usd, cost_nano_usd, priced_from and priced_to. With --format jsonl one row a line.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl usage" => "by day, all of it",
    "chatbotctl usage --by model --since 2026-11-01 --until 2026-11-30" => "which models a month went to",
    "chatbotctl --profile prod usage --by thread --format json" => "for a program"
))]
pub struct Args {
    /// What to sum up by
    #[arg(long, value_enum, default_value_t = By::Day, value_name = "WHAT")]
    by: By,
    /// From the beginning of this day on (YYYY-MM-DD, UTC)
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    since: Option<Date>,
    /// To the end of this day (YYYY-MM-DD, UTC)
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    until: Option<Date>,
    /// Folder of the database [default: STATE_DIR]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<String>,
}

/// What to sum up by.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum By {
    /// A row a day
    Day,
    /// A row a thread
    Thread,
    /// A row a model
    Model,
}

/// The days that are looked at, both included.
#[derive(Debug, Clone, Copy, Default)]
struct Days {
    since: Option<Date>,
    until: Option<Date>,
}

/// Runs the command.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let days = Days { since: args.since, until: args.until };
    let query = query(args.by, days)?;
    let flags: Overrides = args.state_dir.map(|folder| ("STATE_DIR", folder)).into_iter().collect();
    let settings = ctx.settings(flags)?;
    let by = query.by;
    let looked = app::usage::look(&settings, query).await?;
    show::show(ctx, by, days, looked)?;
    Ok(Exit::Good)
}

fn query(by: By, days: Days) -> Result<UsageQuery, Failure> {
    if days.since.zip(days.until).is_some_and(|(since, until)| since > until) {
        let why = "--since is later than --until";
        return Err(Failure::new("usage/days", Exit::Usage, "choose the days", why)
            .fix("chatbotctl usage --since 2026-11-01 --until 2026-11-30"));
    }
    let by = match by {
        By::Day => Grouping::Day,
        By::Thread => Grouping::Thread,
        By::Model => Grouping::Model,
    };
    // After the last day that there is nothing is left out.
    let until = days.until.and_then(|day| day.tomorrow().ok()).and_then(begin_of);
    Ok(UsageQuery { by, since: days.since.and_then(begin_of), until })
}

fn begin_of(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|begin| begin.timestamp())
}

fn parse_date(text: &str) -> Result<Date, String> {
    let is_plain = text.len() == "2026-11-30".len();
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| "must be a day such as 2026-11-30".to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_include_both_ends() {
        let days = Days { since: Some(date(2026, 11, 1)), until: Some(date(2026, 11, 30)) };
        let query = query(By::Model, days).unwrap();
        assert_eq!(query.by, Grouping::Model);
        assert_eq!(query.since, Some("2026-11-01T00:00:00Z".parse().unwrap()));
        assert_eq!(query.until, Some("2026-12-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn the_ends_of_time_are_days_too() {
        let days = Days { since: Some(Date::MIN), until: Some(Date::MAX) };
        assert!(query(By::Day, days).is_ok());
    }

    #[test]
    fn days_that_are_none_are_refused() {
        assert_eq!(parse_date("2026-11-30"), Ok(date(2026, 11, 30)));
        for text in ["2026-11-31", "yesterday", "2026-11-30T00:00:00Z", "2026-1-1", ""] {
            assert!(parse_date(text).is_err(), "{text}");
        }
        let turned = Days { since: Some(date(2026, 2, 2)), until: Some(date(2026, 2, 1)) };
        assert_eq!(query(By::Day, turned).unwrap_err().exit, Exit::Usage);
    }
}
