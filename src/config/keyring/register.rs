//! `.chatbotctl/keyring.json`: which secrets of this folder lie in the keyring. Names only.
//!
//! Without it nobody looks into a keyring, so that a command in a folder that keeps nothing there costs nothing, asks
//! for no service, and makes no desktop ask for a password. It says of which folder it is: moved or copied, it does
//! not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The folder of the file, in the project's folder. It does not follow `STATE_DIR`, which is a setting itself.
pub const FOLDER: &str = ".chatbotctl";
const FILE: &str = "keyring.json";
const LOCK: &str = "keyring.lock";
/// Larger files are not ours.
const MAX_BYTES: u64 = 64 * 1024;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The project's folder when the secrets were kept, by its real path.
    pub folder: String,
    /// The names of settings, by profile.
    pub profiles: BTreeMap<String, BTreeSet<String>>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Its content.
    #[error("`{FOLDER}/{FILE}` is not as this program writes it ({0}); remove it and keep the secrets again")]
    Malformed(String),
    /// What the system says.
    #[error("`{FOLDER}/{FILE}` cannot be {what}: {source}")]
    Io {
        /// What was tried, as a participle.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The folder's path is a part of each secret's name.
    #[error("the path of this folder is not UTF-8 text; the keyring needs it as a part of each name")]
    Folder,
}

/// The real path of the project's folder, as text.
pub fn place_of(folder: &Path) -> Result<String, RegisterError> {
    // An empty path is the working directory.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let real = fs::canonicalize(folder).map_err(|source| RegisterError::Io { what: "looked for", source })?;
    real.into_os_string().into_string().map_err(|_| RegisterError::Folder)
}

impl Register {
    /// Reads the file in `folder`; nothing when it is absent.
    pub fn load(folder: &Path) -> Result<Option<Self>, RegisterError> {
        let file = match File::open(path(folder)) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => return Err(RegisterError::Io { what: "opened", source }),
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| RegisterError::Io { what: "read", source })?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(RegisterError::Malformed("it is too large".to_owned()));
        }
        let malformed = |error: serde_json::Error| {
            RegisterError::Malformed(format!("line {}, column {}", error.line(), error.column()))
        };
        serde_json::from_slice(&bytes).map(Some).map_err(malformed)
    }

    /// Whether a secret of the profile lies in the keyring.
    pub fn holds(&self, profile: &str, name: &str) -> bool {
        self.profiles.get(profile).is_some_and(|names| names.contains(name))
    }

    /// Notes a name. Of another folder's names none stays.
    pub fn add(folder: &Path, profile: &str, name: &str) -> Result<(), RegisterError> {
        let place = place_of(folder)?;
        change(folder, |register| {
            if register.folder != place {
                *register = Self { folder: place, profiles: BTreeMap::new() };
            }
            register.profiles.entry(profile.to_owned()).or_default().insert(name.to_owned())
        })
    }

    /// Forgets a name. The file goes with its last one.
    pub fn remove(folder: &Path, profile: &str, name: &str) -> Result<(), RegisterError> {
        if Self::load(folder)?.is_none_or(|register| !register.holds(profile, name)) {
            return Ok(());
        }
        change(folder, |register| {
            let removed = register.profiles.get_mut(profile).is_some_and(|names| names.remove(name));
            register.profiles.retain(|_, names| !names.is_empty());
            removed
        })
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join(FILE)
}

/// Reads, changes and writes the file, one process at a time.
fn change(folder: &Path, change: impl FnOnce(&mut Register) -> bool) -> Result<(), RegisterError> {
    let written = |source| RegisterError::Io { what: "written", source };
    let home = folder.join(FOLDER);
    fs::create_dir_all(&home).map_err(written)?;
    let lock = File::options().create(true).truncate(false).write(true).open(home.join(LOCK)).map_err(written)?;
    lock.lock().map_err(written)?;
    let mut register = Register::load(folder)?.unwrap_or_default();
    if !change(&mut register) {
        return Ok(());
    }
    if register.profiles.is_empty() {
        return fs::remove_file(path(folder)).map_err(written);
    }
    let mut draft = tempfile::Builder::new().prefix(".keyring-").tempfile_in(&home).map_err(written)?;
    let text = serde_json::to_string_pretty(&register).map_err(|error| written(error.into()))?;
    draft.write_all(text.as_bytes()).map_err(written)?;
    draft.as_file().sync_all().map_err(written)?;
    draft.persist(path(folder)).map(drop).map_err(|error| written(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(Register::load(at).unwrap(), None);
        Register::remove(at, "dev", "A").unwrap();
        assert!(!at.join(FOLDER).exists(), "forgetting makes nothing");
        Register::add(at, "dev", "A").unwrap();
        Register::add(at, "dev", "A").unwrap();
        Register::add(at, "prod", "B").unwrap();
        let register = Register::load(at).unwrap().unwrap();
        assert!(register.holds("dev", "A") && register.holds("prod", "B") && !register.holds("dev", "B"));
        assert_eq!(register.folder, place_of(at).unwrap());
        Register::remove(at, "dev", "A").unwrap();
        Register::remove(at, "prod", "B").unwrap();
        assert_eq!(Register::load(at).unwrap(), None);
    }

    #[test]
    fn several_at_once_lose_none() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..20).map(|number| format!("N{number}")).collect();
        std::thread::scope(|scope| {
            for name in &names {
                scope.spawn(|| Register::add(folder.path(), "dev", name).unwrap());
            }
        });
        let register = Register::load(folder.path()).unwrap().unwrap();
        assert!(names.iter().all(|name| register.holds("dev", name)), "{register:?}");
    }

    #[test]
    fn another_folders_names_do_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join(FOLDER);
        fs::create_dir(&home).unwrap();
        fs::write(home.join(FILE), r#"{"folder": "/elsewhere", "profiles": {"dev": ["A"]}}"#).unwrap();
        Register::add(folder.path(), "dev", "B").unwrap();
        let register = Register::load(folder.path()).unwrap().unwrap();
        assert!(register.holds("dev", "B") && !register.holds("dev", "A"));
    }

    #[test]
    fn what_is_not_ours_is_refused_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join(FOLDER);
        fs::create_dir(&home).unwrap();
        for text in ["", "[]", "{}", r#"{"folder": "/x", "profiles": {}, "value": "SENTINEL"}"#] {
            fs::write(home.join(FILE), text).unwrap();
            let error = Register::load(folder.path()).unwrap_err();
            assert!(matches!(error, RegisterError::Malformed(_)), "{text}");
            assert!(!error.to_string().contains("SENTINEL"));
        }
        fs::write(home.join(FILE), " ".repeat(70_000)).unwrap();
        assert!(Register::load(folder.path()).is_err());
    }
}
