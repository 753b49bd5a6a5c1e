//! Statements on what answers took.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, Row, params};

use crate::model::thread::Principal;
use crate::model::usage::{Grouping, UsageQuery, UsageRow, UsageSum};
use crate::store::StoreError;
use crate::store::sqlite::items;
use crate::store::sqlite::row::ItemRow;
use crate::store::sqlite::statement::{change, row, rows};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// One sum a row. `TOTAL` never overflows; it is exact up to 2^53, which is nine million dollars.
macro_rules! sums {
    ($key:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS bucket, COUNT(*) AS answers, SUM(u.nano_dollars IS NULL) AS unpriced, \
             SUM(u.input_tokens = 0) AS uncounted, \
             CAST(TOTAL(u.requests) AS INTEGER) AS requests, \
             CAST(TOTAL(u.input_tokens) AS INTEGER) AS input_tokens, \
             CAST(TOTAL(u.cached_tokens) AS INTEGER) AS cached_tokens, \
             CAST(TOTAL(u.cache_write_tokens) AS INTEGER) AS cache_write_tokens, \
             CAST(TOTAL(u.output_tokens) AS INTEGER) AS output_tokens, \
             CAST(TOTAL(u.reasoning_tokens) AS INTEGER) AS reasoning_tokens, \
             CAST(TOTAL(u.searches) AS INTEGER) AS searches, \
             CAST(TOTAL(u.nano_dollars) AS INTEGER) AS nano_dollars, \
             MIN(u.priced_on) AS priced_from, MAX(u.priced_on) AS priced_to \
             FROM usage u LEFT JOIN threads t ON t.seq = u.thread_seq \
             WHERE u.answered_us >= ?1 AND u.answered_us < ?2 GROUP BY bucket ORDER BY ",
            $order
        )
    };
}

/// What an answer took. A later word about the same item replaces an earlier one.
pub(super) fn insert(connection: &Connection, used: &UsageRow) -> Result<(), StoreError> {
    let thread = "SELECT seq FROM threads WHERE id = ?1";
    let thread_seq: Option<i64> = row(connection, thread, params![used.thread_id], |row| Ok(row.get(0)?))?;
    let answered_us = used.answered_at.as_microsecond();
    let (item_id, answered_us) = match thread_seq {
        Some(_) => (used.item_id.as_deref(), answered_us),
        // The thread was deleted while it was answered.
        None => (None, answered_us - answered_us.rem_euclid(DAY_US)),
    };
    let usage = &used.usage;
    change(
        connection,
        "INSERT OR REPLACE INTO usage (item_id, thread_seq, answered_us, outcome, model, requests, input_tokens, \
         cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, searches, nano_dollars, priced_on) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            item_id,
            thread_seq,
            answered_us,
            used.outcome,
            usage.model,
            usage.requests,
            column(usage.input_tokens),
            column(usage.cached_tokens),
            column(usage.cache_write_tokens),
            column(usage.output_tokens),
            column(usage.reasoning_tokens),
            usage.searches,
            used.price.map(|price| column(price.nano_dollars)),
            used.price.map(|price| price.priced_on.to_string()),
        ],
    )?;
    Ok(())
}

/// An answer and what it took: both, or none.
pub(super) fn insert_answer(
    connection: &Connection,
    who: &Principal,
    item: &ItemRow,
    used: &UsageRow,
) -> Result<(), StoreError> {
    items::insert(connection, who, item)?;
    insert(connection, used)
}

/// Leaves of a thread's rows what names neither it nor the moment, before it is deleted.
pub(super) fn unlink(connection: &Connection, who: &Principal, thread_id: &str) -> Result<(), StoreError> {
    change(
        connection,
        "UPDATE usage SET item_id = NULL, thread_seq = NULL, answered_us = answered_us - answered_us % ?3 \
         WHERE thread_seq = (SELECT seq FROM threads WHERE id = ?1 AND owner = ?2)",
        params![thread_id, who.id, DAY_US],
    )?;
    Ok(())
}

/// Sums, days in order, threads and models by what they cost.
pub(super) fn sums(connection: &Connection, query: &UsageQuery) -> Result<Vec<UsageSum>, StoreError> {
    let statement = match query.by {
        Grouping::Day => sums!("date(u.answered_us / 1000000, 'unixepoch')", "bucket"),
        Grouping::Thread => sums!("t.id", "nano_dollars DESC, bucket"),
        Grouping::Model => sums!("u.model", "nano_dollars DESC, bucket"),
    };
    let bound = |time: Option<Timestamp>, otherwise: i64| time.map_or(otherwise, Timestamp::as_microsecond);
    rows(connection, statement, params![bound(query.since, i64::MIN), bound(query.until, i64::MAX)], read_sum)
}

fn read_sum(row: &Row<'_>) -> Result<UsageSum, StoreError> {
    let count = |name: &str| Ok::<_, StoreError>(u64::try_from(row.get::<_, i64>(name)?).unwrap_or_default());
    let day =
        |name: &str| Ok::<_, StoreError>(row.get::<_, Option<String>>(name)?.and_then(|day| day.parse::<Date>().ok()));
    Ok(UsageSum {
        key: row.get("bucket")?,
        answers: count("answers")?,
        unpriced: count("unpriced")?,
        uncounted: count("uncounted")?,
        requests: count("requests")?,
        input_tokens: count("input_tokens")?,
        cached_tokens: count("cached_tokens")?,
        cache_write_tokens: count("cache_write_tokens")?,
        output_tokens: count("output_tokens")?,
        reasoning_tokens: count("reasoning_tokens")?,
        searches: count("searches")?,
        nano_dollars: count("nano_dollars")?,
        priced_on: day("priced_from")?.zip(day("priced_to")?),
    })
}

fn column(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
