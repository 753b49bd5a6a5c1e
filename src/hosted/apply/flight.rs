//! Files that are being indexed, and how it is learnt what comes of them with few calls.
//!
//! A batch is asked as a whole until it ends, and only its failures are listed. What has no batch (its answer was lost,
//! it was left by an earlier run, it was stuck) is looked at file by file, or with one walk through the store's list.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::hosted::HostedError;
use crate::hosted::apply::{Apply, Task};
use crate::openai::OpenAiError;
use crate::openai::vector_store::{FileCounts, FileError, FileStatus, StoreFile};

/// Up to so many files are asked for one by one; for more the list is cheaper.
const FEW: usize = 20;

/// What came of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It can be found.
    Searchable,
    /// The service could not index it.
    Failed(Option<FileError>),
    /// It is still in the making, long after it was attached a second time.
    Stuck,
    /// It is not in the store any more.
    Vanished,
    /// It could not be attached a second time.
    Call(OpenAiError),
}

/// Files that were attached together.
#[derive(Debug)]
pub(super) struct Flight<'a> {
    /// The batch; none when they are looked at one by one.
    batch_id: Option<String>,
    tasks: BTreeMap<String, Task<'a>>,
    counts: FileCounts,
    /// When something was last seen to move.
    moved_at: Instant,
}

type Settled<'a> = Vec<(String, Task<'a>, Outcome)>;

impl<'a> Flight<'a> {
    /// Files under way; none when there are none.
    pub(super) fn of(batch_id: Option<String>, files: Vec<(String, Task<'a>)>) -> Option<Self> {
        let tasks: BTreeMap<String, Task<'a>> = files.into_iter().collect();
        let moved_at = Instant::now();
        (!tasks.is_empty()).then(|| Self { batch_id, tasks, counts: FileCounts::default(), moved_at })
    }

    /// How many files are under way.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    fn settle(&mut self, file_id: &str, outcome: Outcome, settled: &mut Settled<'a>) {
        if let Some(task) = self.tasks.remove(file_id) {
            self.moved_at = Instant::now();
            settled.push((file_id.to_owned(), task, outcome));
        }
    }
}

impl Apply<'_> {
    /// What came of the files of a flight since the last look. They leave it.
    pub(super) async fn poll<'t>(&self, flight: &mut Flight<'t>) -> Result<Settled<'t>, HostedError> {
        match flight.batch_id.clone() {
            Some(batch_id) => self.poll_batch(flight, &batch_id).await,
            None => self.poll_files(flight).await,
        }
    }

    async fn poll_batch<'t>(&self, flight: &mut Flight<'t>, batch_id: &str) -> Result<Settled<'t>, HostedError> {
        let Some(batch) = self.service.batch(batch_id).await? else {
            flight.batch_id = None;
            return Ok(Vec::new());
        };
        let counts = batch.file_counts;
        if counts != flight.counts {
            flight.counts = counts;
            flight.moved_at = Instant::now();
        }
        let all = flight.len() as u64;
        let is_over = batch.status != FileStatus::InProgress && batch.status != FileStatus::Unknown;
        if !is_over && (counts.in_progress > 0 || counts.total < all) {
            if flight.moved_at.elapsed() >= self.timing.stuck_after {
                // From now on each is looked at for itself: the stuck ones get another try, the others are done.
                flight.batch_id = None;
                return self.poll_files(flight).await;
            }
            return Ok(Vec::new());
        }
        let mut settled = Vec::new();
        if counts.completed < all {
            let mut ended = self.service.batch_files(batch_id, FileStatus::Failed).await?;
            ended.extend(self.service.batch_files(batch_id, FileStatus::Cancelled).await?);
            for file in ended {
                flight.settle(&file.id, Outcome::Failed(file.last_error), &mut settled);
            }
            if counts.completed < flight.len() as u64 {
                // The counts do not add up.
                flight.batch_id = None;
                settled.extend(self.poll_files(flight).await?);
                return Ok(settled);
            }
        }
        for (file_id, task) in std::mem::take(&mut flight.tasks) {
            settled.push((file_id, task, Outcome::Searchable));
        }
        Ok(settled)
    }

    async fn poll_files<'t>(&self, flight: &mut Flight<'t>) -> Result<Settled<'t>, HostedError> {
        let found = self.look_at(flight).await?;
        let mut settled = Vec::new();
        let is_late = flight.moved_at.elapsed() >= self.timing.stuck_after;
        let files: Vec<(String, Task<'t>)> = flight.tasks.iter().map(|(id, task)| (id.clone(), *task)).collect();
        for (file_id, task) in files {
            let outcome = match found.get(&file_id) {
                Some(file) if file.status == FileStatus::Completed => Outcome::Searchable,
                Some(file) if matches!(file.status, FileStatus::Failed | FileStatus::Cancelled) => {
                    Outcome::Failed(file.last_error.clone())
                }
                Some(_) if !is_late => continue,
                Some(_) if task.again => Outcome::Stuck,
                None if task.again => Outcome::Vanished,
                present => match self.once_more(&file_id, task, present.is_some()).await {
                    Ok(()) => {
                        if let Some(task) = flight.tasks.get_mut(&file_id) {
                            task.again = true;
                        }
                        flight.moved_at = Instant::now();
                        continue;
                    }
                    Err(error) => Outcome::Call(error),
                },
            };
            flight.settle(&file_id, outcome, &mut settled);
        }
        Ok(settled)
    }

    /// Detaches a file that is stuck, and attaches it again.
    async fn once_more(&self, file_id: &str, task: Task<'_>, is_attached: bool) -> Result<(), OpenAiError> {
        if is_attached {
            self.service.detach(file_id).await?;
        }
        self.attach_one(file_id, task).await
    }

    async fn look_at(&self, flight: &Flight<'_>) -> Result<BTreeMap<String, StoreFile>, OpenAiError> {
        let mut found = BTreeMap::new();
        if flight.len() <= FEW {
            for file_id in flight.tasks.keys() {
                found.extend(self.service.store_file(file_id).await?.map(|file| (file_id.clone(), file)));
            }
            return Ok(found);
        }
        let take = |file: StoreFile| {
            if flight.tasks.contains_key(&file.id) {
                found.insert(file.id.clone(), file);
            }
        };
        self.service.each_store_file(None, take).await?;
        Ok(found)
    }
}
