//! What `chatbotctl secret` does: keeps secrets of a profile in the keyring and tells where one comes from.
//!
//! A value leaves only through [`Secrets::get`]; everything else is masked when it is made. The register is written
//! before the keyring when a secret is kept, and after it when one is removed: a crash in between leaves a name that
//! is told as missing, never a secret that nobody names.

use std::sync::Arc;
use std::time::Duration;

use crate::config::keyring::{self, Account, Keyring, KeyringError, Register, RegisterError, place_of, within};
use crate::config::keys::{self, KEYS, Key};
use crate::config::source::{self, Sources};
use crate::config::{Flags, Inputs, Origin, mask, resolve, suggest};
use crate::secret::Secret;

/// Why a secret was not kept, found or removed. No variant holds a value, nor a text that might be one.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The text may be a value in the wrong place, so it is not repeated.
    #[error("there is no setting of that name{0}")]
    Unknown(String),
    /// Other settings may be shown, and belong into files.
    #[error("`{0}` is no secret; write it into the env file or chatbotctl.yaml")]
    NotSecret(&'static str),
    /// The profile is not known.
    #[error("{0}")]
    Profile(String),
    /// The value is not what the setting takes.
    #[error("the value of `{name}` {message}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What would be right.
        message: String,
    },
    /// The register.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

/// A secret of the keyring with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptValue {
    /// The value.
    pub value: Secret,
    /// The value masked.
    pub shown: String,
}

/// A secret in the keyring, as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// Its profile.
    pub profile: String,
    /// The setting.
    pub name: String,
    /// The value masked, as `env show` shows it; nothing when the keyring no longer has it.
    pub shown: Option<String>,
    /// Whether settings are read from there. One that the register does not name is not.
    pub is_used: bool,
}

/// What lies in the keyring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The secrets of this folder, by profile and name.
    pub own: Vec<KeptSecret>,
    /// The names of those of other folders, when the keyring tells.
    pub elsewhere: Vec<Account>,
}

/// One source of a setting, as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub origin: Origin,
    /// Its value, masked.
    pub shown: String,
}

/// All sources of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The sources that give a value, the strongest first: that one counts.
    pub sources: Vec<Source>,
    /// What should be told.
    pub warnings: Vec<String>,
}

/// The secrets of one profile of one folder.
pub struct Secrets {
    inputs: Arc<Inputs>,
    sources: Sources,
    place: String,
    patience: Duration,
}

/// The secret setting of this name.
pub fn secret_key(name: &str) -> Result<&'static Key, SecretsError> {
    match keys::find(name) {
        Some(key) if key.secret => Ok(key),
        Some(key) => Err(SecretsError::NotSecret(key.name)),
        None => {
            let secrets = KEYS.iter().filter(|key| key.secret).map(|key| key.name);
            Err(SecretsError::Unknown(suggest::hint(name, secrets)))
        }
    }
}

impl Secrets {
    /// Those of the chosen profile. Settings need not be valid for it; `patience` bounds each answer of the keyring.
    pub fn open(inputs: Arc<Inputs>, patience: Duration) -> Result<Self, SecretsError> {
        let sources = source::load(&inputs);
        // What is wrong with the register was told to the sources as one problem among others; here it is the matter.
        Register::load(&inputs.folder)?;
        Ok(Self { place: place_of(&inputs.folder)?, inputs, sources, patience })
    }

    /// The profile.
    pub fn profile(&self) -> &str {
        &self.sources.profile
    }

    /// Keeps a value and says how it is shown. One that the setting does not take is refused before anything is done.
    pub fn set(&self, key: &'static Key, value: &Secret) -> Result<String, SecretsError> {
        self.check_profile()?;
        self.check(key, value.expose()).map_err(|message| SecretsError::Value { name: key.name, message })?;
        let account = self.account(key.name);
        // Asked first, so that a machine without a keyring is left without a register.
        let before = self.ask(|keyring, account| keyring.get(account), &account)?;
        Register::add(&self.inputs.folder, self.profile(), key.name)?;
        let value = value.clone();
        let shown = mask::shown(key, value.expose());
        let kept = self.ask(move |keyring, account| keyring.set(account, &value), &account);
        if kept.is_err() && before.is_none() {
            Register::remove(&self.inputs.folder, self.profile(), key.name)?;
        }
        Ok(kept.map(|()| shown)?)
    }

    /// The value in the keyring, whatever other sources say.
    pub fn get(&self, key: &'static Key) -> Result<Option<KeptValue>, SecretsError> {
        self.check_profile()?;
        let found = self.ask(|keyring, account| keyring.get(account), &self.account(key.name))?;
        Ok(found.map(|value| KeptValue { shown: mask::shown(key, value.expose()), value }))
    }

