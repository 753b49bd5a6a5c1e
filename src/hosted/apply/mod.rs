//! Carries out a plan.
//!
//! Invariant: whatever moment it ends in, the next run finds by looking what is left to do. A version that can be found
//! is let go only when its successor can be found; an upload is asked for again only when no file has its name.

mod attach;
mod clear;
mod flight;
mod trouble;
mod upload;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::docs::reader::Reader;
use crate::error::Problem;
use crate::event::{Event, Observer};
use crate::hosted::apply::clear::Gone;
use crate::hosted::apply::flight::{Flight, Outcome};
use crate::hosted::apply::trouble::Trouble;
use crate::hosted::apply::upload::UploadError;
use crate::hosted::folder::{Folder, Wanted};
use crate::hosted::name::Name;
use crate::hosted::plan::{Change, Plan};
use crate::hosted::service::Service;
use crate::hosted::{HostedError, SyncReport, Timing, plan};
use crate::openai::vector_store::{Attachment, MAX_BATCH};

/// Uploads under way at the most; the client lets through as many as the service bears.
const UPLOADS_AT_ONCE: usize = 32;
/// Small calls under way at the most.
const CALLS_AT_ONCE: usize = 8;

/// What a plan is carried out with.
pub struct Apply<'a> {
    /// The store.
    pub service: &'a Service,
    /// Reads documents that go up as an extraction.
    pub reader: &'a dyn Reader,
    /// The documents folder.
    pub docs_dir: &'a Path,
    /// Told about every step.
    pub observer: &'a dyn Observer,
    /// How long is waited for what.
    pub timing: Timing,
    /// Uploads that may have been done twice, and the file that is kept of each.
    doubtful: Mutex<BTreeMap<Name, String>>,
}

/// A document that is to be found afterwards.
#[derive(Debug, Clone, Copy)]
struct Task<'a> {
    change: &'a Change,
    wanted: &'a Wanted,
    /// Whether it was attached a second time already.
    again: bool,
}

impl Task<'_> {
    fn attachment(self, file_id: &str) -> Attachment {
        let attributes = self.wanted.attributes.clone();
        Attachment { file_id: file_id.to_owned(), attributes, chunking_strategy: None }
    }
}

impl<'a> Apply<'a> {
    /// What a plan is carried out with.
    pub fn new(
        service: &'a Service,
        reader: &'a dyn Reader,
        docs_dir: &'a Path,
        observer: &'a dyn Observer,
        timing: Timing,
    ) -> Self {
        Self { service, reader, docs_dir, observer, timing, doubtful: Mutex::default() }
    }

    /// Carries out the plan. The future may be dropped at any moment; `report` tells what was done until then.
    pub async fn run(&self, plan: &Plan, folder: &Folder, report: &mut SyncReport) -> Result<(), HostedError> {
        let mut trouble = Trouble::default();
        self.clear(plan, report, &mut trouble).await?;
        self.relabel(plan, report, &mut trouble).await?;
        let bringing =
            Bringing { apply: self, trouble, report, flights: Vec::new(), pending: Vec::new(), gone: Vec::new() };
        bringing.run(plan, folder).await?;
        let doubtful = std::mem::take(&mut *self.doubtful.lock().unwrap_or_else(PoisonError::into_inner));
        self.sweep(&doubtful).await
    }

    fn problem(&self, report: &mut SyncReport, problem: Problem) {
        self.observer.observe(Event::Problem(problem.clone()));
        report.problems.push(problem);
    }
}

type Uploaded<'a> = (Task<'a>, Result<String, UploadError>);

