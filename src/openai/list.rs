//! All rows of a list, page after page.
//!
//! Lists change while they are read. A row comes once, a page whose cursor was deleted meanwhile is asked for again from
//! an earlier row, and a service whose pages go round is found out: no list is read for ever.

use std::collections::{HashSet, VecDeque};
use std::future::Future;

use futures_util::{Stream, stream};

use crate::openai::client::Client;
use crate::openai::file::File;
use crate::openai::vector_store::{FileStatus, StoreFile, VectorStore};
use crate::openai::{ErrorKind, FailedCall, OpenAiError, Page};

/// How often a list is gone on with from an earlier row.
const MAX_STEPS_BACK: u32 = 12;
/// How many rows of a page are tried as cursors one after another; then the cursors of earlier pages.
const TRIED_ROWS: usize = 3;

/// A row of a list.
pub trait Row {
    /// What the row is gone on from.
    fn id(&self) -> &str;
}

impl Row for File {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for VectorStore {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for StoreFile {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Client {
    /// All files for retrieval, newest first.
    pub fn all_files(&self) -> impl Stream<Item = Result<File, OpenAiError>> + Send + use<> {
        let client = self.clone();
        rows("GET /files", move |after: Option<String>| {
            let client = client.clone();
            async move { client.files(after.as_deref()).await }
        })
    }

    /// All vector stores, newest first.
    pub fn all_stores(&self) -> impl Stream<Item = Result<VectorStore, OpenAiError>> + Send + use<> {
        let client = self.clone();
        rows("GET /vector_stores", move |after: Option<String>| {
            let client = client.clone();
            async move { client.stores(after.as_deref()).await }
        })
    }

    /// All files of a store, oldest first, or those in one state.
    pub fn all_store_files(
        &self,
        store_id: &str,
        only: Option<FileStatus>,
    ) -> impl Stream<Item = Result<StoreFile, OpenAiError>> + Send + use<> {
        let (client, store_id) = (self.clone(), store_id.to_owned());
        rows("GET /vector_stores/…/files", move |after: Option<String>| {
            let (client, store_id) = (client.clone(), store_id.clone());
            async move { client.store_files(&store_id, after.as_deref(), only).await }
        })
    }

