//! `conformance`: whether a server keeps the ChatKit protocol, case by case.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::cmd::{Ctx, help_end, outcome_exit};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::report::{Probe, Report, Severity, Verdict};
use crate::report;
use crate::smoke::{self, Case, ClientSettings, Header, Left, Plan, SmokeError, Target};
use crate::ui::{Format, clean};

const WHAT: &str = "check the protocol";
/// Cases at once.
const JOBS: u8 = 4;
/// The longest a case may take, in seconds.
const TIMEOUT_S: u16 = 30;

/// Check case by case whether a server keeps the ChatKit protocol
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Check case by case whether a server keeps the ChatKit protocol, from outside.\n\n\
        It asks the server at --url as two visitors do, and needs nothing but its address: also of a server that is \
        not chatbotctl. Each case has a name, a verdict and a reason: framing, validation, streams, lists, retry, \
        hang-ups, two visitors, attachments, tool calls, forms, widgets, errors. What a server does not have is \
        not_applicable. Without PROBE_TOKEN and PROBE_TOKEN_OTHER (sent as Authorization: Bearer) each visitor keeps \
        the cookies that the server sets; without either of them two visitors cannot be told apart.\n\n\
        It makes threads at the server, and deletes them at the end, also after Ctrl-C. So a server that is not on \
        this machine is confirmed first (--yes). It follows no redirect and contacts no other host. A bot shows tool \
        calls, forms and widgets for messages that begin with [[tool]], [[form]], [[widget]] and the like; \
        MODEL_BACKEND=stub does.\n\n\
        With --format json: schema, target, summary (counts of verdicts), outcome, probes: one entry for every case, \
        passes included (id, kind, verdict: pass, warn, fail, unknown or not_applicable; severity: blocking, advisory \
        or info; summary, evidence, fix, duration_ms). --format jsonl prints one probe a line; junit and sarif are \
        for CI systems.\n\n\
        Exit codes: 0 GO; 1 NO-GO, a blocking case failed; 2 the address, a header or a case's name is wrong; 6 NOT \
        PROVEN, the server cannot be reached or cases could not look; 7 the server is not on this machine and nobody \
        confirmed it; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl conformance --url http://127.0.0.1:8002" => "check a bot on this machine",
        "chatbotctl conformance --url http://127.0.0.1:8002/chatkit --case stream --case list/pages-of-threads" =>
            "one group and one case, at a server with another path",
        "chatbotctl conformance --url https://bot.example --header 'X-Tenant: demo' --yes --format junit -o chatkit.xml" =>
            "a rehearsal's server, for CI",
        "chatbotctl conformance --list" => "see every case and its rule"
    )
)]
pub struct Args {
    /// Address of the ChatKit endpoint; without a path /knowledge/chatkit is added
    #[arg(long, value_name = "URL", required_unless_present = "list")]
    url: Option<String>,
    /// Header of every request, `Name: value`; can be given more than once (secrets: PROBE_TOKEN)
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    /// Only this case or group of cases; can be given more than once
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// List the cases and do nothing
    #[arg(long)]
    list: bool,
    /// Seconds that a case may take
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT_S, value_parser = clap::value_parser!(u16).range(1..=3600))]
    timeout: u16,
    /// Cases at once
    #[arg(long, value_name = "N", default_value_t = JOBS, value_parser = clap::value_parser!(u8).range(1..=32))]
    jobs: u8,
}

impl Args {
    /// Whether the result is a report in the common form.
    pub fn is_report(&self) -> bool {
        !self.list
    }
}

/// A case, as `--list` tells it.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    summary: &'static str,
    rule: &'static str,
    severity: Severity,
}

/// Runs `conformance`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let cases = select(&args.case)?;
    let Some(url) = args.url.as_deref().filter(|_| !args.list) else {
        list(&cases, ctx)?;
        return Ok(Exit::Good);
    };
    let target = Target::parse(url).map_err(used_wrongly)?;
    let headers: Result<Vec<Header>, SmokeError> = args.header.iter().map(|line| smoke::parse_header(line)).collect();
    let headers = headers.map_err(used_wrongly)?;
    let tokens = ctx.settings(Vec::new())?.probe;
    confirm(&target, ctx)?;
    let timeout = Duration::from_secs(args.timeout.into());
    let shown = shown(&target);
    let client = ClientSettings { target, headers, token: tokens.token, token_other: tokens.token_other, timeout };
    let plan = Plan { cases, client, jobs: args.jobs.into(), timeout };
    let mut failure = None;
    let mut told = |probe: &Probe| {
        if failure.is_none() {
            failure = tell(probe, ctx).err();
        }
    };
    let (probes, left) = smoke::run(&plan, &ctx.stop, &mut told).await.map_err(used_wrongly)?;
    tell_left(left, ctx);
    if let Some(failure) = failure {
        return Err(failure);
    }
    if ctx.stop.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let report = Report::new(shown, probes);
    show(&report, ctx)?;
    Ok(outcome_exit(report.outcome))
}

