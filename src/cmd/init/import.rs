//! `init --import`: takes over a ChatKit knowledge-assistant template. First a plan, which only reads; then its parts.
//!
//! Invariant: nothing of the template is changed, nothing of the project overwritten, and each part can be done again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use crate::app;
use crate::clock::{IdSource as _, RandomIds, SystemClock};
use crate::cmd::docs::hosted::{FIRST_WAIT, failure as hosted_failure};
use crate::cmd::init::copy::{self, Presence};
use crate::cmd::init::env::{self, Left};
use crate::cmd::init::manifest;
use crate::cmd::init::told::{Documents, Imported, Set, Store};
use crate::cmd::{Ctx, env_file_name, settings_failure};
use crate::config::dotenv::{self, EnvFile};
use crate::config::{self, Flags, Inputs, Settings, envfile};
use crate::docs::catalogue::CATALOGUE_FILE;
use crate::docs::walk::{self, FoundFile, Listing};
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::hosted::adopt::{self, Found, Local, Match, Taking};
use crate::hosted::folder::Folder;
use crate::hosted::lease::Holder;
use crate::hosted::render;
use crate::hosted::{Service, Timing};
use crate::ingest::{self, Folders, Looking};
use crate::openai::vector_store::Attributes;
use crate::openai::{Client, ErrorKind, OpenAiError};

const WHAT: &str = "take over the template";
/// Where a template keeps its settings, the strongest first.
const ENV_FILES: [&str; 5] = ["backend/.env", ".env.local", ".env", "frontend/.env.local", "frontend/.env"];
/// Where it keeps its documents.
const DATA_FOLDERS: [&str; 2] = ["backend/data", "data"];
/// Where it keeps the list of them.
const MANIFESTS: [&str; 3] = ["backend/app/documents.py", "app/documents.py", "backend/documents.py"];
/// The setting that names the store.
const STORE: &str = "VECTOR_STORE_ID";

/// A document of the template and how it stands to the project's folder.
#[derive(Debug, Clone)]
struct Source {
    file: FoundFile,
    target: PathBuf,
    presence: Presence,
}

/// What is to be done.
pub(super) struct Plan {
    from: PathBuf,
    dir: PathBuf,
    env_file: String,
    env: env::Settings,
    folders: Folders,
    sources: Vec<Source>,
    listing: Listing,
    catalogue: Option<String>,
    notes: Vec<String>,
    store: Option<(Service, Found)>,
    store_note: Option<String>,
}

/// Looks at a template, a project and a vector store, and decides. `no_adopt` leaves the store alone.
pub(super) async fn plan(from: &Path, dir: &Path, no_adopt: bool, ctx: &Ctx) -> Result<Plan, Failure> {
    let (from, dir) = (ctx.folder().join(from), ctx.folder().join(dir));
    // People read it: without the way there by `..`.
    let from = fs::canonicalize(&from).unwrap_or(from);
    let (env_file, mut env) = read_settings(&from, &dir, ctx)?;
    let settings = resolved(&env, &dir, ctx)?;
    let paths = &settings.paths;
    let folders = Folders { docs_dir: dir.join(&paths.docs_dir), state_dir: dir.join(&paths.state_dir) };
    let look = (from.clone(), folders.docs_dir.clone());
    let (sources, listing, list) = spawn_blocking(move || read_documents(&look.0, &look.1)).await.map_err(ended)??;
    if env.taken.is_empty() && env.left.is_empty() && sources.is_empty() {
        let why = format!("`{}` holds neither settings nor documents of such a template", from.display());
        return Err(Failure::new("init/no-template", Exit::Usage, WHAT, why)
            .fix("name the folder that holds the template's `backend` folder"));
    }
    let paths: Vec<&str> = sources.iter().map(|source| source.file.path.as_str()).collect();
    let (mut catalogue, mut notes) = manifest::render(&manifest::parse(&list), &paths);
    if catalogue.is_some() && folders.docs_dir.join(CATALOGUE_FILE).exists() {
        catalogue = None;
        notes.push(format!("{CATALOGUE_FILE} is there already and stays; the template's list was not taken over"));
    }
    let (store, store_note) = if no_adopt {
        (None, Some("left as it is (--no-adopt)".to_owned()))
    } else {
        look_at_store(&settings, &sources, &mut env, ctx).await?
    };
    Ok(Plan { from, dir, env_file, env, folders, sources, listing, catalogue, notes, store, store_note })
}