    /// All files of a batch, oldest first, or those in one state.
    pub fn all_batch_files(
        &self,
        store_id: &str,
        batch_id: &str,
        only: Option<FileStatus>,
    ) -> impl Stream<Item = Result<StoreFile, OpenAiError>> + Send + use<> {
        let (client, store_id, batch_id) = (self.clone(), store_id.to_owned(), batch_id.to_owned());
        rows("GET /vector_stores/…/file_batches/…/files", move |after: Option<String>| {
            let (client, store_id, batch_id) = (client.clone(), store_id.clone(), batch_id.clone());
            async move { client.batch_files(&store_id, &batch_id, after.as_deref(), only).await }
        })
    }
}

/// The rows of the pages that `fetch` gets, each once. `call` names the list in errors.
pub fn rows<T, Fetch, Fetching>(call: &'static str, fetch: Fetch) -> impl Stream<Item = Result<T, OpenAiError>> + Send
where
    T: Row + Send,
    Fetch: Fn(Option<String>) -> Fetching + Send,
    Fetching: Future<Output = Result<Page<T>, OpenAiError>> + Send,
{
    stream::try_unfold((Walk::new(call), fetch), async |(mut walk, fetch)| {
        loop {
            if let Some(row) = walk.rows.pop_front() {
                return Ok(Some((row, (walk, fetch))));
            }
            if walk.is_over {
                return Ok(None);
            }
            let fetched = fetch(walk.cursor.clone()).await;
            walk.turn(fetched)?;
        }
    })
}

/// Where the reading of a list stands.
struct Walk<T> {
    call: &'static str,
    rows: VecDeque<T>,
    cursor: Option<String>,
    /// Rows that can be gone on from when the cursor is gone, the best last.
    earlier: Vec<String>,
    seen: HashSet<String>,
    /// Cursors since the last step back.
    used: HashSet<String>,
    steps_back: u32,
    is_over: bool,
}

impl<T: Row> Walk<T> {
    fn new(call: &'static str) -> Self {
        Self {
            call,
            rows: VecDeque::new(),
            cursor: None,
            earlier: Vec::new(),
            seen: HashSet::new(),
            used: HashSet::new(),
            steps_back: 0,
            is_over: false,
        }
    }

    /// Goes on with what came.
    fn turn(&mut self, fetched: Result<Page<T>, OpenAiError>) -> Result<(), OpenAiError> {
        match fetched {
            // More was promised: the cursor's row may be gone.
            Ok(page) if page.data.is_empty() && self.step_back() => Ok(()),
            Ok(page) => self.take(page),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Refused) && self.step_back() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn take(&mut self, page: Page<T>) -> Result<(), OpenAiError> {
        let ids: Vec<String> = page.data.iter().map(|row| row.id().to_owned()).collect();
        self.rows.extend(page.data.into_iter().filter(|row| self.seen.insert(row.id().to_owned())));
        let Some(last) = ids.last().filter(|_| page.has_more) else {
            self.is_over = true;
            return Ok(());
        };
        if !self.used.insert(last.clone()) {
            return Err(FailedCall::new(self.call, ErrorKind::Broken, "the pages of this list go round").into());
        }
        let before_last = &ids[..ids.len() - 1];
        let tried = before_last.len().saturating_sub(TRIED_ROWS);
        self.earlier.extend(self.cursor.take());
        self.earlier.extend_from_slice(&before_last[tried..]);
        self.cursor = Some(last.clone());
        Ok(())
    }

    /// Goes on from an earlier row, or from the beginning; rows that were seen do not come again.
    fn step_back(&mut self) -> bool {
        if self.cursor.is_none() || self.steps_back >= MAX_STEPS_BACK {
            return false;
        }
        self.steps_back += 1;
        // What is left of the steps is for the beginning, which is always there.
        self.cursor = if self.steps_back < MAX_STEPS_BACK { self.earlier.pop() } else { None };
        self.used.clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::TryStreamExt as _;
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Number(String);

    impl Row for Number {
        fn id(&self) -> &str {
            &self.0
        }
    }

    fn page(rows: &[usize], has_more: bool) -> Page<Number> {
        let data = rows.iter().map(|row| Number(row.to_string())).collect();
        Page { data, has_more }
    }

    /// Reads a list of which some rows are deleted before some requests; gives the rows that came, and the requests.
    fn read(size: usize, limit: usize, deletions: Vec<Vec<usize>>, is_silent: bool) -> (Vec<usize>, usize) {
        let state = Arc::new(Mutex::new(((0..size).collect::<Vec<_>>(), deletions, 0)));
        let fetch_state = Arc::clone(&state);
        let fetch = move |after: Option<String>| {
            let mut state = fetch_state.lock().unwrap();
            let (list, deletions, requests) = &mut *state;
            *requests += 1;
            if *requests > 1
                && let Some(gone) = deletions.pop()
            {
                list.retain(|row| !gone.contains(row));
            }
            let from = match after {
                None => Some(0),
                Some(after) => list.iter().position(|row| row.to_string() == after).map(|at| at + 1),
            };
            let answer = match from {
                Some(from) => {
                    let until = (from + limit).min(list.len());
                    Ok(page(&list[from..until], until < list.len()))
                }
                None if is_silent => Ok(page(&[], false)),
                None => Err(FailedCall::new("GET /x", ErrorKind::NotFound, "").into()),
            };
            std::future::ready(answer)
        };
        let rows: Vec<Number> =
            futures_util::FutureExt::now_or_never(rows("GET /x", fetch).try_collect()).unwrap().unwrap();
        let requests = state.lock().unwrap().2;
        (rows.into_iter().map(|row| row.0.parse().unwrap()).collect(), requests)
    }

    #[test]
    fn every_row_comes_once_in_order() {
        for size in [0, 1, 9, 10, 11, 100] {
            let (rows, requests) = read(size, 10, Vec::new(), false);
            assert_eq!(rows, (0..size).collect::<Vec<_>>());
            assert_eq!(requests, size.div_ceil(10).max(1));
        }
    }

    #[test]
    fn a_cursor_that_is_deleted_loses_no_row() {
        for is_silent in [false, true] {
            for gone in [vec![9], vec![8, 9], (0..10).collect(), (5..15).collect()] {
                let (rows, _) = read(40, 10, vec![gone.clone()], is_silent);
                let expected: Vec<usize> = (0..40).filter(|row| *row < 10 || !gone.contains(row)).collect();
                assert_eq!(rows, expected, "{gone:?} {is_silent}");
            }
        }
    }

    #[test]
    fn pages_that_go_round_are_found_out() {
        let turn = std::sync::atomic::AtomicUsize::new(0);
        let fetch = move |_| {
            let turn = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::future::ready(Ok(page(&[[1, 2], [3, 4]][turn % 2], true)))
        };
        let read = rows("GET /x", fetch).try_collect::<Vec<_>>();
        let error = futures_util::FutureExt::now_or_never(read).unwrap().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Broken);
    }

    proptest! {
        #[test]
        fn whatever_is_deleted_meanwhile_what_stays_comes_once_and_it_ends(
            size in 0_usize..60,
            limit in 1_usize..12,
            deletions in prop::collection::vec(prop::collection::vec(0_usize..60, 0..20), 0..4),
            is_silent in any::<bool>(),
        ) {
            let gone: HashSet<usize> = deletions.iter().flatten().copied().collect();
            let (rows, requests) = read(size, limit, deletions, is_silent);
            let unique: HashSet<usize> = rows.iter().copied().collect();
            prop_assert_eq!(unique.len(), rows.len());
            prop_assert!((0..size).filter(|row| !gone.contains(row)).all(|row| unique.contains(&row)));
            prop_assert!(requests <= 300);
        }
    }
}
