//! What cases expect, in one word each; the reason names what came instead.

use serde_json::Value;

use crate::smoke::call::Reply;
use crate::smoke::case::{CaseResult, Stop};

/// Fails with this reason unless it holds.
pub(super) fn ensure(holds: bool, reason: impl FnOnce() -> String) -> CaseResult {
    if holds { Ok(()) } else { Err(Stop::Fail(reason())) }
}

/// Refused as the caller's mistake: 4xx, whole, and no stream.
pub(super) fn refused(reply: &Reply) -> CaseResult {
    ensure((400..500).contains(&reply.status) && reply.cut.is_none(), || {
        format!("{}; expected a 4xx before anything is streamed", reply.describe())
    })
}

/// Refused with one of these.
pub(super) fn refused_with(reply: &Reply, statuses: &[u16]) -> CaseResult {
    ensure(statuses.contains(&reply.status) && reply.cut.is_none(), || {
        let wanted: Vec<String> = statuses.iter().map(u16::to_string).collect();
        format!("{}; expected {}", reply.describe(), wanted.join(" or "))
    })
}

/// Taken: 200, whole.
pub(super) fn taken(reply: &Reply) -> CaseResult {
    ensure(reply.status == 200 && reply.cut.is_none(), || format!("{}; expected 200", reply.describe()))
}

/// Taken or refused, but answered properly.
pub(super) fn answered(reply: &Reply) -> CaseResult {
    ensure((200..500).contains(&reply.status) && reply.cut.is_none(), || {
        format!("{}; expected it to be taken or refused with a 4xx", reply.describe())
    })
}

/// Taken, with JSON.
pub(super) fn json(reply: &Reply) -> Result<Value, Stop> {
    taken(reply)?;
    reply.json().ok_or_else(|| Stop::Fail(format!("{} with a body that is no JSON", reply.describe())))
}

/// What a case builds on, or why it cannot look.
pub(super) fn need<T>(value: Option<T>, what: &str) -> Result<T, Stop> {
    value.ok_or_else(|| Stop::Unknown(format!("it needs {what}, and there was none")))
}

/// What a case builds on was taken.
pub(super) fn need_taken(reply: &Reply) -> CaseResult {
    taken(reply).map_err(|_| Stop::Unknown(format!("it cannot look, because {}", reply.describe())))
}

/// This server does not have it.
pub(super) fn skip<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Skip(why.into()))
}
