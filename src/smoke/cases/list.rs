//! Lists: pages, both orders, limits, cursors.

use serde_json::{Value, json};

use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{answered, ensure, json, need, refused, refused_with, skip, taken};
use crate::smoke::lab::{Lab, QUESTION};
use crate::smoke::told::{id, ids, rows};

/// Where the protocol says it.
const RULE: &str = "pagination";

pub(super) const CASES: &[Case] = &[
    case!("list/newest-first", "threads come newest first", "pagination: order defaults to desc", newest_first).alone(),
    case!("list/oldest-first", "with `asc` threads come in the order in which they were made", RULE, oldest_first)
        .alone(),
    case!("list/pages-of-threads", "pages of threads join without gap and without repetition", RULE, pages_of_threads)
        .alone(),
    case!(
        "list/threads-without-items",
        "threads in a list have an empty page of items",
        "requests: threads.list",
        threads_without_items
    ),
    case!("list/items-asc", "pages of items, oldest first, join to the whole list at every size", RULE, items_asc),
    case!("list/items-desc", "pages of items, newest first, are the same list turned round", RULE, items_desc),
    case!(
        "list/items-default-order",
        "without an order items come newest first",
        "pagination: order defaults to desc",
        items_default
    ),
    case!(
        "list/full-pages",
        "a page before the last is as long as was asked",
        "pagination: filter hidden items in the query",
        full_pages
    ),
    case!("list/limit-zero", "a limit of 0 is answered", "pagination: limit null or 0 means 20", limit_zero),
    case!("list/limit-one", "a limit of 1 gives one row", RULE, limit_one),
    case!("list/limit-hundred", "a limit of 100 is taken", RULE, limit_hundred),
    case!(
        "list/limit-huge",
        "a limit of 9,999 is cut or refused, not obeyed without bound",
        "pagination: bound it",
        limit_huge
    ),
    case!("list/limit-negative", "a limit of -1 is refused or bounded", "pagination: bound it", limit_negative),
    case!(
        "list/limit-null",
        "a limit and a cursor of null are as if they were not there",
        "requests: limit and after default to null",
        limit_null
    ),
    case!(
        "list/limit-not-a-number",
        "a limit that is no number is refused",
        "errors: missing or invalid field",
        limit_text
    ),
    case!(
        "list/unknown-cursor",
        "an unknown cursor is refused with a 4xx",
        "pagination: unknown cursor: choose 400",
        unknown_cursor
    ),
    case!(
        "list/unknown-item-cursor",
        "an unknown cursor among items is refused with a 4xx",
        "pagination: unknown cursor: choose 400",
        unknown_item_cursor
    ),
    case!(
        "list/cursor-of-another-thread",
        "an item of another thread is no cursor",
        "pagination: unknown cursor: choose 400",
        foreign_cursor
    ),
    case!(
        "list/cursor-of-a-deleted-item",
        "a cursor that a retry deleted gives a 4xx or the rest, never a 5xx",
        "pagination: a cursor can disappear",
        deleted_cursor
    ),
    case!(
        "list/unknown-thread",
        "the items of an unknown thread are refused with 404",
        "errors: unknown thread in a JSON request",
        unknown_thread
    ),
    case!(
        "list/repeatable",
        "the same page twice is the same",
        "pagination: deterministic order with a tie-breaker",
        repeatable
    ),
    case!(
        "list/reads-change-nothing",
        "reading an unknown thread does not make it",
        "the sample's memory store creates a thread on any read",
        reads_make_nothing
    ),
];

/// A thread with six items, and their ids, oldest first.
async fn thread_of_six(lab: &Lab) -> Result<(String, Vec<String>), Stop> {
    let talk = lab.ask(QUESTION).await?;
    lab.say(&talk.thread, "And then?").await?;
    lab.say(&talk.thread, "And what else?").await?;
    let items: Vec<String> = lab.items(&talk.thread).await?.iter().map(|item| id(item).to_owned()).collect();
    if items.len() < 5 {
        return Err(Stop::Unknown(format!("it needs a list, and three messages left {} items", items.len())));
    }
    Ok((talk.thread, items))
}