    /// Removes a secret, of this folder or of the one that is named; false when there was none.
    pub fn remove(&self, key: &'static Key, folder: Option<&str>) -> Result<bool, SecretsError> {
        let mut account = self.account(key.name);
        if let Some(folder) = folder {
            folder.clone_into(&mut account.folder);
        }
        let was_there = self.ask(|keyring, account| keyring.remove(account), &account)?;
        let is_ours = |register: &Register| register.folder == account.folder;
        if self.sources.register.as_ref().is_some_and(is_ours) {
            Register::remove(&self.inputs.folder, self.profile(), key.name)?;
        }
        Ok(was_there)
    }

    /// Everything that this program keeps in the keyring: this folder's with how it is shown, other folders' by name.
    pub fn list(&self) -> Result<Listing, SecretsError> {
        let register = self.sources.register.clone().filter(|register| register.folder == self.place);
        let registered = register
            .clone()
            .unwrap_or_default()
            .profiles
            .into_iter()
            .flat_map(|(profile, names)| names.into_iter().map(move |name| (profile.clone(), name)));
        let mut names: Vec<(String, String)> = registered.collect();
        let mut elsewhere = Vec::new();
        let listed = match within(&self.inputs.keyring, self.patience, |keyring| keyring.list()) {
            Err(KeyringError::CannotList) => Vec::new(),
            listed => listed?,
        };
        for account in listed {
            if account.folder == self.place {
                names.push((account.profile, account.name));
            } else {
                elsewhere.push(account);
            }
        }
        names.sort();
        names.dedup();
        let is_used = |profile: &str, name: &str| register.as_ref().is_some_and(|known| known.holds(profile, name));
        let own = names.into_iter().map(|(profile, name)| {
            let account = Account { folder: self.place.clone(), profile: profile.clone(), name: name.clone() };
            let value = self.ask(|keyring, account| keyring.get(account), &account)?;
            let shown = value.map(|value| match keys::find(&name) {
                Some(key) => mask::shown(key, value.expose()),
                None => mask::fingerprint(value.expose()),
            });
            Ok(KeptSecret { is_used: is_used(&profile, &name), profile, name, shown })
        });
        Ok(Listing { own: own.collect::<Result<_, KeyringError>>()?, elsewhere })
    }

    /// Every source that gives the setting. A keyring that cannot be read is a warning here: the others still count.
    pub fn trace(&self, key: &'static Key) -> Result<Trace, SecretsError> {
        self.check_profile()?;
        let register = self.sources.register.as_ref();
        let wanted: Vec<&Key> = [key].into_iter().filter(|key| self.is_registered(key)).collect();
        let folder = &self.inputs.folder;
        let kept = keyring::quietly(folder, self.profile(), register, &self.inputs.keyring, &wanted, self.patience);
        let sources = resolve::candidates(key, &self.inputs, &Flags::new(), &self.sources, &kept);
        let shown = |(origin, value): (Origin, String)| Source { origin, shown: mask::shown(key, &value) };
        Ok(Trace { sources: sources.into_iter().map(shown).collect(), warnings: kept.warnings })
    }

    fn is_registered(&self, key: &Key) -> bool {
        self.sources.register.as_ref().is_some_and(|register| register.holds(self.profile(), key.name))
    }

    /// Nobody could read what is kept for a profile that is not there.
    fn check_profile(&self) -> Result<(), SecretsError> {
        if self.sources.is_known {
            return Ok(());
        }
        let told: Vec<String> = self.sources.problems.iter().map(ToString::to_string).collect();
        Err(SecretsError::Profile(told.join("; ")))
    }

    fn check(&self, key: &Key, value: &str) -> Result<(), String> {
        if value.trim().is_empty() {
            return Err("is empty".to_owned());
        }
        if value.contains('\0') {
            return Err("must not hold a NUL character".to_owned());
        }
        key.kind.check(value, &self.inputs.folder)
    }

    fn account(&self, name: &str) -> Account {
        Account { folder: self.place.clone(), profile: self.profile().to_owned(), name: name.to_owned() }
    }

    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Keyring, &Account) -> Result<T, KeyringError> + Send + 'static,
        account: &Account,
    ) -> Result<T, KeyringError> {
        let account = account.clone();
        within(&self.inputs.keyring, self.patience, move |keyring| ask(keyring, &account))
    }
}

#[cfg(test)]
mod tests;