/// The cases of these names, each once, in the order of the table; all without names.
fn select(names: &[String]) -> Result<Vec<&'static Case>, Failure> {
    let mut wanted = Vec::new();
    for name in names {
        let found = smoke::find(name).map_err(|why| {
            Failure::new("conformance/unknown-case", Exit::Usage, WHAT, why).fix("chatbotctl conformance --list")
        })?;
        wanted.extend(found.iter().map(|case| case.name));
    }
    Ok(smoke::all().filter(|case| names.is_empty() || wanted.contains(&case.name)).collect())
}

/// C6: threads are made at a server of somebody else only when that was said.
fn confirm(target: &Target, ctx: &Ctx) -> Result<(), Failure> {
    if target.is_loopback() {
        return Ok(());
    }
    let question = format!("Make threads at {} and delete them again?", shown(target));
    if tokio::task::block_in_place(|| ctx.out.confirm(&question))? {
        return Ok(());
    }
    Err(Failure::new("conformance/declined", Exit::Undecided, WHAT, "not confirmed")
        .fix("add --yes to agree beforehand"))
}

/// The address without what may be a secret: a query.
fn shown(target: &Target) -> String {
    let mut url = target.url.clone();
    url.set_query(None);
    url.to_string()
}

fn list(cases: &[&'static Case], ctx: &Ctx) -> Result<(), Failure> {
    let row =
        |case: &&'static Case| Row { name: case.name, summary: case.summary, rule: case.rule, severity: case.severity };
    let rows: Vec<Row> = cases.iter().map(row).collect();
    match ctx.out.format {
        Format::Json => ctx.out.json("conformance-cases", &serde_json::json!({ "cases": rows })),
        Format::Jsonl => rows.iter().try_for_each(|row| ctx.out.json_line(row)),
        Format::Human => {
            let mut text = String::new();
            for row in &rows {
                let _ = writeln!(text, "{:<36}{}", row.name, row.summary);
            }
            let _ = writeln!(text, "\n{} cases", rows.len());
            ctx.out.result(&text)
        }
    }
}

/// One case as it comes, where the form has a line for it.
fn tell(probe: &Probe, ctx: &Ctx) -> Result<(), Failure> {
    match (ctx.out.report, ctx.out.format) {
        (None, Format::Human) => ctx.out.result(&line(probe)),
        (None, Format::Jsonl) => ctx.out.json_line(probe),
        _ => Ok(()),
    }
}

/// Mark, name, and why: the reason, or what holds.
fn line(probe: &Probe) -> String {
    let mark = match (probe.verdict, probe.severity) {
        (Verdict::Fail, Severity::Blocking) => "FAIL",
        (Verdict::Fail, _) => "fail",
        (Verdict::NotApplicable, _) => "n/a",
        (verdict, _) => verdict.name(),
    };
    let name = probe.id.trim_start_matches("conformance/");
    let why = match probe.evidence.first() {
        Some(evidence) if probe.verdict == Verdict::Fail => format!("{}: {}", probe.summary, evidence.message),
        Some(evidence) => evidence.message.clone(),
        None => probe.summary.clone(),
    };
    clean(&format!("{mark:<8}{name:<36}{why}")).replace('\n', " ")
}

fn tell_left(left: Left, ctx: &Ctx) {
    if left != Left::default() {
        let Left { threads, attachments } = left;
        ctx.out.warn(&format!("{threads} threads and {attachments} attachments could not be deleted at the server"));
    }
}

fn show(report: &Report, ctx: &Ctx) -> Result<(), Failure> {
    if let Some(text) = ctx.out.report.and_then(|form| report::render(form.name(), "conformance", report)) {
        return ctx.out.result(&text);
    }
    match ctx.out.format {
        // The cases have been told, so the first line of the report is what is left to say.
        Format::Human => {
            let text = report::render_human(report);
            ctx.out.result(&clean(&format!("\n{}", text.lines().next().unwrap_or_default())))
        }
        Format::Json => ctx.out.json("conformance", report),
        Format::Jsonl => Ok(()),
    }
}

fn used_wrongly(error: SmokeError) -> Failure {
    Failure::new("conformance/invalid", Exit::Usage, WHAT, error.to_string())
        .fix("chatbotctl conformance --help")
        .cause(error)
}
