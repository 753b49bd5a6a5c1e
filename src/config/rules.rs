//! What holds between settings, and between settings and the profile's base.

use std::net::SocketAddr;

use crate::config::keys::AUTH_MODES;
use crate::config::resolve::{Found, FoundAll, SettingProblem};
use crate::config::settings::Base;
use crate::config::value::{self, is_loopback, is_loopback_url};

/// What the rules say.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) problems: Vec<SettingProblem>,
    pub(super) warnings: Vec<String>,
}

/// Gives `AUTH_MODE` its default: `off` only in base `dev`, on a loopback bind, with no public address but a loopback
/// one; `visitor` otherwise.
pub(super) fn default_auth_mode(found: &mut [Found], base: Base) {
    let value = |name: &str| found.iter().find(|found| found.key.name == name).and_then(|found| found.value.as_deref());
    let is_local = value("SERVER_HOST").is_some_and(is_loopback) && value("PUBLIC_URL").is_none_or(is_loopback_url);
    let mode = if base == Base::Dev && is_local { AUTH_MODES[0] } else { AUTH_MODES[1] };
    if let Some(auth_mode) = found.iter_mut().find(|found| found.key.name == "AUTH_MODE") {
        auth_mode.value.get_or_insert_with(|| mode.to_owned());
    }
}

/// Applies all rules.
pub(super) fn judge(found: &FoundAll, base: Base) -> Judged {
    let mut judged = Judged::default();
    let rules = [model_backend, rate_limit, cors_origins, auth_mode, embeddings, ops];
    for rule in rules {
        rule(found, base, &mut judged);
    }
    judged
}

/// `openai` needs an account and a store; `stub` answers nobody's question.
fn model_backend(found: &FoundAll, base: Base, judged: &mut Judged) {
    let Some(backend) = found.find("MODEL_BACKEND") else {
        return;
    };
    let is_openai_itself = found.find("OPENAI_BASE_URL").is_none_or(|url| url.value.as_deref() == url.key.default);
    let message = match backend.value.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("openai") if found.value("VECTOR_STORE_ID").is_none() => {
            "needs VECTOR_STORE_ID; make a store with `chatbotctl vector-store create NAME`, then `vector-store use ID`"
        }
        Some("openai") if is_openai_itself && found.value("OPENAI_API_KEY").is_none() => {
            "needs OPENAI_API_KEY; set it in the environment, or with `chatbotctl secret set OPENAI_API_KEY`"
        }
        Some("stub") if base == Base::Prod => "is for load and protocol tests and refused in prod; use `auto`",
        _ => return,
    };
    judged.problems.push(backend.problem(message));
}

fn rate_limit(found: &FoundAll, base: Base, judged: &mut Judged) {
    let Some(limit) = found.find("RATE_LIMIT") else {
        return;
    };
    let is_off = limit.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("off"));
    if is_off && base == Base::Prod {
        judged.problems.push(limit.problem("is refused in prod; set a limit such as 5/s, or leave it unset"));
    }
}

/// `*` would let any page in a visitor's browser speak with the bot.
fn cors_origins(found: &FoundAll, base: Base, judged: &mut Judged) {
    let Some(origins) = found.find("CORS_ORIGINS") else {
        return;
    };
    let parsed = origins.value.as_deref().and_then(|value| value::origins(value).ok());
    if !parsed.is_some_and(|origins| origins.wildcard) {
        return;
    }
    match base {
        Base::Prod => judged.problems.push(origins.problem("`*` is refused in prod; list the exact origins")),
        Base::Dev | Base::Staging => judged
            .warnings
            .push(format!("`CORS_ORIGINS` ({}) names `*`, which is ignored; list the exact origins", origins.origin)),
    }
}

/// Without visitors everybody is the same person, so nobody but this machine may reach the bot.
fn auth_mode(found: &FoundAll, base: Base, judged: &mut Judged) {
    let Some(mode) = found.find("AUTH_MODE") else {
        return;
    };
    let is_off = mode.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(AUTH_MODES[0]));
    let opens = |name: &str, is_local: fn(&str) -> bool| found.value(name).is_some_and(|value| !is_local(value));
    let reasons = [
        (base == Base::Prod, "in prod"),
        (opens("SERVER_HOST", is_loopback), "where SERVER_HOST is not a loopback address"),
        (opens("PUBLIC_URL", is_loopback_url), "where PUBLIC_URL is not a loopback address"),
    ];
    let Some((_, reason)) = reasons.iter().find(|(holds, _)| is_off && *holds) else {
        return;
    };
    judged.problems.push(mode.problem(&format!("is refused {reason}; use `visitor`, or leave it unset")));
}

/// The documents' text goes to that address, so nothing but a person names it.
fn embeddings(found: &FoundAll, _base: Base, judged: &mut Judged) {
    let Some(model) = found.find("EMBEDDING_MODEL").filter(|model| model.value.is_some()) else {
        return;
    };
    if found.value("EMBEDDING_BASE_URL").is_none() {
        judged.problems.push(model.problem("needs EMBEDDING_BASE_URL, the address that the documents' text goes to"));
    }
}

/// What the operations listener tells is not for strangers.
fn ops(found: &FoundAll, _base: Base, judged: &mut Judged) {
    let Some(address) = found.find("OPS_ADDR") else {
        return;
    };
    let parsed = address.value.as_deref().and_then(|value| value.parse::<SocketAddr>().ok());
    let is_open = parsed.is_some_and(|address| !address.ip().to_canonical().is_loopback());
    if is_open && found.value("ADMIN_TOKEN").is_none() {
        judged
            .problems
            .push(address.problem("is not a loopback address and needs ADMIN_TOKEN; set it, or use 127.0.0.1"));
    }
}
