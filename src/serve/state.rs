//! What every handler can reach.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::Uri;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, IdSource};
use crate::config::AuthMode;
use crate::index::VectorStore;
use crate::serve::attachments::Attachments;
use crate::serve::busy::Busy;
use crate::serve::limits::Load;
use crate::serve::live::{Fixed, Live};
use crate::serve::metrics::Metrics;
use crate::serve::origin::Names;
use crate::serve::visitor::VisitorKey;
use crate::serve::{Deps, ServeError};
use crate::store::Store;

/// A handle to the server's parts; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// The server's parts.
pub struct Parts {
    /// Keeps the threads.
    pub store: Arc<dyn Store>,
    /// Knows the documents.
    pub index: Arc<dyn VectorStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn IdSource>,
    /// Where the documents lie.
    pub docs_dir: PathBuf,
    /// Who callers are.
    pub auth_mode: AuthMode,
    /// Signs visitors' cookies.
    pub visitor_key: VisitorKey,
    /// Under which names the server may be addressed.
    pub names: Names,
    /// Files that visitors attach.
    pub attachments: Attachments,
    /// Which threads are being answered.
    pub busy: Arc<Busy>,
    /// How much may be in progress.
    pub load: Load,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The running answers.
    pub answers: TaskTracker,
    /// Ends running answers at once.
    pub cut: CancellationToken,
    fixed: Fixed,
    live: RwLock<Arc<Live>>,
}

impl AppState {
    /// Checks the settings and puts the parts together.
    pub fn new(deps: Deps) -> Result<Self, ServeError> {
        let settings = deps.settings;
        let public_url = settings.public_url.as_deref().map(parse_public_url).transpose()?;
        let fixed = Fixed { auth_mode: settings.auth_mode, public_url };
        let live = Live::new(deps.engine, deps.assistant_name, deps.models, &settings, (&fixed, None))?;
        Ok(Self(Arc::new(Parts {
            store: deps.store,
            index: deps.index,
            clock: deps.clock,
            ids: deps.ids,
            docs_dir: deps.docs_dir,
            auth_mode: settings.auth_mode,
            visitor_key: deps.visitor_key,
            names: Names::new(fixed.public_url.as_ref(), settings.auth_mode),
            attachments: Attachments::new(
                settings.attachments,
                deps.blobs,
                deps.attachment_reader,
                settings.public_url.as_deref(),
            ),
            busy: Arc::default(),
            load: Load::default(),
            metrics: Arc::default(),
            answers: TaskTracker::new(),
            cut: CancellationToken::new(),
            fixed,
            live: RwLock::new(Arc::new(live)),
        })))
    }
}

impl Parts {
    /// What a reload can change, as it is now. Take it once a request.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What no reload can change.
    pub fn fixed(&self) -> &Fixed {
        &self.fixed
    }

    /// Puts new values into force for all requests that begin from now on.
    pub fn set_live(&self, live: Live) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

fn parse_public_url(text: &str) -> Result<Uri, ServeError> {
    let bad = |why: &str| ServeError::Setting { key: "PUBLIC_URL", why: why.to_owned() };
    let url: Uri = text.parse().map_err(|_| bad("it is not a URL"))?;
    match (url.scheme_str(), url.host()) {
        (Some("http" | "https"), Some(_)) => Ok(url),
        _ => Err(bad("it needs `http://` or `https://` and a host")),
    }
}
