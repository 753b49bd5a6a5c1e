//! Whatever happens to folder, service and machines: in the end the store has what the folder has, each document once,
//! and nothing that stays was missing at any moment on the way.

use std::time::Duration;

use openai_stand_in::{Act, ErrorBody, Fault};
use proptest::prelude::*;

use crate::hosted::HostedError;
use crate::hosted::tests::bench::{Bench, options};
use crate::hosted::tests::lost::{crash, quiet};

const NAMES: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    Write { name: usize, text: u8 },
    Rename { from: usize, to: usize },
    Swap { one: usize, other: usize },
    Delete { name: usize },
    Tag { name: usize, tag: u8 },
    LoseState,
    Sync,
    Crash { requests: usize, elsewhere: bool },
    Fail { act: usize, call: usize, nth: u64, times: u64 },
    Both,
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES;
    prop_oneof![
        6 => (name.clone(), 0..6_u8).prop_map(|(name, text)| Step::Write { name, text }),
        3 => (name.clone(), name.clone()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => (name.clone(), name.clone()).prop_map(|(one, other)| Step::Swap { one, other }),
        2 => name.clone().prop_map(|name| Step::Delete { name }),
        1 => (name, 0..3_u8).prop_map(|(name, tag)| Step::Tag { name, tag }),
        1 => Just(Step::LoseState),
        3 => Just(Step::Sync),
        4 => (1..40_usize, any::<bool>()).prop_map(|(requests, elsewhere)| Step::Crash { requests, elsewhere }),
        4 => (0..9_usize, 0..CALLS.len(), 1..4_u64, 1..6_u64)
            .prop_map(|(act, call, nth, times)| Step::Fail { act, call, nth, times }),
        1 => Just(Step::Both),
    ]
}

const CALLS: [(&str, &str); 9] = [
    ("*", "*"),
    ("GET", "*"),
    ("POST", "/files"),
    ("POST", "/vector_stores/{id}/file_batches"),
    ("GET", "/vector_stores/{id}/file_batches/{id}"),
    ("POST", "/vector_stores/{id}"),
    ("POST", "/vector_stores/{id}/files/{file_id}"),
    ("DELETE", "/vector_stores/{id}/files/{file_id}"),
    ("DELETE", "/files/{file_id}"),
];

fn act(number: usize) -> Act {
    let status = |code| Act::Status { code, body: ErrorBody::Json, hints: Vec::new() };
    match number {
        0 => status(500),
        1 => status(503),
        2 => Act::RateLimited { retry_after: None },
        3 => Act::ResetBefore,
        4 => Act::ResetMidBody,
        5 => Act::LostAnswer,
        6 => Act::TruncatedBody,
        7 => Act::GarbledJson,
        _ => status(400),
    }
}

/// Some in a folder, and one with another extension.
fn path(name: usize) -> String {
    match name {
        0..3 => format!("n{name}.md"),
        5 => format!("sub/n{name}.txt"),
        _ => format!("sub/n{name}.md"),
    }
}

struct World {
    bench: Bench,
    tags: [Option<u8>; NAMES],
}

impl World {
    fn exists(&self, name: usize) -> bool {
        self.bench.docs().join(path(name)).exists()
    }