fn ended(error: tokio::task::JoinError) -> Failure {
    Failure::new("init/bug", Exit::Bug, WHAT, error.to_string()).cause(error)
}

/// The name of the project's env file, and what becomes of the template's variables.
fn read_settings(from: &Path, dir: &Path, ctx: &Ctx) -> Result<(String, env::Settings), Failure> {
    let mut files = Vec::new();
    for name in ENV_FILES {
        if let Some(file) = read_env(&from.join(name))? {
            files.push((name.to_owned(), file));
        }
    }
    let resolution = config::resolve(&inputs(dir, ctx), &Flags::new());
    let env_file = resolution.env_file.unwrap_or_else(|| env_file_name(&resolution.profile));
    let project = read_env(&dir.join(&env_file))?.unwrap_or_default();
    let env = env::plan(&files, &project, dir);
    Ok((env_file, env))
}

fn inputs(dir: &Path, ctx: &Ctx) -> Inputs {
    Inputs { folder: dir.to_owned(), ..(*ctx.inputs()).clone() }
}

/// The settings of the project as they will be.
fn resolved(env: &env::Settings, dir: &Path, ctx: &Ctx) -> Result<Settings, Failure> {
    let mut inputs = inputs(dir, ctx);
    for taken in &env.taken {
        inputs.environment.entry(taken.key.name.into()).or_insert_with(|| taken.value.expose().into());
    }
    // Who writes answers does not matter here.
    let flags = Flags::from([("MODEL_BACKEND", "extractive".to_owned())]);
    let resolution = config::resolve(&inputs, &flags);
    resolution.settings.ok_or_else(|| settings_failure(&resolution.profile, &resolution.problems))
}

fn read_env(path: &Path) -> Result<Option<EnvFile>, Failure> {
    let bytes = read_bounded(path, dotenv::MAX_BYTES).map_err(|error| unreadable(path, &error))?;
    Ok(bytes.map(|bytes| dotenv::parse_bytes(&bytes)))
}

/// The bytes of a file; none when there is no such file.
fn read_bounded(path: &Path, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!("it has more than {} KiB", max_bytes / 1024)));
    }
    Ok(Some(bytes))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new("init/unreadable", Exit::Usage, format!("read `{}`", path.display()), error.to_string())
        .fix("let this user read the template")
}

/// The documents, how they stand to the project's folder, and the text of the template's list.
fn read_documents(from: &Path, docs_dir: &Path) -> Result<(Vec<Source>, Listing, String), Failure> {
    let mut listing = match DATA_FOLDERS.iter().map(|name| from.join(name)).find(|folder| folder.is_dir()) {
        Some(folder) => walk::walk(&folder).map_err(|error| {
            Failure::new("init/unreadable", Exit::Usage, WHAT, error.to_string()).fix("let this user read the template")
        })?,
        None => Listing::default(),
    };
    let mut sources = Vec::new();
    for file in std::mem::take(&mut listing.files) {
        let target = docs_dir.join(&file.path);
        match copy::presence(&file, &target) {
            Ok(presence) => sources.push(Source { file, target, presence }),
            Err(error) => listing.problems.push(Problem::new(file.path, "document/unreadable", error.to_string())),
        }
    }
    let list = MANIFESTS.iter().find_map(|name| read_bounded(&from.join(name), manifest::MAX_BYTES).ok().flatten());
    Ok((sources, listing, String::from_utf8_lossy(&list.unwrap_or_default()).into_owned()))
}

