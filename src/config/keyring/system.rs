//! The keyring of the operating system: the Secret Service over D-Bus (GNOME Keyring, KWallet, KeePassXC …), the
//! macOS keychain, the Windows credential manager.
//!
//! The library keeps one connection for the process, made at the first call.

use std::collections::HashMap;

use keyring::{Entry, Error};

use crate::config::keyring::{Account, Keyring, KeyringError};
use crate::secret::Secret;

/// The name under which this program's secrets stand.
const SERVICE: &str = "chatbotctl";

/// The operating system's own keyring.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemKeyring;

impl Keyring for SystemKeyring {
    fn get(&self, account: &Account) -> Result<Option<Secret>, KeyringError> {
        absent_is_none(entry(account)?.get_password().map(Secret::new))
    }

    fn set(&self, account: &Account, value: &Secret) -> Result<(), KeyringError> {
        entry(account)?.set_password(value.expose()).map_err(told)
    }

    fn remove(&self, account: &Account) -> Result<bool, KeyringError> {
        absent_is_none(entry(account)?.delete_credential()).map(|removed| removed.is_some())
    }

    fn list(&self) -> Result<Vec<Account>, KeyringError> {
        open()?;
        let found =
            keyring_core::Entry::search(&HashMap::from([("service", SERVICE)])).map_err(|error| match error {
                Error::NotSupportedByStore(_) | Error::Invalid(..) => KeyringError::CannotList,
                other => told(other),
            })?;
        let mut accounts: Vec<Account> = found
            .iter()
            .filter_map(keyring_core::Entry::get_specifiers)
            .filter(|(service, _)| service == SERVICE)
            .filter_map(|(_, user)| Account::parse(&user))
            .collect();
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }
}

/// Connects to the service, once in a process.
fn open() -> Result<(), KeyringError> {
    match Entry::store_status() {
        Ok(()) => Ok(()),
        Err(Error::PlatformFailure(error) | Error::NoStorageAccess(error)) => {
            Err(KeyringError::NoService(error.to_string()))
        }
        Err(_) => Err(KeyringError::NoService("this system has none that is known".to_owned())),
    }
}

fn entry(account: &Account) -> Result<Entry, KeyringError> {
    open()?;
    Entry::new(SERVICE, &account.to_string()).map_err(told)
}

fn absent_is_none<T>(answer: Result<T, Error>) -> Result<Option<T>, KeyringError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(told(error)),
    }
}

/// The library's error in our words. Some of its variants carry the secret's bytes, so none is shown as a whole.
fn told(error: Error) -> KeyringError {
    match error {
        Error::NoStorageAccess(_) => KeyringError::Locked,
        Error::PlatformFailure(error) => KeyringError::Refused(error.to_string()),
        Error::Ambiguous(_) => KeyringError::Ambiguous,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyringError::NotText,
        Error::TooLong(_, limit) => KeyringError::Refused(format!("name or value is longer than {limit} characters")),
        Error::NoDefaultStore => KeyringError::NoService("it could not be opened".to_owned()),
        _ => KeyringError::Refused("it does not take this name or value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_tells_what_is_kept() {
        let bytes = b"SENTINEL".to_vec();
        for error in [Error::BadEncoding(bytes.clone()), Error::BadDataFormat(bytes, "SENTINEL".into())] {
            let told = told(error);
            assert!(!format!("{told} {told:?}").contains("SENTINEL"));
            assert!(!format!("{told:?}").contains("83"), "nor its bytes");
        }
    }
}
