//! What the keyring gives to one resolution of settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::keyring::{Account, Keyring, KeyringError, Register, SETTINGS_PATIENCE, place_of, within};
use crate::config::keys::{KEYS, Key};
use crate::secret::Secret;

/// The secrets of one profile that lie in the keyring.
#[derive(Default)]
pub(in crate::config) struct Kept {
    values: BTreeMap<&'static str, Secret>,
    /// Those whose value nobody needs, because a stronger source gives one: the keyring was not asked for them.
    unread: Vec<&'static str>,
    /// What should be told.
    pub(in crate::config) warnings: Vec<String>,
    /// Whether the keyring did not say what it has. One that says that it has nothing has answered.
    pub(in crate::config) is_cut_off: bool,
}

impl Kept {
    /// The value of a setting.
    pub(in crate::config) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(Secret::expose)
    }

    /// Whether one is there that was not read, since it has no say.
    pub(in crate::config) fn is_unread(&self, name: &str) -> bool {
        self.unread.contains(&name)
    }
}

/// Reads what the register names and no stronger source gives, within the time that settings may take.
pub(in crate::config) fn kept(
    folder: &Path,
    profile: &str,
    register: Option<&Register>,
    keyring: &Arc<dyn Keyring>,
    is_given: impl Fn(&Key) -> bool,
) -> Kept {
    let (given, wanted): (Vec<&Key>, Vec<&Key>) = registered(register, profile).partition(|key| is_given(key));
    let kept = quietly(folder, profile, register, keyring, &wanted, SETTINGS_PATIENCE);
    let is_here = register.is_some_and(|register| place_of(folder).is_ok_and(|place| place == register.folder));
    Kept { unread: given.iter().filter(|_| is_here).map(|key| key.name).collect(), ..kept }
}

/// Reads these settings and no others. Where nothing is wanted, nothing is opened.
pub(in crate::config) fn quietly(
    folder: &Path,
    profile: &str,
    register: Option<&Register>,
    keyring: &Arc<dyn Keyring>,
    wanted: &[&'static Key],
    patience: Duration,
) -> Kept {
    let Some(register) = register.filter(|_| !wanted.is_empty()) else {
        return Kept::default();
    };
    let place = match place_of(folder) {
        Ok(place) if place == register.folder => place,
        Ok(_) => return with_warning(moved(register, wanted)),
        Err(error) => return with_warning(format!("the keyring was not read: {error}")),
    };
    let accounts: Vec<(&'static str, Account)> =
        wanted.iter().map(|key| (key.name, account(&place, profile, key.name))).collect();
    let read = within(keyring, patience, move |keyring| Ok(read_all(keyring, accounts)));
    match read {
        Ok(answers) => sorted(answers),
        Err(error) => Kept { is_cut_off: true, ..with_warning(unread(wanted.iter().map(|key| key.name), &error)) },
    }
}

/// A setting and what the keyring said of it.
type Answer = (&'static str, Result<Option<Secret>, KeyringError>);

/// Asks for one after the other. What is wrong with one of them says nothing about the others, but where the keyring
/// itself is not to be had, it is not asked again.
fn read_all(keyring: &dyn Keyring, accounts: Vec<(&'static str, Account)>) -> Vec<Answer> {
    let mut closed: Option<KeyringError> = None;
    let ask = |(name, account): (&'static str, Account)| {
        let answer = closed.clone().map_or_else(|| keyring.get(&account), Err);
        if let Err(error @ (KeyringError::NoService(_) | KeyringError::Locked)) = &answer {
            closed = Some(error.clone());
        }
        (name, answer)
    };
    accounts.into_iter().map(ask).collect()
}

/// The secret settings that the register names for a profile.
fn registered(register: Option<&Register>, profile: &str) -> impl Iterator<Item = &'static Key> {
    let names = register.and_then(|register| register.profiles.get(profile));
    KEYS.iter().filter(move |key| key.secret && names.is_some_and(|names| names.contains(key.name)))
}

fn account(place: &str, profile: &str, name: &str) -> Account {
    Account { folder: place.to_owned(), profile: profile.to_owned(), name: name.to_owned() }
}

fn sorted(answers: Vec<Answer>) -> Kept {
    let mut kept = Kept::default();
    let mut failed: Vec<(KeyringError, Vec<&'static str>)> = Vec::new();
    for (name, answer) in answers {
        match answer {
            Ok(Some(value)) => {
                kept.values.insert(name, value);
            }
            Ok(None) => kept.warnings.push(format!(
                "`{name}` was kept in the keyring and is no longer there; `chatbotctl secret set {name}` keeps it again, \
                 `chatbotctl secret remove {name}` forgets it"
            )),
            Err(error) => match failed.iter_mut().find(|(other, _)| *other == error) {
                Some((_, names)) => names.push(name),
                None => failed.push((error, vec![name])),
            },
        }
    }
    kept.is_cut_off = !failed.is_empty();
    kept.warnings.extend(failed.into_iter().map(|(error, names)| unread(names.into_iter(), &error)));
    kept
}

fn unread<'a>(names: impl Iterator<Item = &'a str>, error: &KeyringError) -> String {
    format!("not read from the keyring: {}: {error}; other sources count instead", listed(names))
}

fn moved(register: &Register, wanted: &[&'static Key]) -> String {
    let names = listed(wanted.iter().map(|key| key.name));
    format!(
        "not read from the keyring: {names}: kept there for `{}`, and this folder was moved or copied; \
         `chatbotctl secret set NAME` keeps it for this folder",
        register.folder
    )
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn with_warning(warning: String) -> Kept {
    Kept { warnings: vec![warning], ..Kept::default() }
}
