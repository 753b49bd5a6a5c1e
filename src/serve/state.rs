//! What every handler can reach.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::Uri;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::Engine;
use crate::clock::{Clock, IdSource};
use crate::config::AuthMode;
use crate::index::VectorStore;
use crate::serve::attachments::Attachments;
use crate::serve::busy::Busy;
use crate::serve::limits::{Limits, Load};
use crate::serve::metrics::Metrics;
use crate::serve::origin::{Names, Origins};
use crate::serve::visitor::{CookieStyle, Transport, VisitorKey};
use crate::serve::{Deps, ServeError};
use crate::store::Store;

/// A handle to the server's parts; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// The server's parts.
pub struct Parts {
    /// Keeps the threads.
    pub store: Arc<dyn Store>,
    /// Answers.
    pub engine: Engine,
    /// Knows the documents.
    pub index: Arc<dyn VectorStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn IdSource>,
    /// Where the documents lie.
    pub docs_dir: PathBuf,
    /// The bot's name.
    pub assistant_name: String,
    /// Who callers are.
    pub auth_mode: AuthMode,
    /// Signs visitors' cookies.
    pub visitor_key: VisitorKey,
    /// What visitors' cookies look like.
    pub cookies: CookieStyle,
    /// Which pages may change things.
    pub origins: Origins,
    /// Under which names the server may be addressed.
    pub names: Names,
    /// Files that visitors attach.
    pub attachments: Attachments,
    /// Which threads are being answered.
    pub busy: Arc<Busy>,
    /// How much one caller may ask for.
    pub limits: Limits,
    /// How much may be in progress.
    pub load: Load,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The running answers.
    pub answers: TaskTracker,
    /// Ends running answers at once.
    pub cut: CancellationToken,
}

impl AppState {
    /// Checks the settings and puts the parts together.
    pub fn new(deps: Deps) -> Result<Self, ServeError> {
        let settings = deps.settings;
        let public_url = settings.public_url.as_deref().map(parse_public_url).transpose()?;
        let cookies = CookieStyle {
            transport: match public_url.as_ref().and_then(Uri::scheme_str) {
                Some("https") => Transport::Https,
                _ => Transport::Plain,
            },
            is_called_by_other_sites: !settings.cors_origins.is_empty(),
        };
        if settings.auth_mode == AuthMode::Visitor
            && let Some(warning) = cookies.warning()
        {
            tracing::warn!("{warning}");
        }
        Ok(Self(Arc::new(Parts {
            store: deps.store,
            engine: deps.engine,
            index: deps.index,
            clock: deps.clock,
            ids: deps.ids,
            docs_dir: deps.docs_dir,
            assistant_name: deps.assistant_name,
            auth_mode: settings.auth_mode,
            visitor_key: deps.visitor_key,
            cookies,
            origins: Origins::new(&settings.cors_origins, public_url.as_ref(), settings.auth_mode)?,
            names: Names::new(public_url.as_ref(), settings.auth_mode),
            attachments: Attachments::new(
                settings.attachments,
                deps.blobs,
                deps.attachment_reader,
                settings.public_url.as_deref(),
            ),
            busy: Arc::default(),
            limits: Limits::new(settings.rate_limit, settings.trusted_proxies),
            load: Load::default(),
            metrics: Arc::default(),
            answers: TaskTracker::new(),
            cut: CancellationToken::new(),
        })))
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
