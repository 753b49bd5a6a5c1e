//! A running server for one test, and browsers that talk to it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::answer::Engine;
use crate::blobs::FolderBlobs;
use crate::clock::{Clock, RandomIds};
use crate::config::AuthMode;
use crate::config::effective::Effective;
use crate::config::settings::{AttachmentSettings, DailyTokens, RateLimit, ServerSettings};
use crate::docs::reader::InProcess;
use crate::llm::models::{ModelCatalogue, Models};
use crate::llm::stub::Stub;
use crate::llm::{ChatModel, ChatRequest};
use crate::secret::Secret;
use crate::serve::connections::Bounds;
use crate::serve::metrics::{Exposition, Scrape};
use crate::serve::ops::{Control, Loaded, Operators};
use crate::serve::state::AppState;
use crate::serve::{Deps, run_within, visitor};
use crate::store::{self, Store};

pub use super::script::{ScriptedModel, Step, Watch, usual_script};
pub use super::test_index::{CHUNK, Mood, TestIndex, record};

pub const DATABASE: &str = "t.db";
pub const ATTACHMENTS: &str = "attachments";
pub const NOW: &str = "2026-01-02T03:04:05.000123Z";

/// Waits for something, for ten seconds at the most.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "{what} does not come");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub struct Bot {
    pub url: String,
    pub address: String,
    pub ops_url: Option<String>,
    pub docs_dir: PathBuf,
    pub store: Arc<dyn Store>,
    pub asked: Arc<Mutex<Vec<ChatRequest>>>,
    pub index: Arc<TestIndex>,
    pub script: Arc<Mutex<Vec<Step>>>,
    pub watch: Arc<Watch>,
    engine: Engine,
    settings: ServerSettings,
    gate: Arc<Semaphore>,
    stop: CancellationToken,
    server: JoinHandle<()>,
    folder: tempfile::TempDir,
}

#[derive(Clone)]
pub struct Setup {
    pub auth_mode: AuthMode,
    pub cors_origins: Vec<String>,
    pub public_url: Option<String>,
    pub script: Vec<Step>,
    /// Answers instead of the script.
    pub model: Option<Arc<dyn ChatModel>>,
    pub grace: Duration,
    pub daily_tokens: Option<DailyTokens>,
    pub attachments: Option<AttachmentSettings>,
    pub bounds: Bounds,
    /// Whether there is an operators' side.
    pub has_operators: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            auth_mode: AuthMode::Visitor,
            cors_origins: Vec::new(),
            public_url: None,
            script: usual_script(),
            model: None,
            grace: Duration::from_secs(10),
            daily_tokens: None,
            attachments: None,
            bounds: Bounds::default(),
            has_operators: false,
        }
    }
}

impl Bot {
    pub async fn start(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let docs_dir = folder.path().join("docs");
        std::fs::create_dir(&docs_dir).unwrap();
        std::fs::write(docs_dir.join("refund_policy.md"), format!("# Refund policy\n\n{CHUNK}\n")).unwrap();
        let store = store::open(&Secret::new(folder.path().join(DATABASE).to_str().unwrap())).await.unwrap();
        let index = Arc::new(TestIndex::new());
        let asked = Arc::default();
        let gate = Arc::new(Semaphore::new(0));
        let script = Arc::new(Mutex::new(setup.script));
        let (operators, ops_url) = if setup.has_operators { operators().await } else { (None, None) };
        let watch = Arc::<Watch>::default();
        let scripted = ScriptedModel {
            script: Arc::clone(&script),
            asked: Arc::clone(&asked),
            gate: Arc::clone(&gate),
            watch: Arc::clone(&watch),
        };
        let model = setup.model.unwrap_or_else(|| Arc::new(scripted));
        let engine = Engine { index: index.clone(), model, max_search_results: 5 };
        let settings = ServerSettings {
            host: "127.0.0.1".to_owned(),
            port: 0,
            database_url: None,
            cors_origins: setup.cors_origins,
            public_url: setup.public_url,
            auth_mode: setup.auth_mode,
            visitor_key: None,
            rate_limit: RateLimit::Off,
            daily_tokens: setup.daily_tokens,
            trusted_proxies: Vec::new(),
            attachments: setup.attachments,
            ops: None,
        };
        let deps = Deps { operators, ..deps(&store, &engine, &settings, folder.path()) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let within = (setup.bounds, setup.grace);
        let server = tokio::spawn(async move { run_within(listener, deps, stopped, within).await.unwrap() });
        let url = format!("http://{address}");
        Self {
            url,
            address,
            ops_url,
            docs_dir,
            store,
            asked,
            index,
            script,
            watch,
            engine,
            settings,
            gate,
            stop,
            server,
            folder,
        }
    }

    /// The same parts without a listener, for what cannot be seen through one.
    pub fn state(&self) -> AppState {
        AppState::new(deps(&self.store, &self.engine, &self.settings, self.folder.path())).unwrap()
    }

    pub async fn usual() -> Self {
        Self::start(Setup::default()).await
    }

    /// A bot whose model plays the stub's scenarios, without pauses.
    pub async fn stub() -> Self {
        let model: Arc<dyn ChatModel> = Arc::new(Stub { delta: Duration::ZERO });
        Self::start(Setup { model: Some(model), ..Setup::default() }).await
    }

    /// Where the bytes of attachments lie.
    pub fn attachments_dir(&self) -> PathBuf {
        self.folder.path().join(ATTACHMENTS)
    }

    /// Lets one waiting step go on.
    pub fn go_on(&self) {
        self.gate.add_permits(1);
    }

    /// Takes back what no waiting step used.
    pub fn drain(&self) {
        while let Ok(permit) = self.gate.try_acquire() {
            permit.forget();
        }
    }

    /// Stops the server and waits for its end; what it left behind.
    pub async fn stop(self) -> tempfile::TempDir {
        self.stop.cancel();
        self.server.await.unwrap();
        self.folder
    }

    /// Begins the stop without waiting.
    pub fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// A browser that has looked at the page.
    pub async fn browser(&self) -> Browser {
        let mut browser = Browser { url: self.url.clone(), client: reqwest::Client::new(), cookie: None };
        let response = browser.send(Method::GET, "/", &[], None).await;
        browser.cookie = response
            .headers()
            .get("set-cookie")
            .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        browser
    }
}

/// The built-in facts, and no model that answers.
pub fn no_models() -> Models {
    Models { catalogue: Arc::new(ModelCatalogue::built_in()), chosen: None }
}

fn deps(store: &Arc<dyn Store>, engine: &Engine, settings: &ServerSettings, folder: &Path) -> Deps {
    Deps {
        store: Arc::clone(store),
        engine: engine.clone(),
        index: Arc::clone(&engine.index),
        clock: Arc::new(FixedClock),
        ids: Arc::new(RandomIds),
        docs_dir: folder.join("docs"),
        blobs: Arc::new(FolderBlobs::new(folder.join(ATTACHMENTS))),
        attachment_reader: Arc::new(InProcess),
        models: no_models(),
        assistant_name: "Test \"bot\"".to_owned(),
        settings: settings.clone(),
        visitor_key: visitor::load_key(folder, None).unwrap(),
        operators: None,
    }
}

/// One browser: it keeps its cookie.
pub struct Browser {
    pub url: String,
    pub client: reqwest::Client,
    pub cookie: Option<String>,
}

impl Browser {
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> reqwest::Response {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        request.send().await.unwrap()
    }

