//! `init [DIR]`: a new bot project that runs at once. Nothing that exists is changed.

mod copy;
mod env;
mod import;
mod manifest;
mod told;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueHint;
use serde::Serialize;

use crate::cmd::init::told::Imported;
use crate::cmd::{Ctx, help_end};
use crate::config::template;
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::{Format, clean};

/// Make a new bot project that runs at once
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Make a new bot project that runs at once.\n\n\
        Writes settings, a sample document and a README. A file that exists is kept as it is.\n\n\
        --import takes over a ChatKit knowledge-assistant template: the settings of its env files (backend/.env, \
        .env.local, .env, frontend/.env; KNOWLEDGE_VECTOR_STORE_ID becomes VECTOR_STORE_ID) go into the project's env \
        file, readable by its owner only; the documents of backend/data are copied, nothing is overwritten; its list of \
        documents becomes documents.yaml. Files that its vector store has already are taken over without an upload when \
        their name and size, and for text formats their text, are the document's; `docs sync --to openai` uploads the \
        rest. The plan is shown first, then it asks; --yes answers yes. Run again, it goes on where it ended.\n\n\
        With --format json: schema, dir, created, kept, next, and with --import: import (from, dry_run, env_file, \
        settings (name, from), left (name, from, why), documents (copied, same, kept, skipped, problems), catalogue, \
        notes, store (id, adopted, present, to_upload, unmatched, note)). No value of a setting is ever shown.\n\n\
        Exit codes: 0 done; 1 a document could not be copied; 2 used wrongly, or no template is there; 3 the settings \
        together are not valid, or the env file cannot be written; 4 the template's key is not accepted; 5 the service \
        cannot be reached (--no-adopt does without it); 7 a confirmation is needed; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl init my-bot" => "make the project in a new folder",
        "chatbotctl init" => "add what is missing to the present folder",
        "chatbotctl init my-bot --import ../template --dry-run" => "see what would be taken over from a template",
        "chatbotctl init my-bot --import ../template" => "take it over"
    )
)]
pub struct Args {
    /// Folder of the project, made when absent
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// Take over a ChatKit knowledge-assistant template: its settings, documents and vector store
    #[arg(long, value_name = "TEMPLATE", value_hint = ValueHint::DirPath)]
    import: Option<PathBuf>,
    /// With --import: show what would be done and do nothing
    #[arg(long, requires = "import")]
    dry_run: bool,
    /// With --import: leave the vector store as it is
    #[arg(long, requires = "import")]
    no_adopt: bool,
}

/// A file of the project.
struct Template {
    path: &'static str,
    content: String,
    access: Access,
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Its owner only, since it will hold secrets.
    Owner,
    /// Whoever the system's defaults let.
    Usual,
}

/// What was done.
#[derive(Serialize)]
struct Outcome {
    dir: String,
    created: Vec<String>,
    kept: Vec<String>,
    next: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<Imported>,
}

/// Makes the project.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let dir = args.dir.as_path();
    if dir.exists() && !dir.is_dir() {
        let why = format!("`{}` is a file", dir.display());
        return Err(Failure::new("init/not-a-folder", Exit::Usage, "make a project", why)
            .fix("name a folder, or a path where nothing is"));
    }
    let Some(template) = &args.import else {
        return finish(dir, None, ctx);
    };
    let plan = import::plan(template, dir, args.no_adopt, ctx).await?;
    if args.dry_run {
        let (dir, import) = (dir.display().to_string(), Some(plan.told(true)));
        let outcome = Outcome { dir, created: Vec::new(), kept: Vec::new(), next: Vec::new(), import };
        tell(&outcome, ctx)?;
        return Ok(Exit::Good);
    }
    ctx.out.note(&plan.told(false).human());
    if !ctx.out.confirm("take this over?")? {
        return Err(Failure::new("init/declined", Exit::Undecided, "take over the template", "not confirmed")
            .fix("run it again and answer yes, or add --yes"));
    }
    // The documents first: among them no sample is wanted.
    let copied = plan.copy_documents().await?;
    let made = create(dir)?;
    let imported = Box::pin(plan.finish(copied, ctx)).await?;
    let exit = if imported.documents.problems.is_empty() { Exit::Good } else { Exit::NotGood };
    finish_with(dir, made, Some(imported), ctx)?;
    Ok(exit)
}

/// Makes the project and tells it.
fn finish(dir: &Path, import: Option<Imported>, ctx: &Ctx) -> Result<Exit, Failure> {
    finish_with(dir, create(dir)?, import, ctx)?;
    Ok(Exit::Good)
}

