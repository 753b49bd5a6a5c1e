//! The running server: its thread, its handle, its connections.

mod answer;
mod body;
mod connection;
mod control;
mod front;
mod sse;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::log::{Call, Log};
use crate::rules::Rules;
use crate::script::ScriptedAnswer;
use crate::snapshot::Snapshot;
use crate::world::World;

/// Long, so that a search for it in logs and files finds nothing else.
const KEY: &str = "sk-standin-4f9bQ2vTzX7mWc1LrY8kNd3JhP6sGaE0uViB5oCxRtMqFwZy";
const ADMIN_KEY: &str = "sk-admin-standin-8Kd2RmXq7TzLw4VbYc9NfPj1HsGa6EuQi3CoBxWtZyMrFv0e";

/// A running stand-in. It stops when this is dropped.
pub struct StandIn {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// Whoever looks at every change.
type Watcher = Box<dyn FnMut(&Snapshot) + Send>;

/// What all connections have in common.
pub(crate) struct Shared {
    world: Mutex<World>,
    log: Mutex<Log>,
    watcher: Mutex<Option<Watcher>>,
    pub(crate) stop: CancellationToken,
}

impl StandIn {
    /// Starts one with the default rules, on a free port of the loopback address.
    #[expect(clippy::unused_async, reason = "callers await it, and may go on to where it waits for something")]
    pub async fn start() -> Self {
        Self::launch(Rules::default(), 0)
    }

    /// Starts one with these rules.
    #[expect(clippy::unused_async, reason = "callers await it, and may go on to where it waits for something")]
    pub async fn start_with(rules: Rules) -> Self {
        Self::launch(rules, 0)
    }

    /// Starts one on this port (0: a free one), for tests that are not asynchronous.
    ///
    /// # Panics
    ///
    /// Where no port can be opened or no thread started: nothing can be tested then.
    pub fn launch(rules: Rules, port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a loopback port can be opened");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (world, log) = (Mutex::new(World::new(rules)), Mutex::new(Log::default()));
        let shared = Arc::new(Shared { world, log, watcher: Mutex::default(), stop: CancellationToken::new() });
        let served = Arc::clone(&shared);
        let named = std::thread::Builder::new().name("openai-stand-in".to_owned());
        let thread = named.spawn(move || connection::serve(listener, &served)).expect("a thread can be started");
        Self { shared, address, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT/v1`
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The one key that is accepted.
    pub fn key(&self) -> &'static str {
        KEY
    }

    /// The key for `/organization/…`, and for nothing else.
    pub fn admin_key(&self) -> &'static str {
        ADMIN_KEY
    }

    /// Arms a misbehaviour. Several may be armed; each that matches strikes.
    pub fn fail(&self, fault: Fault) {
        self.shared.world().armed.arm(fault);
    }

    /// Disarms them all, and lets files go on that are stuck.
    pub fn heal(&self) {
        self.shared.world().heal();
    }

    /// Every request so far, in order.
    pub fn log(&self) -> Vec<Call> {
        self.shared.log().calls().to_vec()
    }

    /// Those that may have changed something.
    pub fn writes(&self) -> Vec<Call> {
        self.log().into_iter().filter(Call::is_write).collect()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        self.shared.log().clear();
    }

    /// What is kept now.
    pub fn state(&self) -> Snapshot {
        self.shared.world().snapshot()
    }

    /// Shows what is kept to `look` after every request that may have changed something, before it is answered: no state
    /// between two of them is missed. Replaces whoever looked before.
    pub fn watch(&self, look: impl FnMut(&Snapshot) + Send + 'static) {
        *self.shared.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(look));
    }

    /// Attribute `path` and SHA-256 of the completed files of a store; see [`Snapshot::documents`].
    pub fn store_documents(&self, store_id: &str) -> BTreeMap<String, String> {
        self.state().documents(store_id)
    }

    /// The contents of a file, if they are kept.
    pub fn content(&self, file_id: &str) -> Option<Vec<u8>> {
        let world = self.shared.world();
        world.files.get(file_id)?.kept.content.as_deref().map(<[u8]>::to_vec)
    }

    /// Says what the next answer, or the next few, will be.
    pub fn script_answer(&self, answer: ScriptedAnswer) {
        self.shared.world().scripts.push_back(answer);
    }

    /// Lets this much time pass at once, for whatever expires or is refilled.
    pub fn pass(&self, time: Duration) {
        self.shared.world().pass(time);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of the server has shown itself in the test already.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandIn").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    /// The state, with everything done that time has brought.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle();
        world
    }

    /// Tells whoever watches.
    pub(crate) fn changed(&self) {
        if let Some(look) = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let snapshot = self.world().snapshot();
            look(&snapshot);
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