/// What the store has already of the documents, or why nothing can be taken over.
async fn look_at_store(
    settings: &Settings,
    sources: &[Source],
    env: &mut env::Settings,
    ctx: &Ctx,
) -> Result<(Option<(Service, Found)>, Option<String>), Failure> {
    let Some(id) = settings.vector_store_id.clone() else {
        return Ok((None, Some("the template names none".to_owned())));
    };
    let Ok(client) = app::hosted::client(settings) else {
        return Ok((None, Some("there is no key to look at it with".to_owned())));
    };
    let locals: Vec<Local> =
        sources.iter().filter(|source| source.presence != Presence::Other).map(Source::local).collect();
    let looking = look(&client, &id, &locals);
    let looked = ctx.stop.run_until_cancelled(looking).await;
    let looked =
        looked.ok_or_else(|| Failure::new("input/interrupted", Exit::Interrupted, WHAT, "it was interrupted"))?;
    match looked {
        Ok(Some(found)) => Ok((Some((Service::new(client, &id, FIRST_WAIT), found)), None)),
        Ok(None) => {
            let why = "the vector store is gone or has expired";
            drop_store(env, why);
            Ok((None, Some(format!("`{id}`: {why}; make another: chatbotctl vector-store create NAME --use"))))
        }
        Err(error) => {
            let failure = app::hosted::failure(format!("look at the vector store `{id}`"), error);
            let fix = failure.fix.clone().unwrap_or_default();
            Err(failure.fix(format!("{fix}; or do without the store for now: --no-adopt")))
        }
    }
}