    pub async fn post(&self, body: &Value) -> reqwest::Response {
        let headers = [("content-type", "application/json")];
        self.send(Method::POST, "/knowledge/chatkit", &headers, Some(body.to_string())).await
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.send(Method::GET, path, &[], None).await
    }

    /// A plain request that must succeed.
    pub async fn call(&self, kind: &str, params: Value) -> Value {
        let response = self.post(&json!({"type": kind, "params": params})).await;
        assert_eq!(response.status(), 200, "{kind}");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// A streaming request that must succeed, read to its end.
    pub async fn stream(&self, kind: &str, params: Value) -> Vec<Value> {
        let response = self.post(&json!({"type": kind, "params": params})).await;
        assert_eq!(response.status(), 200, "{kind}");
        events(&response.text().await.unwrap())
    }

    /// Asks in a new thread; the thread's id and the events.
    pub async fn ask(&self, text: &str) -> (String, Vec<Value>) {
        let events = self.stream("threads.create", json!({"input": input(text)})).await;
        (events[0]["thread"]["id"].as_str().unwrap().to_owned(), events)
    }

    /// All items of a thread, oldest first.
    pub async fn items(&self, thread_id: &str) -> Vec<Value> {
        let thread = self.call("threads.get_by_id", json!({"thread_id": thread_id})).await;
        thread["items"]["data"].as_array().unwrap().clone()
    }
}

pub fn input(text: &str) -> Value {
    json!({"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}})
}

/// The events of a stream that is framed as the protocol says.
pub fn events(body: &str) -> Vec<Value> {
    let frames = body.strip_suffix("\n\n").unwrap_or_else(|| panic!("the last frame is cut: {body:?}"));
    frames.split("\n\n").map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

pub fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["update"]["type"].as_str().or(event["type"].as_str()).unwrap()).collect()
}

/// An operators' side on a free port, which no reload reaches.
async fn operators() -> (Option<Operators>, Option<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let operators = Operators {
        listener: Some(listener),
        admin_token: None,
        control: Arc::new(NoControl),
        reloads: mpsc::channel(1).1,
        effective: Effective::default(),
        store_kind: "sqlite".to_owned(),
    };
    (Some(operators), Some(url))
}

struct NoControl;

impl Control for NoControl {
    fn load(&self) -> Result<Loaded, Vec<String>> {
        Err(vec!["there are no settings here".to_owned()])
    }

    fn log_level(&self) -> tracing::Level {
        tracing::Level::INFO
    }

    fn set_log_level(&self, _: tracing::Level) {}

    fn reopen_logs(&self) {}

    fn lost_log_lines(&self) -> u64 {
        0
    }
}

pub struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

/// Everything that this server counted, as Prometheus reads it.
pub fn counted(state: &AppState) -> String {
    state.metrics.render(Exposition::Prometheus, Scrape::default()).unwrap()
}
