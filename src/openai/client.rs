//! Makes calls: waits for their turn, sends them, tries again where that is safe, reads what comes.
//!
//! Each attempt has an id of its own (`X-Client-Request-Id`). What is logged of an attempt is its name, status and codes,
//! never a body or a header.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Proxy, Response, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use crate::clock::{hex, random_bytes};
use crate::config::mask::{Redactor, mask_url, url_password};
use crate::config::settings::OpenAiSettings;
use crate::openai::address::Address;
use crate::openai::call::Call;
use crate::openai::pace::{Limit, Pace, Permit};
use crate::openai::retry::{Miss, Patience, Safety, Stage};
use crate::openai::stream::Pieces;
use crate::openai::{ErrorKind, FailedCall, OpenAiError, transport};

const USER_AGENT: &str = concat!("chatbotctl/", env!("CARGO_PKG_VERSION"));
/// Kept connections are used for less long than servers keep them: a write on one that just closed is a lost answer.
const IDLE_CONNECTION: std::time::Duration = std::time::Duration::from_secs(20);

/// A client of the service. Cheap to clone; clones share their pace.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) http: reqwest::Client,
    pub(super) address: Address,
    pub(super) patience: Patience,
    pub(super) redactor: Redactor,
    /// The proxy as it may be told.
    pub(super) proxy: Option<String>,
    pace: Pace,
    pub(super) limit: Limit,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the account that the settings name.
    #[expect(clippy::needless_pass_by_value, reason = "a key has no second owner once its client is made")]
    pub fn new(settings: OpenAiSettings) -> Result<Self, OpenAiError> {
        Self::with_patience(&settings, Patience::default())
    }

    /// The same with deadlines and numbers of attempts of the caller's.
    pub fn with_patience(settings: &OpenAiSettings, patience: Patience) -> Result<Self, OpenAiError> {
        let told =
            |error: &reqwest::Error| FailedCall::new("the client", ErrorKind::Refused, transport::innermost(error));
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(patience.connect)
            .pool_idle_timeout(IDLE_CONNECTION)
            // Where documents go is a setting of ours, and no variable of the environment changes it.
            .no_proxy()
            .redirect(redirect::Policy::none());
        if let Some(proxy) = &settings.proxy {
            builder =
                builder.proxy(Proxy::all(proxy.expose()).map_err(|_| {
                    FailedCall::new("the client", ErrorKind::Refused, "OPENAI_PROXY is no URL of a proxy")
                })?);
        }
        let secrets = [&settings.api_key, &settings.admin_key, &settings.proxy].into_iter().flatten();
        let password = settings.proxy.as_ref().and_then(|proxy| url_password(proxy.expose()));
        Ok(Self(Arc::new(Inner {
            http: builder.build().map_err(|error| told(&error))?,
            address: Address::of(settings)?,
            patience,
            redactor: Redactor::new(secrets.map(|secret| secret.expose().trim()).chain(password)),
            proxy: settings.proxy.as_ref().map(|proxy| mask_url(proxy.expose())),
            pace: Pace::new(settings),
            limit: Limit::default(),
        })))
    }

    /// A place among the requests that are out at once: whoever has many calls to make takes one for each. Their number
    /// follows how the service does; dropping the permit gives the place back.
    pub async fn permit(&self) -> Permit {
        self.0.limit.permit().await
    }

    /// The deployment that `OPENAI_BASE_URL` names, on Azure: it stands for the model.
    pub fn deployment(&self) -> Option<&str> {
        self.0.address.deployment()
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, OpenAiError> {
        self.send(&Call::get(path).query(query)).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, OpenAiError> {
        self.send(&Call::post(path).json(body)?).await
    }

    /// Deletes something. That it is gone when a deletion is sent again, whose answer was lost, is its success.
    pub(super) async fn delete(&self, path: &str) -> Result<(), OpenAiError> {
        match self.bytes(&Call::delete(path)).await {
            Err(error) if error.kind == ErrorKind::NotFound && error.may_be_done => Ok(()),
            done => done.map(drop),
        }
    }

    /// Makes a call that answers JSON.
    pub(super) async fn send<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, OpenAiError> {
        self.persist(call, |response| transport::json(&self.0, call, response)).await
    }

    /// Makes a call that answers bytes.
    pub(super) async fn bytes(&self, call: &Call<'_>) -> Result<Bytes, OpenAiError> {
        self.persist(call, |response| transport::bytes(&self.0, call, response)).await
    }

    /// Makes a call whose answer is read piece by piece. Only its beginning is tried again.
    pub(super) async fn open(&self, call: &Call<'_>) -> Result<Pieces, OpenAiError> {
        let idle = self.0.patience.idle;
        self.persist(call, |response| async move { Ok(Pieces::new(call.name(), response, idle)) }).await
    }

    /// Attempt after attempt, until one succeeds or there is no sense in another.
    async fn persist<T, Read, Reading>(&self, call: &Call<'_>, read: Read) -> Result<T, OpenAiError>
    where
        Read: Fn(Response) -> Reading,
        Reading: Future<Output = Result<T, Miss>>,
    {
        let mut may_be_done = false;
        self.0.pace.take(call.cost).await;
        let until = Instant::now() + transport::whole(&self.0.patience, call);
        for attempts in 1.. {
            let own_id = hex(&random_bytes::<16>());
            let attempt = self.attempt(call, &own_id, &read);
            let miss = match timeout_at(until, attempt).await {
                Ok(Ok(done)) => {
                    self.0.limit.grow();
                    return Ok(done);
                }
                Ok(Err(miss)) => miss,
                Err(_) => Miss::new(call.failed(ErrorKind::TimedOut, "it took too long in all"), Stage::Unknown),
            };
            may_be_done |= miss.may_be_done(call.safety);
            let wait = self.wait(call, &miss, attempts).filter(|wait| Instant::now() + *wait < until);
            self.slow_down(call, &miss, wait);
            if let Some(wait) = wait {
                log_retry(call, &miss, &own_id, (attempts, wait));
                if may_be_done {
                    call.note_doubled();
                }
                sleep(wait).await;
                // A turn that comes after the deadline is none: nothing of that attempt would be read.
                if timeout_at(until, self.0.pace.take(call.cost)).await.is_ok() {
                    continue;
                }
            }
            let client_request_id = Some(own_id);
            return Err(FailedCall { client_request_id, may_be_done, ..*miss.failed }.into());
        }
        Err(call.failed(ErrorKind::TimedOut, "it was tried too often").into())
    }

    async fn attempt<T, Read, Reading>(&self, call: &Call<'_>, own_id: &str, read: &Read) -> Result<T, Miss>
    where
        Read: Fn(Response) -> Reading,
        Reading: Future<Output = Result<T, Miss>>,
    {
        let response = transport::attempt(&self.0, call, own_id).await?;
        self.0.pace.learn(call.cost, response.headers());
        if response.status().is_success() {
            return read(response).await;
        }
        Err(transport::refused(&self.0, call, response).await)
    }

    /// How long until the next attempt; nothing when there is none.
    fn wait(&self, call: &Call<'_>, miss: &Miss, attempts: u32) -> Option<std::time::Duration> {
        let patience = &self.0.patience;
        let another = attempts < patience.attempts && miss.is_worth_another(call.safety);
        if another { miss.wait(attempts, patience) } else { None }
    }

    /// What a failure means for the requests after it.
    fn slow_down(&self, call: &Call<'_>, miss: &Miss, wait: Option<std::time::Duration>) {
        // What is refused, or was never there as a whole, attached nothing.
        if !miss.may_be_done(Safety::Once) {
            self.0.pace.give_back(call.cost);
        }
        let is_too_much = miss.failed.kind == ErrorKind::RateLimited;
        if is_too_much {
            let asked = miss.failed.retry_after.or(wait).unwrap_or(self.0.patience.first_delay);
            self.0.pace.pause(call.cost, asked.min(self.0.patience.max_wait));
        }
        if is_too_much || miss.failed.status == Some(503) {
            self.0.limit.shrink();
        }
    }
}

fn log_retry(call: &Call<'_>, miss: &Miss, own_id: &str, (attempts, wait): (u32, std::time::Duration)) {
    let FailedCall { kind, status, code, request_id, .. } = &*miss.failed;
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(call = call.name(), attempts, wait_ms, ?kind, status, code, request_id, own_id, "trying again");
}
