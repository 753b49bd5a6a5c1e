//! `docs scan`: keys, passwords and personal data inside the documents.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use crate::cmd::docs::reading::{AllowArgs, docs_dir, read_all, today};
use crate::cmd::docs::{FolderArgs, documents, problem_lines};
use crate::cmd::{Ctx, help_end};
use crate::docs::walk::{FoundFile, Listing, Skipped};
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::lint::allow::{ALLOW_FILE, EntryNote, Judged, entry_for};
use crate::lint::finding::{self, Finding};
use crate::lint::line::Source;
use crate::lint::look::{Read, problem};
use crate::lint::sensitive::{self, Level};
use crate::ui::{Format, clean};

const ABOUT: &str = "Find keys, passwords and personal data inside the documents, before they leave this machine.\n\n\
    Found are private keys, tokens of some forty issuers by their published forms, JSON Web Tokens, passwords in \
    addresses and assignments, keys of any issuer by name and entropy, IBANs, card numbers, social security and \
    tax numbers by their check digits, dates of birth by their label, e-mail addresses and telephone numbers. \
    Each finding names the document, the place, the kind and the beginning of the value, never the value.\n\n\
    Severities: high opens something or identifies a person; medium is a way to reach a person; low is most \
    likely meant to be there (support@, freephone numbers, addresses of example.com), is listed with --all, and \
    does not change the exit code. Of one document at most 1,000 of a severity are listed.\n\n\
    What is meant to be there is allowed in docs-allow.yaml, beside chatbotctl.yaml:\n\n  \
    allow:\n    \
    - path: \"contact/*.md\"     # a document, or a glob; ** crosses folders\n      \
    kind: phone\n      \
    fingerprint: \"0a1b2c3d\" # this value only; without it every value of the kind\n      \
    reason: the shop's own number\n      \
    until: 2027-12-31       # optional; after this day the entry counts no more\n\n\
    KINDS\n\n\
    With --format json: schema, docs_dir, summary (documents, unread of them, high, medium, low, allowed), findings \
    (path, place, locator, kind, title, severity, excerpt, fingerprint, allow: the entry to paste), expired and \
    unused (entries of the allow file), problems (documents that were not read), skipped. With --format jsonl: \
    one finding a line, then one document that was not read a line (path, code, message): a line with `kind` is a \
    finding, one with `code` is not.\n\n\
    Exit codes: 0 every document was read, and nothing found but what is allowed; 1 something of severity high or \
    medium is found, or a document could not be read, or there is no documents folder; 3 the allow file is wrong; \
    6 no document was read; 130 interrupted.";

/// Find keys, passwords and personal data inside the documents
#[derive(Debug, clap::Args)]
#[command(
    long_about = long_about(),
    after_help = help_end!(
        "chatbotctl docs scan" => "look before the first sync",
        "chatbotctl docs scan --docs-dir inbox --all" => "another folder, with what is most likely meant to be there",
        "chatbotctl docs scan --format json | jq '.findings[] | {path, place, kind}'" => "for a program"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    #[command(flatten)]
    allow: AllowArgs,
    /// List findings of severity low, too
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    /// All of them, read or not.
    documents: usize,
    unread: usize,
    high: usize,
    medium: usize,
    low: usize,
    allowed: usize,
}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    finding: Finding,
    /// The entry to paste.
    allow: String,
}

#[derive(Debug, Serialize)]
struct Scan {
    docs_dir: String,
    summary: Summary,
    findings: Vec<Shown>,
    expired: Vec<EntryNote>,
    unused: Vec<EntryNote>,
    problems: Vec<Problem>,
    skipped: Vec<Skipped>,
}

/// The table of kinds is the list of them.
fn long_about() -> String {
    let kinds: Vec<&str> = sensitive::kinds().iter().map(|kind| kind.id).collect();
    ABOUT.replace("KINDS", &format!("The kinds: {}.", kinds.join(", ")))
}

type Scanned = Result<Vec<Finding>, Problem>;

/// Runs `docs scan`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let allow = args.allow.load(ctx)?;
    let Some((scanned, listing)) =
        read_all(&settings, ctx, Arc::new(|file: FoundFile, read| examine(&file, read))).await?
    else {
        return Ok(Exit::Interrupted);
    };
    let (found, unread): (Vec<_>, Vec<_>) = scanned.into_iter().partition(Result::is_ok);
    let read = found.len();
    let findings = found.into_iter().filter_map(Result::ok).flatten().collect();
    let unread = unread.into_iter().filter_map(Result::err).collect();
    let judged = allow.judge(findings, today());
    let scan = assemble(docs_dir(&settings).display().to_string(), judged, unread, listing, read);
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&scan, args.all)))?,
        Format::Json => ctx.out.json("docs-scan", &scan)?,
        Format::Jsonl => {
            scan.findings.iter().try_for_each(|finding| ctx.out.json_line(finding))?;
            scan.problems.iter().try_for_each(|problem| ctx.out.json_line(problem))?;
        }
    }
    Ok(exit(&scan))
}

