//! The way from an answer to its reader.
//!
//! Never more than [`MAX_WAITING_FRAMES`] frames wait, and no answer waits long for a reader who takes none: what a
//! reader costs who stopped reading is bounded in memory and in time. Place for one last frame is kept from the
//! beginning, so that a stream ends properly also for a reader who comes back late.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

/// Frames that may wait for a slow reader; then the engine waits too.
const MAX_WAITING_FRAMES: usize = 32;
/// How long an answer waits for a reader who takes nothing.
pub const READER_PATIENCE: Duration = Duration::from_secs(30);

/// Where an answer puts its frames.
pub struct Outlet {
    frames: mpsc::Sender<String>,
    patience: Duration,
    last: Option<mpsc::OwnedPermit<String>>,
}

/// Why a frame is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The reader is gone.
    HungUp,
    /// The reader takes nothing.
    Stalled,
}

impl Outlet {
    /// An outlet that waits this long for its reader, and what the reader takes from.
    pub fn open(patience: Duration) -> (Self, mpsc::Receiver<String>) {
        let (frames, reader) = mpsc::channel(MAX_WAITING_FRAMES + 1);
        let last = frames.clone().try_reserve_owned().ok();
        (Self { frames, patience, last }, reader)
    }

    /// Waits until the reader is gone.
    pub async fn closed(&self) {
        self.frames.closed().await;
    }

    /// Hands a frame over, waiting for its place.
    pub async fn send(&self, frame: String) -> Result<(), Lost> {
        match timeout(self.patience, self.frames.send(frame)).await {
            Ok(sent) => sent.map_err(|_| Lost::HungUp),
            Err(_) => Err(Lost::Stalled),
        }
    }

    /// Hands the last frame over, for which there is always a place.
    pub fn send_last(&mut self, frame: String) {
        if let Some(place) = self.last.take() {
            place.send(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// H19: who never reads costs a few frames, and only so long.
    #[tokio::test]
    async fn a_reader_who_takes_nothing_is_given_up() {
        let patience = Duration::from_millis(50);
        let (mut outlet, mut reader) = Outlet::open(patience);
        for count in 0..MAX_WAITING_FRAMES {
            assert_eq!(outlet.send(count.to_string()).await, Ok(()));
        }
        let began = Instant::now();
        assert_eq!(outlet.send("too much".to_owned()).await, Err(Lost::Stalled));
        assert!(began.elapsed() >= patience);
        outlet.send_last("the end".to_owned());
        drop(outlet);
        let mut read = Vec::new();
        while let Some(frame) = reader.recv().await {
            read.push(frame);
        }
        assert_eq!(read.len(), MAX_WAITING_FRAMES + 1, "the last frame had its place");
        assert_eq!(read.last().map(String::as_str), Some("the end"));
    }

    #[tokio::test]
    async fn a_slow_reader_is_waited_for() {
        let (outlet, mut reader) = Outlet::open(READER_PATIENCE);
        let reading = tokio::spawn(async move {
            let mut read = 0;
            while reader.recv().await.is_some() {
                read += 1;
                tokio::task::yield_now().await;
            }
            read
        });
        for count in 0..MAX_WAITING_FRAMES * 2 {
            assert_eq!(outlet.send(count.to_string()).await, Ok(()));
        }
        drop(outlet);
        assert_eq!(reading.await.unwrap(), MAX_WAITING_FRAMES * 2);
    }

    #[tokio::test]
    async fn a_reader_who_is_gone_is_seen() {
        let (mut outlet, reader) = Outlet::open(READER_PATIENCE);
        drop(reader);
        outlet.closed().await;
        assert_eq!(outlet.send(String::new()).await, Err(Lost::HungUp));
        outlet.send_last(String::new());
    }
}