/// What the store has of the documents; none when it cannot be used.
async fn look(client: &Client, id: &str, locals: &[Local]) -> Result<Option<Found>, OpenAiError> {
    match client.store(id).await {
        Ok(store) if store.status == "expired" => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    adopt::find(client, id, locals).await.map(Some)
}

/// The id of a store that answers nothing is no setting to take over.
fn drop_store(env: &mut env::Settings, why: &str) {
    let (stores, taken) = std::mem::take(&mut env.taken).into_iter().partition(|taken| taken.key.name == STORE);
    env.taken = taken;
    let stores: Vec<env::Taken> = stores;
    let left = |store: env::Taken| Left { name: STORE.to_owned(), from: store.from, why: why.to_owned() };
    env.left.extend(stores.into_iter().map(left));
}

impl Source {
    fn local(&self) -> Local {
        Local { path: self.file.path.clone(), absolute: self.file.absolute.clone(), bytes: self.file.bytes }
    }
}

impl Plan {
    /// The plan, told.
    pub(super) fn told(&self, dry_run: bool) -> Imported {
        let paths = |presence: Presence| -> Vec<String> {
            let is_it = |source: &&Source| source.presence == presence;
            self.sources.iter().filter(is_it).map(|source| source.file.path.clone()).collect()
        };
        let mut store = match &self.store {
            Some((service, found)) => Store::of(service.store_id(), found),
            None => Store::default(),
        };
        store.note.clone_from(&self.store_note);
        Imported {
            from: self.from.display().to_string(),
            dry_run,
            is_done: false,
            env_file: self.env_file.clone(),
            settings: self
                .env
                .taken
                .iter()
                .map(|taken| Set { name: taken.key.name, from: taken.from.clone() })
                .collect(),
            left: self.env.left.clone(),
            documents: Documents {
                copied: paths(Presence::Absent),
                same: paths(Presence::Same),
                kept: paths(Presence::Other),
                skipped: self.listing.skipped.clone(),
                problems: self.listing.problems.clone(),
            },
            catalogue: self.catalogue.is_some(),
            notes: self.notes.clone(),
            store,
        }
    }

    /// Copies the documents that are not there, and gives the problems that came up.
    pub(super) async fn copy_documents(&self) -> Result<Vec<Problem>, Failure> {
        let absent: Vec<Source> =
            self.sources.iter().filter(|source| source.presence == Presence::Absent).cloned().collect();
        let copy_all = move || {
            let copied = |source: Source| {
                let outcome = copy::copy(&source.file, &source.target);
                outcome.err().map(|error| Problem::new(source.file.path, "document/not-copied", error.to_string()))
            };
            absent.into_iter().filter_map(copied).collect()
        };
        spawn_blocking(copy_all).await.map_err(ended)
    }

    /// Does the rest: the catalogue, the settings, the vector store.
    pub(super) async fn finish(&self, problems: Vec<Problem>, ctx: &Ctx) -> Result<Imported, Failure> {
        if let Some(text) = &self.catalogue {
            write_new(&self.folders.docs_dir.join(CATALOGUE_FILE), text)?;
        }
        for taken in &self.env.taken {
            self.write_setting(taken)?;
        }
        let mut imported = Imported { is_done: true, ..self.told(false) };
        imported.documents.copied.retain(|path| problems.iter().all(|problem| problem.path != *path));
        imported.documents.problems.extend(problems);
        if let Some((service, found)) = &self.store {
            let taken = Box::pin(self.take_over(service, &found.matches, ctx)).await?;
            imported.store.adopted.retain(|adopted| taken.contains(&adopted.file_id));
        }
        Ok(imported)
    }

    fn write_setting(&self, taken: &env::Taken) -> Result<(), Failure> {
        let name = taken.key.name;
        let path = self.dir.join(&self.env_file);
        envfile::write_value(&path, name, taken.value.expose()).map_err(|error| {
            let what = format!("write {name} into `{}`", self.env_file);
            Failure::new("init/env-file", Exit::Settings, what, error.to_string())
                .fix("let this user write the file, then run it again")
        })
    }

    /// Gives the matched files their documents' attributes, and says which files have them.
    async fn take_over(&self, service: &Service, matches: &[Match], ctx: &Ctx) -> Result<Vec<String>, Failure> {
        if matches.is_empty() {
            return Ok(Vec::new());
        }
        let files = self.attributes(matches, ctx).await?;
        let (state_dir, new) = (self.folders.state_dir.clone(), RandomIds.new_id("sync"));
        let holder = spawn_blocking(move || Holder::of(&state_dir, new)).await.map_err(ended)?;
        let taking = Taking { service, holder: &holder, clock: &SystemClock, settle: Timing::default().settle };
        let taken = ctx.stop.run_until_cancelled(Box::pin(adopt::take_over(taking, &files))).await;
        let interrupted = || {
            let why = "it was interrupted; run it again to finish";
            Failure::new("input/interrupted", Exit::Interrupted, WHAT, why)
        };
        let gone = taken
            .ok_or_else(interrupted)?
            .map_err(|error| Failure { what: WHAT.to_owned(), ..hosted_failure(error) })?;
        Ok(files.into_iter().map(|(file_id, _)| file_id).filter(|file_id| !gone.contains(file_id)).collect())
    }

    /// What is to be attached to each matched file: as a sync of the project's folder would have it.
    async fn attributes(&self, matches: &[Match], ctx: &Ctx) -> Result<Vec<(String, Attributes)>, Failure> {
        let progress = ctx.out.progress();
        let looking = Looking {
            observer: &progress,
            clock: &SystemClock,
            stop: &ctx.stop,
            checksum: true,
            retry_failed: true,
            max_bytes: render::max_bytes,
        };
        let scan = ingest::scan(&self.folders, &[], looking).await?;
        let folder = Folder::of(scan);
        let files: Vec<FoundFile> = self.sources.iter().map(|source| source.file.clone()).collect();
        let hash = move || -> HashMap<String, String> {
            let hashed = |file: FoundFile| Some((walk::hash_file(&file.absolute, &file.path).ok()?, file.path));
            files.into_iter().filter_map(hashed).map(|(hash, path)| (path, hash)).collect()
        };
        let hashes = spawn_blocking(hash).await.map_err(ended)?;
        // What was compared were the template's bytes; a document that is another one by now is none of them.
        let attributes = |found: &Match| {
            let wanted = folder.wanted.iter().find(|wanted| wanted.file.path == found.path)?;
            let is_it = hashes.get(&found.path) == Some(&wanted.sha256);
            is_it.then(|| (found.file_id.clone(), wanted.attributes.clone()))
        };
        Ok(matches.iter().filter_map(attributes).collect())
    }
}

/// Writes a file unless something is there.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let opened = fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| File::options().write(true).create_new(true).open(path));
    let written = match opened {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    written.map_err(|error| {
        Failure::new("init/unwritable", Exit::Usage, format!("write `{}`", path.display()), error.to_string())
            .fix("name a folder that can be written")
    })
}