fn examine(file: &FoundFile, read: Read) -> Scanned {
    match read {
        Ok(read) => Ok(finding::find(&file.path, &read.parsed, &Source::new(file, &read))),
        Err(error) => Err(problem(file, &error)),
    }
}

fn assemble(docs_dir: String, judged: Judged, unread: Vec<Problem>, listing: Listing, read: usize) -> Scan {
    let open = |level: Level| judged.open.iter().filter(move |finding| finding.severity == level);
    let count = |level: Level| open(level).map(Finding::values).sum();
    let problems: Vec<Problem> = listing.problems.into_iter().chain(unread).collect();
    let summary = Summary {
        documents: read + problems.len(),
        unread: problems.len(),
        high: count(Level::High),
        medium: count(Level::Medium),
        low: count(Level::Low),
        allowed: judged.allowed,
    };
    let shown = |finding: Finding| Shown { allow: entry_for(&finding), finding };
    Scan {
        docs_dir,
        summary,
        findings: judged.open.into_iter().map(shown).collect(),
        expired: judged.expired,
        unused: judged.unused,
        problems,
        skipped: listing.skipped,
    }
}

/// A document that cannot be read may hold anything: it is never good. Where none was read, nothing is known at all.
fn exit(scan: &Scan) -> Exit {
    let Summary { documents, unread, high, medium, .. } = scan.summary;
    match (high + medium, documents - unread, unread) {
        (0, 0, _) => Exit::NotProven,
        (1.., ..) | (0, _, 1..) => Exit::NotGood,
        (0, _, 0) => Exit::Good,
    }
}

/// `2 documents`, or `1 of 2 documents` where one was not read.
fn scanned(count: usize, unread: usize) -> String {
    if unread == 0 { documents(count) } else { format!("{} of {}", count - unread, documents(count)) }
}

fn human(scan: &Scan, all: bool) -> String {
    let Summary { documents: count, unread, high, medium, low, allowed } = scan.summary;
    let shown = |shown: &&Shown| all || shown.finding.severity > Level::Low;
    let mut text = String::new();
    let mut last = "";
    for Shown { finding, allow } in scan.findings.iter().filter(shown) {
        if finding.path != last {
            let _ = writeln!(text, "{}", finding.path);
            last = &finding.path;
        }
        let place = if finding.place.is_empty() { "the document" } else { &finding.place };
        let Finding { severity, title, excerpt, kind, .. } = finding;
        let _ = writeln!(text, "  {}  {place}: {title} `{excerpt}` ({kind})\n    allow: {allow}", severity.name());
    }
    let counted = |shown: &&Shown| shown.finding.severity > Level::Low;
    let paths: BTreeSet<&str> = scan.findings.iter().filter(counted).map(|shown| shown.finding.path.as_str()).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = write!(text, "{} scanned in `{}`: ", scanned(count, unread), scan.docs_dir);
    let _ = match (count - unread, high + medium) {
        (0, _) if unread > 0 => write!(text, "nothing could be read, so nothing is known"),
        (0, _) => write!(text, "there is nothing to look at"),
        (_, 0) => write!(text, "nothing found"),
        (_, found) => write!(text, "{found} found in {} ({high} high, {medium} medium)", documents(paths.len())),
    };
    for (count, what) in [(low, "most likely meant to be there (--all lists them)"), (allowed, "allowed")] {
        if count > 0 {
            let _ = write!(text, "; {count} {what}");
        }
    }
    if high + medium > 0 {
        let _ = write!(text, "\ntake it out, or paste its entry under `allow:` in {ALLOW_FILE} and say why");
    }
    for (what, notes) in [("no longer counts", &scan.expired), ("is of no use", &scan.unused)] {
        for EntryNote { entry, path, kind, message, .. } in notes {
            let _ = write!(text, "\nallow entry {entry} ({path}, {kind}) {what}: {message}");
        }
    }
    if !scan.problems.is_empty() {
        let _ = write!(text, "\n{unread} not read:\n{}", problem_lines(&scan.problems));
    }
    text
}