/// Bringing documents in: uploads go on while others are attached, and while others are being indexed.
struct Bringing<'a, 'r> {
    apply: &'a Apply<'a>,
    trouble: Trouble,
    report: &'r mut SyncReport,
    flights: Vec<Flight<'a>>,
    /// Uploaded and not yet attached.
    pending: Vec<(String, Task<'a>)>,
    /// What is to be let go now.
    gone: Vec<Gone>,
}

impl<'a> Bringing<'a, '_> {
    async fn run(mut self, plan: &'a Plan, folder: &'a Folder) -> Result<(), HostedError> {
        let apply = self.apply;
        let wanted: HashMap<&str, &Wanted> =
            folder.wanted.iter().map(|wanted| (wanted.document_id.as_str(), wanted)).collect();
        let tasks = |list: &'a [Change]| -> Vec<Task<'a>> {
            let task = |change: &'a Change| {
                let wanted = wanted.get(change.document_id.as_str())?;
                Some(Task { change, wanted, again: false })
            };
            list.iter().filter_map(task).collect()
        };
        self.resume(tasks(&plan.resume)).await?;
        self.retry(tasks(&plan.retry)).await?;
        let uploads: Vec<Task<'a>> = tasks(&plan.add).into_iter().chain(tasks(&plan.replace)).collect();
        if !uploads.is_empty() {
            apply.observer.observe(Event::Started { task: "uploading", total: Some(uploads.len() as u64) });
            let bytes = uploads.iter().map(|task| task.change.upload_bytes).sum();
            apply.observer.observe(Event::Sized { bytes });
        }
        // Room for all of them: uploads never wait for whoever takes their results, and go on while that waits.
        let (sender, receiver) = mpsc::channel(uploads.len().max(1));
        let uploading = async move {
            let uploads = uploads.into_iter().map(|task| async move { (task, apply.upload(task).await) });
            let mut uploads = futures_util::stream::iter(uploads).buffer_unordered(UPLOADS_AT_ONCE);
            while let Some(done) = uploads.next().await {
                if sender.send(done).await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        tokio::try_join!(uploading, self.take_in(receiver))?;
        apply.observer.observe(Event::Finished);
        Ok(())
    }

    /// Attaches what is uploaded, and waits until it can be found.
    async fn take_in(&mut self, mut uploaded: mpsc::Receiver<Uploaded<'a>>) -> Result<(), HostedError> {
        let timing = self.apply.timing;
        let mut uploading = true;
        let mut pause = timing.first_poll;
        let mut poll_at = Instant::now() + pause;
        let mut flush_at = Instant::now() + timing.flush_after;
        while uploading || !self.pending.is_empty() || !self.flights.is_empty() {
            let is_due = !uploading || self.pending.len() >= MAX_BATCH || Instant::now() >= flush_at;
            if is_due && !self.pending.is_empty() {
                self.attach().await?;
                pause = timing.first_poll;
                poll_at = Instant::now() + pause;
                flush_at = Instant::now() + timing.flush_after;
                continue;
            }
            tokio::select! {
                done = uploaded.recv(), if uploading => {
                    if let Some((task, outcome)) = done {
                        self.uploaded(task, outcome)?;
                    } else {
                        uploading = false;
                        self.wait_for_index();
                    }
                }
                () = sleep_until(poll_at), if !self.flights.is_empty() => {
                    let progressed = self.poll().await?;
                    self.let_go().await?;
                    pause = if progressed { timing.first_poll } else { longer(pause, timing.longest_poll) };
                    poll_at = Instant::now() + pause;
                }
            }
        }
        self.let_go().await
    }

    /// What an earlier run left in the making is waited for like the rest.
    async fn resume(&mut self, tasks: Vec<Task<'a>>) -> Result<(), HostedError> {
        let mut files = Vec::new();
        for task in tasks {
            let Some(file_id) = task.change.file_id.clone() else { continue };
            if let Some(attributes) = &task.change.attributes {
                let set = self.apply.service.set_attributes(&file_id, attributes).await;
                if let Err(error) = set {
                    self.failed_call(task, error)?;
                    continue;
                }
            }
            files.push((file_id, task));
        }
        self.flights.extend(Flight::of(None, files));
        Ok(())
    }

    /// Takes out what could not be indexed, to attach it once more.
    async fn retry(&mut self, tasks: Vec<Task<'a>>) -> Result<(), HostedError> {
        for task in tasks {
            let Some(file_id) = task.change.file_id.clone() else { continue };
            match self.apply.service.detach(&file_id).await {
                Ok(()) => self.pending.push((file_id, task)),
                Err(error) => self.failed_call(task, error)?,
            }
        }
        Ok(())
    }

    fn uploaded(&mut self, task: Task<'a>, outcome: Result<String, UploadError>) -> Result<(), HostedError> {
        let apply = self.apply;
        let (path, bytes) = (&task.change.path, task.change.upload_bytes);
        apply.observer.observe(Event::Advanced { item: path.clone(), bytes });
        match outcome {
            Ok(file_id) => {
                self.trouble.over();
                self.report.uploaded_bytes += bytes;
                self.pending.push((file_id, task));
            }
            Err(UploadError::Document(problem)) => apply.problem(self.report, problem),
            Err(UploadError::Call(error)) => self.failed_call(task, error)?,
            Err(UploadError::Task(error)) => return Err(error.into()),
        }
        Ok(())
    }

    fn failed_call(&mut self, task: Task<'a>, error: crate::openai::OpenAiError) -> Result<(), HostedError> {
        let problem = self.trouble.with(&task.change.path, error)?;
        self.apply.problem(self.report, problem);
        Ok(())
    }

    fn wait_for_index(&self) {
        let waiting: usize = self.pending.len() + self.flights.iter().map(Flight::len).sum::<usize>();
        if waiting > 0 {
            let total = Some(waiting as u64);
            self.apply.observer.observe(Event::Started { task: "waiting until they can be found", total });
        }
    }

    async fn attach(&mut self) -> Result<(), HostedError> {
        while !self.pending.is_empty() {
            let rest = self.pending.split_off(self.pending.len().min(MAX_BATCH));
            let files = std::mem::replace(&mut self.pending, rest);
            let attached = self.apply.attach(files).await?;
            self.flights.extend(attached.flights);
            for (task, error) in attached.failed {
                self.failed_call(task, error)?;
            }
        }
        Ok(())
    }

    /// Looks at what is being indexed; says whether something came of it.
    async fn poll(&mut self) -> Result<bool, HostedError> {
        let mut flights = std::mem::take(&mut self.flights);
        let mut progressed = false;
        for flight in &mut flights {
            for (file_id, task, outcome) in self.apply.poll(flight).await? {
                progressed = true;
                self.settled(&file_id, task, outcome)?;
            }
        }
        flights.retain(|flight| flight.len() > 0);
        self.flights = flights;
        Ok(progressed)
    }

    fn settled(&mut self, file_id: &str, task: Task<'a>, outcome: Outcome) -> Result<(), HostedError> {
        let apply = self.apply;
        let change = task.change;
        apply.observer.observe(Event::Advanced { item: change.path.clone(), bytes: 0 });
        let earlier = change.earlier.iter().filter(|earlier| earlier.file_id != file_id);
        match outcome {
            Outcome::Searchable => {
                self.trouble.over();
                let is_update = change.earlier.iter().any(|earlier| earlier.is_searchable);
                let count = if is_update { &mut self.report.updated } else { &mut self.report.added };
                *count += 1;
                self.gone.extend(earlier.map(|earlier| Gone::attached(&change.path, &earlier.file_id)));
            }
            Outcome::Failed(error) => {
                // The newest good version stays, and this one as the record of its failure.
                let newest_good = change.earlier.iter().position(|earlier| earlier.is_searchable);
                apply.problem(self.report, plan::told(&change.path, error.as_ref(), newest_good.is_some()));
                let rest = change.earlier.iter().enumerate().filter(|(at, _)| Some(*at) != newest_good);
                let rest = rest.filter(|(_, earlier)| earlier.file_id != file_id);
                self.gone.extend(rest.map(|(_, earlier)| Gone::attached(&change.path, &earlier.file_id)));
            }
            Outcome::Stuck => {
                let message = "the service does not finish indexing it, also after it was attached again; the next \
                               sync waits for it once more";
                apply.problem(self.report, Problem::new(&change.path, "openai/stuck", message));
            }
            Outcome::Vanished => {
                let message = "it is not in the vector store any more though it was attached; the next sync uploads it";
                apply.problem(self.report, Problem::new(&change.path, "openai/vanished", message));
            }
            Outcome::Call(error) => self.failed_call(task, error)?,
        }
        Ok(())
    }

    async fn let_go(&mut self) -> Result<(), HostedError> {
        let gone = std::mem::take(&mut self.gone);
        self.apply.let_go(gone, self.report, &mut self.trouble).await.map(drop)
    }
}

fn longer(pause: Duration, longest: Duration) -> Duration {
    (pause + pause / 2).min(longest)
}