    /// Words about files that are there: an entry for no file is a problem of its own.
    fn catalogue(&self) {
        let entry = |name: usize| {
            let tag = self.tags[name].filter(|_| self.exists(name))?;
            let id = if tag == 2 { format!("id: given{name}, ") } else { String::new() };
            Some(format!("  - {{path: {}, {id}tags: [t{tag}]}}\n", path(name)))
        };
        let entries: String = (0..NAMES).filter_map(entry).collect();
        if entries.is_empty() {
            self.bench.delete("documents.yaml");
        } else {
            self.bench.write("documents.yaml", format!("documents:\n{entries}"));
        }
    }

    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Write { name, text } => self.bench.write(&path(name), format!("Text {text}.")),
            Step::Rename { from, to } if from != to && self.exists(from) => self.bench.rename(&path(from), &path(to)),
            Step::Swap { one, other } if one != other && self.exists(one) && self.exists(other) => {
                self.bench.rename(&path(one), "swap.md");
                self.bench.rename(&path(other), &path(one));
                self.bench.rename("swap.md", &path(other));
            }
            Step::Rename { .. } | Step::Swap { .. } => {}
            Step::Delete { name } => self.bench.delete(&path(name)),
            Step::Tag { name, tag } => self.tags[name] = Some(tag),
            Step::LoseState => {
                let _ = std::fs::remove_dir_all(self.bench.folders("here").state_dir);
            }
            Step::Sync => return self.finish().await,
            Step::Crash { requests, elsewhere } => {
                self.catalogue();
                self.bench.promise();
                // A machine that was killed with the lease keeps others waiting: time is let pass for that.
                let _ = crash(&self.bench, if elsewhere { "elsewhere" } else { "here" }, requests).await;
                self.forget_lease().await;
                return self.nothing_lost("a crash");
            }
            Step::Fail { act: number, call, nth, times } => {
                self.catalogue();
                self.bench.promise();
                let (method, template) = CALLS[call];
                let mut fault = Fault::on(method, template, act(number)).times(times);
                fault.on.skip = nth - 1;
                self.bench.stand_in.fail(fault);
                if let Err(error) = self.bench.sync().await {
                    prop_assert!(matches!(error, HostedError::Service(_)), "{}", error);
                }
                self.bench.stand_in.heal();
                quiet(&self.bench).await;
                self.forget_lease().await;
                return self.nothing_lost("a fault");
            }
            Step::Both => {
                self.catalogue();
                self.bench.promise();
                let (one, other) =
                    tokio::join!(self.bench.sync_as("here", options()), self.bench.sync_as("elsewhere", options()));
                for error in [one, other].into_iter().filter_map(Result::err) {
                    let is_other = matches!(
                        error,
                        HostedError::Leased { .. } | HostedError::LeaseLost(_) | HostedError::Contended
                    );
                    prop_assert!(is_other, "{}", error);
                }
                return self.nothing_lost("two at once");
            }
        }
        Ok(())
    }

    fn nothing_lost(&self, what: &str) -> Result<(), TestCaseError> {
        let broken = self.bench.broken();
        prop_assert!(broken.is_empty(), "during {} there was no version of {:?}", what, broken);
        Ok(())
    }

    /// Stands for the minutes in which a lease ends that nobody renews.
    async fn forget_lease(&self) {
        let client = crate::hosted::tests::bench::client(&self.bench.stand_in);
        let mut metadata = client.store(&self.bench.store_id).await.unwrap().metadata.unwrap_or_default();
        if metadata.remove(crate::hosted::lease::LEASE).is_some() {
            let change = crate::openai::vector_store::StoreChange { metadata: Some(metadata), ..Default::default() };
            client.update_store(&self.bench.store_id, &change).await.unwrap();
        }
    }

    async fn finish(&self) -> Result<(), TestCaseError> {
        self.catalogue();
        self.bench.promise();
        let report = self.bench.sync().await.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&report.problems, &[]);
        self.bench.is_equal().map_err(TestCaseError::fail)?;
        self.nothing_lost("a sync")?;
        self.bench.stand_in.clear_log();
        let again = self.bench.sync().await.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(again.unchanged, self.bench.files().len());
        prop_assert!(self.bench.stand_in.writes().is_empty(), "{:?}", self.bench.writes());
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch of the test run, not a setting of the program")]
fn cases(few: u32, many: u32) -> ProptestConfig {
    ProptestConfig::with_cases(if std::env::var_os("CHATBOTCTL_SLOW").is_some() { many } else { few })
}

proptest! {
    #![proptest_config(cases(200, 3_000))]

    #[test]
    fn the_store_ends_equal_to_the_folder(steps in proptest::collection::vec(step(), 1..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World { bench: Bench::new().await, tags: [None; NAMES] };
            for step in &steps {
                Box::pin(world.take(step)).await?;
            }
            tokio::time::timeout(Duration::from_mins(1), world.finish())
                .await
                .map_err(|_| TestCaseError::fail("the last sync does not end"))?
        })?;
    }
}
