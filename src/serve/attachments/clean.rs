//! Removes what nobody names any more: at the start, every hour, and whenever something was deleted (S3).

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::blobs::BlobName;
use crate::model::thread::Principal;
use crate::serve::attachments::names_of;
use crate::serve::error::log_cause;
use crate::serve::state::AppState;

/// How long an attachment may wait for a message.
const UNUSED_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How long there is nothing to do between two looks at whether readers are needed.
const TICK: Duration = Duration::from_mins(1);
/// After so many of these all is swept again: every hour.
const TICKS: u32 = 60;
/// Bytes that are looked at in one go: uploads wait meanwhile.
const AT_A_TIME: usize = 200;

/// Removes what a killed server left half-done. Before the first upload.
pub async fn recover(state: &AppState) {
    if let Err(error) = state.attachments.blobs.recover().await {
        log_cause("half uploads of before are not removed", &error);
    }
}

/// Sweeps now and every hour, until the stop.
pub async fn keep_clean(state: AppState, stop: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sweep(&state) => {}
        }
        for _ in 0..TICKS {
            if tokio::time::timeout(TICK, stop.cancelled()).await.is_ok() {
                return;
            }
            state.attachments.rest();
        }
    }
}

/// Ends attachments that no message took within their life, then removes bytes without a name.
pub async fn sweep(state: &AppState) {
    let before = state.clock.now().saturating_sub(UNUSED_LIFE);
    match before.map(|before| state.store.expire_attachments(before)) {
        Ok(expiring) => match expiring.await {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "attachments that no message took are removed"),
            Err(error) => log_cause("unused attachments are not removed", &error),
        },
        Err(error) => log_cause("unused attachments are not removed", &error),
    }
    match state.attachments.blobs.list().await {
        Ok(names) => forget(state, names).await,
        Err(error) => log_cause("the bytes of attachments cannot be listed", &error),
    }
}

/// Removes those of these bytes that no attachment names. What fails is tried again by the next sweep.
pub async fn forget(state: &AppState, names: Vec<BlobName>) {
    for names in names.chunks(AT_A_TIME) {
        // No upload stands between keeping its bytes and naming them.
        let _naming = state.attachments.naming.write().await;
        let hashes: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
        let unnamed = match state.store.unnamed_bytes(&hashes).await {
            Ok(unnamed) => unnamed,
            Err(error) => return log_cause("unnamed bytes are not removed", &error),
        };
        for name in unnamed.iter().filter_map(|hash| BlobName::parse(hash)) {
            if let Err(error) = state.attachments.blobs.delete(&name).await {
                log_cause("unnamed bytes are not removed", &error);
            }
        }
    }
}

/// The bytes that may lose their name when this thread loses messages; none when it is not the caller's.
pub async fn bytes_of_thread(state: &AppState, who: &Principal, thread_id: &str) -> Vec<BlobName> {
    state.store.thread_attachments(who, thread_id).await.map_or_else(|_| Vec::new(), |found| names_of(&found))
}
