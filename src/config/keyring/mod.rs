//! The operating system's keyring, as a port: secrets of this project that lie with the desktop's or the machine's own
//! keeper of secrets.
//!
//! A keyring may ask a person to unlock it, or hang. So every call is made through [`within`], on a thread of its own
//! and for a bounded time. Without a service nothing is written anywhere else. No error tells a value.

mod read;
mod register;
mod system;

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::secret::Secret;

pub(super) use read::{Kept, kept, quietly};
pub use register::{FOLDER as REGISTER_FOLDER, Register, RegisterError, place_of};
pub use system::SystemKeyring;

/// How long a resolution of settings waits for the keyring; afterwards it goes on without.
pub const SETTINGS_PATIENCE: Duration = Duration::from_secs(2);

/// The name of one secret in the keyring.
///
/// The folder is a part of it: a folder that is copied, or made by somebody else, never gets the secrets of this one,
/// whatever its files say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// The project's folder, by its real path.
    pub folder: String,
    /// The profile.
    pub profile: String,
    /// The setting.
    pub name: String,
}

impl Account {
    /// Reads what `Display` has written.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, folder) = text.split_once('@')?;
        let (profile, name) = head.split_once('/')?;
        let is_whole = [folder, profile, name].iter().all(|part| !part.is_empty());
        is_whole.then(|| Self { folder: folder.to_owned(), profile: profile.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for Account {
    /// `PROFILE/NAME@FOLDER`: neither a profile nor a setting has an `@`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.profile, self.name, self.folder)
    }
}

/// A keyring. Its calls block, and may do so for ever: make them through [`within`].
pub trait Keyring: Send + Sync {
    /// The secret of this name, when there is one.
    fn get(&self, account: &Account) -> Result<Option<Secret>, KeyringError>;
    /// Keeps a secret, in the place of one of the same name.
    fn set(&self, account: &Account, value: &Secret) -> Result<(), KeyringError>;
    /// Removes a secret; false when there is none.
    fn remove(&self, account: &Account) -> Result<bool, KeyringError>;
    /// The names of all secrets that this program keeps, of every folder.
    fn list(&self) -> Result<Vec<Account>, KeyringError>;
}

/// Why a keyring did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Nothing on this machine keeps secrets for this user.
    #[error("there is no keyring service here ({0})")]
    NoService(String),
    /// A person is needed, and was not there or said no.
    #[error("the keyring is locked and was not unlocked")]
    Locked,
    /// The time was up: it may wait for a person, or hang.
    #[error("the keyring did not answer within {} s; it may be locked, and wait for a person", .0.as_secs())]
    Late(Duration),
    /// Another program has put a second secret under the same name.
    #[error("the keyring holds several secrets of this name; remove them with the desktop's own tool")]
    Ambiguous,
    /// What is there was put there by another program.
    #[error("what the keyring holds under this name is no text")]
    NotText,
    /// This system's keyring cannot be searched.
    #[error("the keyring of this system does not tell what it holds")]
    CannotList,
    /// Anything else, in the service's words.
    #[error("the keyring refused: {0}")]
    Refused(String),
}

/// What stands for a keyring where none is wanted: tests, and programs that embed this one.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeyring;

impl NoKeyring {
    fn refuse<T>() -> Result<T, KeyringError> {
        Err(KeyringError::NoService("none was given".to_owned()))
    }
}

impl Keyring for NoKeyring {
    fn get(&self, _account: &Account) -> Result<Option<Secret>, KeyringError> {
        Self::refuse()
    }

    fn set(&self, _account: &Account, _value: &Secret) -> Result<(), KeyringError> {
        Self::refuse()
    }

    fn remove(&self, _account: &Account) -> Result<bool, KeyringError> {
        Self::refuse()
    }

    fn list(&self) -> Result<Vec<Account>, KeyringError> {
        Self::refuse()
    }
}

/// Asks the keyring on a thread of its own and waits so long and no longer. A thread that hangs is left behind; it
/// holds nothing that anybody waits for, and ends with the process.
pub fn within<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    patience: Duration,
    ask: impl FnOnce(&dyn Keyring) -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let keyring = Arc::clone(keyring);
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(ask(keyring.as_ref()));
    });
    thread.map_err(|error| KeyringError::Refused(format!("no thread to ask on: {error}")))?;
    match receiver.recv_timeout(patience) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => Err(KeyringError::Late(patience)),
        Err(RecvTimeoutError::Disconnected) => Err(KeyringError::Refused("asking it failed".to_owned())),
    }
}

#[cfg(test)]
pub(super) mod fake {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A keyring in memory that counts how often it is asked, and can fail or hang.
    #[derive(Default)]
    pub struct FakeKeyring {
        pub held: Mutex<BTreeMap<Account, Secret>>,
        pub asked: AtomicUsize,
        pub fails: Mutex<Option<KeyringError>>,
        pub hangs: bool,
    }

    impl FakeKeyring {
        fn ask(&self) -> Result<(), KeyringError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.hangs {
                loop {
                    std::thread::park();
                }
            }
            self.fails.lock().unwrap().clone().map_or(Ok(()), Err)
        }

        pub fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    impl Keyring for FakeKeyring {
        fn get(&self, account: &Account) -> Result<Option<Secret>, KeyringError> {
            self.ask()?;
            Ok(self.held.lock().unwrap().get(account).cloned())
        }

        fn set(&self, account: &Account, value: &Secret) -> Result<(), KeyringError> {
            self.ask()?;
            self.held.lock().unwrap().insert(account.clone(), value.clone());
            Ok(())
        }

        fn remove(&self, account: &Account) -> Result<bool, KeyringError> {
            self.ask()?;
            Ok(self.held.lock().unwrap().remove(account).is_some())
        }

        fn list(&self) -> Result<Vec<Account>, KeyringError> {
            self.ask()?;
            Ok(self.held.lock().unwrap().keys().cloned().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::fake::FakeKeyring;
    use super::*;

    #[test]
    fn names_read_back() {
        let account = Account { folder: "/home/a@b/bot".into(), profile: "dev".into(), name: "OPENAI_API_KEY".into() };
        assert_eq!(account.to_string(), "dev/OPENAI_API_KEY@/home/a@b/bot");
        assert_eq!(Account::parse(&account.to_string()), Some(account));
        for foreign in ["", "dev", "dev/NAME", "dev/NAME@", "/NAME@/x", "dev/@/x", "x@y/z"] {
            assert_eq!(Account::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_keyring_that_hangs_is_left_behind() {
        let hanging: Arc<dyn Keyring> = Arc::new(FakeKeyring { hangs: true, ..FakeKeyring::default() });
        let patience = Duration::from_millis(50);
        let start = Instant::now();
        let answer = within(&hanging, patience, |keyring| keyring.list());
        assert_eq!(answer, Err(KeyringError::Late(patience)));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_keyring_that_panics_is_a_refusal() {
        let none: Arc<dyn Keyring> = Arc::new(NoKeyring);
        let answer = within(&none, Duration::from_secs(10), |_| -> Result<(), _> { std::panic::panic_any(()) });
        assert!(matches!(answer, Err(KeyringError::Refused(_))), "{answer:?}");
    }
}