/// Reads all pages of this size and returns each page's ids. More pages than rows are a fault.
async fn pages(lab: &Lab, kind: &str, mut params: Value, max_pages: usize) -> Result<Vec<Vec<String>>, Stop> {
    let mut pages = Vec::new();
    loop {
        let page = json(&lab.one.call(kind, params.clone()).await?)?;
        pages.push(ids(&page));
        if page["has_more"] != true {
            return Ok(pages);
        }
        ensure(pages.len() < max_pages, || format!("there are more than {max_pages} pages"))?;
        let after = page["after"].as_str().ok_or_else(|| Stop::Fail("there is more, and no `after`".to_owned()))?;
        params["after"] = json!(after);
    }
}

/// The ids of three threads in the order in which they were made.
async fn three(lab: &Lab) -> Result<Vec<String>, Stop> {
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(lab.ask(QUESTION).await?.thread);
    }
    Ok(made)
}

async fn newest_first(lab: &Lab) -> CaseResult {
    let mut made = three(lab).await?;
    made.reverse();
    let page = json(&lab.one.call("threads.list", json!({ "limit": 3 })).await?)?;
    ensure(ids(&page) == made, || "the three newest threads are not the first three".to_owned())
}

async fn oldest_first(lab: &Lab) -> CaseResult {
    let made = three(lab).await?;
    let page = json(&lab.one.call("threads.list", json!({ "order": "asc", "after": made[0], "limit": 2 })).await?)?;
    ensure(ids(&page) == made[1..], || "after the oldest of three threads the other two do not follow".to_owned())
}

async fn pages_of_threads(lab: &Lab) -> CaseResult {
    let mut made = three(lab).await?;
    made.reverse();
    let mut seen = Vec::new();
    let mut params = json!({ "limit": 1 });
    for _ in 0..made.len() {
        let page = json(&lab.one.call("threads.list", params.clone()).await?)?;
        seen.extend(ids(&page));
        params["after"] = page["after"].clone();
        if page["has_more"] != true {
            break;
        }
    }
    ensure(seen == made, || format!("pages of one thread gave {} of three, or others", seen.len()))
}

async fn threads_without_items(lab: &Lab) -> CaseResult {
    lab.sample().await?;
    let page = json(&lab.one.call("threads.list", json!({ "limit": 5 })).await?)?;
    let is_empty = |row: &Value| rows(&row["items"]).is_empty() && row["items"]["has_more"] == false;
    ensure(rows(&page).iter().all(is_empty), || "a thread in the list has items".to_owned())
}

async fn items_asc(lab: &Lab) -> CaseResult {
    let (thread, all) = thread_of_six(lab).await?;
    for limit in 1..=all.len() {
        let params = json!({ "thread_id": thread, "order": "asc", "limit": limit });
        let joined = pages(lab, "items.list", params, all.len() + 1).await?.concat();
        ensure(joined == all, || format!("pages of {limit} do not join to the list"))?;
    }
    Ok(())
}

async fn items_desc(lab: &Lab) -> CaseResult {
    let (thread, mut all) = thread_of_six(lab).await?;
    all.reverse();
    for limit in [1, 2, 4] {
        let params = json!({ "thread_id": thread, "order": "desc", "limit": limit });
        let joined = pages(lab, "items.list", params, all.len() + 1).await?.concat();
        ensure(joined == all, || format!("pages of {limit} do not join to the list turned round"))?;
    }
    Ok(())
}

async fn items_default(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let page = json(&lab.one.call("items.list", json!({ "thread_id": talk.thread, "limit": 100 })).await?)?;
    let mut expected: Vec<String> = lab.items(&talk.thread).await?.iter().map(|item| id(item).to_owned()).collect();
    expected.reverse();
    ensure(ids(&page) == expected, || "the newest item is not the first".to_owned())
}

async fn full_pages(lab: &Lab) -> CaseResult {
    let talk = lab.ask(&format!("[[hidden]] {QUESTION}")).await?;
    lab.say(&talk.thread, "And then?").await?;
    for order in ["asc", "desc"] {
        let params = json!({ "thread_id": talk.thread, "order": order, "limit": 1 });
        let pages = pages(lab, "items.list", params, 20).await?;
        ensure(pages.iter().all(|page| page.len() == 1), || format!("with `{order}` a page of one row has none"))?;
    }
    Ok(())
}