fn finish_with(dir: &Path, made: Outcome, import: Option<Imported>, ctx: &Ctx) -> Result<(), Failure> {
    let next = import.as_ref().map_or_else(|| made.next.clone(), |import| next_steps(dir, &steps_after(import)));
    let outcome = Outcome { next, import, ..made };
    if outcome.kept.iter().any(|path| path == ".gitignore") && !ignores_env(dir) {
        ctx.out.warn("`.gitignore` was kept and does not name `.env`; add it, secrets live there");
    }
    tell(&outcome, ctx)
}

fn tell(outcome: &Outcome, ctx: &Ctx) -> Result<(), Failure> {
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&render(outcome))),
        Format::Json => ctx.out.json("init", outcome),
        Format::Jsonl => ctx.out.json_line(outcome),
    }
}

/// The files of a project, the document last.
fn templates() -> Vec<Template> {
    let usual = |path, content: &str| Template { path, content: content.to_owned(), access: Access::Usual };
    vec![
        usual("chatbotctl.yaml", include_str!("../../templates/init/chatbotctl.yaml")),
        Template { path: ".env", content: template::render_env(), access: Access::Owner },
        usual(".gitignore", include_str!("../../templates/init/gitignore")),
        usual("README.md", include_str!("../../templates/init/README.md")),
        usual("data/welcome.md", include_str!("../../templates/init/data/welcome.md")),
    ]
}

/// Writes what is missing.
fn create(dir: &Path) -> Result<Outcome, Failure> {
    let failed = |path: &Path, error: io::Error| {
        let what = format!("write `{}`", path.display());
        Failure::new("init/unwritable", Exit::Usage, what, error.to_string())
            .fix("name a folder that can be written")
            .cause(error)
    };
    fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    let mut outcome = Outcome {
        dir: dir.display().to_string(),
        created: Vec::new(),
        kept: Vec::new(),
        next: next_steps(dir, &["chatbotctl serve", "chatbotctl ask \"How do I add my own documents?\""]),
        import: None,
    };
    let has_documents = !is_empty(&dir.join("data"));
    for template in templates() {
        let path = dir.join(template.path);
        // A sample among somebody's own documents would be answered from like any of them.
        let is_unwanted = template.path.starts_with("data/") && has_documents && !path.exists();
        match !is_unwanted && write_new(&path, &template).map_err(|error| failed(&path, error))? {
            true => outcome.created.push(template.path.to_owned()),
            false if is_unwanted => outcome.kept.push("data/".to_owned()),
            false => outcome.kept.push(template.path.to_owned()),
        }
    }
    Ok(outcome)
}

/// Writes a file unless something is there. Says whether it did.
fn write_new(path: &Path, template: &Template) -> io::Result<bool> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if template.access == Access::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    match options.open(path) {
        Ok(mut file) => file.write_all(template.content.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a folder is absent or has nothing in it.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Whether the present `.gitignore` has a line for `.env`.
fn ignores_env(dir: &Path) -> bool {
    let text = fs::read_to_string(dir.join(".gitignore")).unwrap_or_default();
    text.lines().any(|line| matches!(line.trim().trim_start_matches('/'), ".env" | ".env*" | "*.env"))
}

fn next_steps(dir: &Path, steps: &[&str]) -> Vec<String> {
    let enter = (dir != Path::new(".")).then(|| format!("cd {}", shell_word(&dir.display().to_string())));
    enter.into_iter().chain(steps.iter().map(|&step| step.to_owned())).collect()
}

/// What is left to do after an import: to bring up what the store lacks, and to see that it has everything.
fn steps_after(imported: &Imported) -> Vec<&'static str> {
    let store = &imported.store;
    let uploads = (!store.to_upload.is_empty()).then_some("chatbotctl docs sync --to openai");
    let verifies = store.id.is_some().then_some("chatbotctl docs verify");
    uploads.into_iter().chain(verifies).chain(["chatbotctl serve"]).collect()
}

/// A path as one word of a shell.
fn shell_word(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./~+,".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

fn render(outcome: &Outcome) -> String {
    let created = outcome.created.iter().map(|path| format!("created {path}"));
    let kept = outcome.kept.iter().map(|path| format!("kept    {path}"));
    let next = outcome.next.iter().map(|step| format!("  {step}"));
    let import = outcome.import.iter().map(Imported::human);
    let head = if outcome.next.is_empty() { Vec::new() } else { vec![String::new(), "Next:".to_owned()] };
    created.chain(kept).chain(import).chain(head).chain(next).collect::<Vec<_>>().join("\n")
}
