//! What leaves the store, and what only gets other attributes.

use std::collections::{BTreeMap, HashSet};

use futures_util::StreamExt as _;

use crate::error::Problem;
use crate::hosted::HostedError;
use crate::hosted::SyncReport;
use crate::hosted::apply::trouble::Trouble;
use crate::hosted::apply::{Apply, CALLS_AT_ONCE};
use crate::hosted::name::Name;
use crate::hosted::plan::{Change, Plan};
use crate::hosted::service::Enough;
use crate::openai::OpenAiError;
use crate::openai::file::File;

/// A file that goes.
#[derive(Debug, Clone)]
pub(super) struct Gone {
    /// Whose it was, for people.
    path: String,
    file_id: String,
    is_attached: bool,
}

impl Gone {
    /// A file that is in the store.
    pub(super) fn attached(path: &str, file_id: &str) -> Self {
        Self { path: path.to_owned(), file_id: file_id.to_owned(), is_attached: true }
    }

    fn loose(path: &str, file_id: &str) -> Self {
        Self { is_attached: false, ..Self::attached(path, file_id) }
    }
}

impl Apply<'_> {
    /// Removes what nobody needs, and the documents that are gone.
    pub(super) async fn clear(
        &self,
        plan: &Plan,
        report: &mut SyncReport,
        trouble: &mut Trouble,
    ) -> Result<(), HostedError> {
        let dropped = plan.drop.iter().map(|file| Gone::attached(&file.name, &file.file_id));
        let orphans = plan.orphans.iter().map(|file| Gone::loose(&file.name, &file.file_id));
        self.let_go(dropped.chain(orphans).collect(), report, trouble).await?;
        let versions = |change: &Change| -> Vec<Gone> {
            change.earlier.iter().map(|earlier| Gone::attached(&change.path, &earlier.file_id)).collect()
        };
        let gone = plan.remove.iter().flat_map(versions).collect();
        let left = self.let_go(gone, report, trouble).await?;
        let is_gone = |change: &&Change| !change.earlier.iter().any(|earlier| left.contains(&earlier.file_id));
        report.removed += plan.remove.iter().filter(is_gone).count();
        Ok(())
    }

    /// Detaches and deletes. Returns the files that could not be.
    pub(super) async fn let_go(
        &self,
        gone: Vec<Gone>,
        report: &mut SyncReport,
        trouble: &mut Trouble,
    ) -> Result<HashSet<String>, HostedError> {
        let calls = gone.into_iter().map(|gone| async move {
            let outcome = self.let_one_go(&gone).await;
            (gone, outcome)
        });
        let mut calls = futures_util::stream::iter(calls).buffer_unordered(CALLS_AT_ONCE);
        let mut left = HashSet::new();
        while let Some((gone, outcome)) = calls.next().await {
            match outcome {
                Ok(()) => trouble.over(),
                Err(error) => {
                    self.problem(report, trouble.with(&gone.path, error)?);
                    left.insert(gone.file_id);
                }
            }
        }
        Ok(left)
    }

    /// Out of the store first: a deleted file may stay listed there for a while.
    async fn let_one_go(&self, gone: &Gone) -> Result<(), OpenAiError> {
        if gone.is_attached {
            self.service.detach(&gone.file_id).await?;
        }
        self.service.delete(&gone.file_id).await
    }

    /// Gives files of the store their new attributes.
    pub(super) async fn relabel(
        &self,
        plan: &Plan,
        report: &mut SyncReport,
        trouble: &mut Trouble,
    ) -> Result<(), HostedError> {
        // What fewer people may read comes first, and is no result by itself: another version follows.
        let restricted = plan.restrict.iter().map(|change| (change, 0));
        let relabelled =
            restricted.chain(plan.relabel.iter().map(|change| (change, 1))).filter_map(|(change, counts)| {
                let (file_id, attributes) = (change.file_id.as_deref()?, change.attributes.as_ref()?);
                Some((change, counts, file_id, attributes))
            });
        let calls = relabelled.map(|(change, counts, file_id, attributes)| async move {
            (change, counts, self.service.set_attributes(file_id, attributes).await)
        });
        let mut calls = futures_util::stream::iter(calls).buffer_unordered(CALLS_AT_ONCE);
        while let Some((change, counts, outcome)) = calls.next().await {
            match outcome {
                Ok(true) => {
                    trouble.over();
                    report.updated += counts;
                    report.relabelled += counts;
                }
                Ok(false) => {
                    let message = "its file has left the vector store meanwhile; the next sync uploads it";
                    self.problem(report, Problem::new(&change.path, "openai/vanished", message));
                }
                Err(error) => self.problem(report, trouble.with(&change.path, error)?),
            }
        }
        Ok(())
    }

    /// Deletes what was uploaded twice because an answer was lost: all files of the same name but the one that is kept.
    pub(super) async fn sweep(&self, doubtful: &BTreeMap<Name, String>) -> Result<(), HostedError> {
        if doubtful.is_empty() {
            return Ok(());
        }
        let mut twice = Vec::new();
        let take = |file: File| {
            let kept = Name::parse(&file.filename).and_then(|name| doubtful.get(&name));
            if kept.is_some_and(|kept| *kept != file.id) {
                twice.push(file.id);
            }
            Enough::No
        };
        self.service.each_account_file(take).await?;
        for file_id in twice {
            if self.service.store_file(&file_id).await?.is_none() {
                self.service.delete(&file_id).await?;
            }
        }
        Ok(())
    }
}