async fn limited(lab: &Lab, limit: Value) -> Result<crate::smoke::call::Reply, Stop> {
    let talk = lab.sample().await?;
    lab.one.call("items.list", json!({ "thread_id": talk.thread, "limit": limit })).await
}

async fn limit_zero(lab: &Lab) -> CaseResult {
    let reply = limited(lab, json!(0)).await?;
    if reply.status == 400 {
        return Err(Stop::Warn("it is refused; the protocol reads it as 20".to_owned()));
    }
    let page = json(&reply)?;
    ensure(!rows(&page).is_empty(), || "it gives no rows; the protocol reads it as 20".to_owned())
}

async fn limit_one(lab: &Lab) -> CaseResult {
    let page = json(&limited(lab, json!(1)).await?)?;
    ensure(rows(&page).len() == 1 && page["has_more"] == true, || format!("it gives {} rows", rows(&page).len()))
}

async fn limit_hundred(lab: &Lab) -> CaseResult {
    taken(&limited(lab, json!(100)).await?)
}

async fn limit_huge(lab: &Lab) -> CaseResult {
    answered(&limited(lab, json!(9999)).await?)
}

async fn limit_negative(lab: &Lab) -> CaseResult {
    let reply = limited(lab, json!(-1)).await?;
    answered(&reply)?;
    match reply.json() {
        Some(page) if reply.status == 200 => ensure(!rows(&page).is_empty(), || "it gives an empty page".to_owned()),
        _ => Ok(()),
    }
}

async fn limit_null(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let params = json!({ "thread_id": talk.thread, "limit": null, "after": null });
    taken(&lab.one.call("items.list", params).await?)
}

async fn limit_text(lab: &Lab) -> CaseResult {
    refused(&limited(lab, json!("many")).await?)
}

async fn unknown_cursor(lab: &Lab) -> CaseResult {
    let params = json!({ "after": "thr_00000000000000000000000000000000" });
    refused(&lab.one.call("threads.list", params).await?)
}

async fn unknown_item_cursor(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let params = json!({ "thread_id": talk.thread, "after": "msg_00000000000000000000000000000000" });
    refused(&lab.one.call("items.list", params).await?)
}

async fn foreign_cursor(lab: &Lab) -> CaseResult {
    let (one, other) = (lab.sample().await?, lab.ask(QUESTION).await?);
    let params = json!({ "thread_id": one.thread, "after": other.user_id()? });
    refused(&lab.one.call("items.list", params).await?)
}

async fn deleted_cursor(lab: &Lab) -> CaseResult {
    let talk = lab.ask(QUESTION).await?;
    let cursor = talk.answer_id()?;
    let retry = json!({ "thread_id": talk.thread, "item_id": talk.user_id()? });
    let reply = lab.one.call("threads.retry_after_item", retry).await?;
    if reply.status != 200 || lab.item(&talk.thread, cursor).await?.is_some() {
        return skip("nothing was deleted by a retry");
    }
    answered(&lab.one.call("items.list", json!({ "thread_id": talk.thread, "after": cursor })).await?)
}

async fn unknown_thread(lab: &Lab) -> CaseResult {
    let params = json!({ "thread_id": "thr_00000000000000000000000000000000" });
    refused_with(&lab.one.call("items.list", params).await?, &[404])
}

async fn repeatable(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let params = json!({ "thread_id": talk.thread, "limit": 3 });
    let first = json(&lab.one.call("items.list", params.clone()).await?)?;
    let second = json(&lab.one.call("items.list", params).await?)?;
    need(rows(&first).first(), "an item")?;
    ensure(first == second, || "two readings of one page differ".to_owned())
}

async fn reads_make_nothing(lab: &Lab) -> CaseResult {
    let params = json!({ "thread_id": "thr_11111111111111111111111111111111" });
    lab.one.call("items.list", params.clone()).await?;
    let reply = lab.one.call("threads.get_by_id", params).await?;
    ensure(reply.status != 200, || "the thread that nobody made is there now".to_owned())
}
