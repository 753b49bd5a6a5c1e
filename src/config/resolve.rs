//! Merges the sources: flag over process environment over the keyring (secrets only) over the profile's env file over
//! the profile in `chatbotctl.yaml` (and there the profile over its base) over the default.
//!
//! All problems are found at once. An empty value counts as unset. The keyring is asked for what the flags and the
//! environment do not give, and only when the folder keeps something there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::effective::Effective;
use crate::config::keyring::{self, Kept, Keyring, NoKeyring};
use crate::config::keys::{Effect, KEYS, Key};
use crate::config::mask::{self, Redactor};
use crate::config::settings::{Base, Settings};
use crate::config::source::{self, Sources};
use crate::config::{Environment, build, project, rules};

/// What settings are resolved from, beside a command's own flags.
#[derive(Clone)]
pub struct Inputs {
    /// `--profile`.
    pub profile: Option<String>,
    /// The process environment.
    pub environment: Environment,
    /// The working directory.
    pub folder: PathBuf,
    /// The keeper of secrets. It is asked on a thread of its own.
    pub keyring: Arc<dyn Keyring>,
}

impl Default for Inputs {
    /// Nothing at all, and no keyring.
    fn default() -> Self {
        let environment = Environment::default();
        Self { profile: None, environment, folder: PathBuf::new(), keyring: Arc::new(NoKeyring) }
    }
}

/// Settings that flags give: key of the table and value, as typed.
pub type Flags = BTreeMap<&'static str, String>;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// The process environment.
    Environment,
    /// The operating system's keyring.
    Keyring,
    /// A line of an env file.
    EnvFile {
        /// The file's name.
        name: String,
        /// Counted from 1.
        line: usize,
    },
    /// A profile of `chatbotctl.yaml`.
    Project {
        /// The profile.
        profile: String,
    },
    /// Nothing set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment => f.write_str("environment"),
            Self::Keyring => f.write_str("keyring"),
            Self::EnvFile { name, line } => write!(f, "{name}:{line}"),
            Self::Project { profile } => write!(f, "{}:{profile}", project::FILE_NAME),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Something wrong with a setting or with a file of settings. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingProblem {
    /// The setting, when it is about one.
    pub key: Option<&'static str>,
    /// Where it comes from: an origin, or a file with line and column.
    pub place: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl SettingProblem {
    /// A problem of one setting.
    pub fn new(key: &'static str, place: &str, message: impl Into<String>) -> Self {
        Self { key: Some(key), place: place.to_owned(), message: message.into() }
    }

    /// A problem of a file, or of the choice of profile.
    pub fn of_file(place: &str, message: impl Into<String>) -> Self {
        Self { key: None, place: place.to_owned(), message: message.into() }
    }
}

impl fmt::Display for SettingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) => write!(f, "`{key}` ({}) {}", self.place, self.message),
            None => write!(f, "{}: {}", self.place, self.message),
        }
    }
}

/// One setting as shown.
#[derive(Debug, Clone)]
pub struct Row {
    /// The setting.
    pub key: &'static Key,
    /// Its value, a secret masked; nothing when unset.
    pub shown: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
    /// Sources that set it too and have no say, the strongest first.
    pub overrides: Vec<Origin>,
}

/// Every setting, and the settings as values when nothing is wrong.
#[derive(Debug)]
pub struct Resolution {
    /// The profile.
    pub profile: String,
    /// What it builds on.
    pub base: Base,
    /// The env file that was read.
    pub env_file: Option<String>,
    /// Every setting, in the order of the table; none when the profile is not known.
    pub rows: Vec<Row>,
    /// The settings; nothing when there are problems.
    pub settings: Option<Settings>,
    /// What is wrong.
    pub problems: Vec<SettingProblem>,
    /// What should be told.
    pub warnings: Vec<String>,
    /// Whether a secret may be missing because the keyring did not answer. The warnings say why.
    pub is_cut_off: bool,
}

/// A setting as found, its value in the clear: never leaves this module's siblings.
pub(super) struct Found {
    pub(super) key: &'static Key,
    pub(super) value: Option<String>,
    pub(super) origin: Origin,
    pub(super) overrides: Vec<Origin>,
}

/// All settings as found.
pub(super) struct FoundAll(Vec<Found>);

impl FoundAll {
    /// What was found for a setting.
    pub(super) fn find(&self, name: &str) -> Option<&Found> {
        self.0.iter().find(|found| found.key.name == name)
    }

    /// Its value.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(|found| found.value.as_deref())
    }

    /// All of them, to be compared.
    pub(super) fn effective(&self, profile: String) -> Effective {
        Effective::new(profile, self.0.iter().map(|found| (found.key, found.value.as_deref())))
    }
}

impl Found {
    /// A problem of this value, told without showing a secret.
    pub(super) fn problem(&self, message: &str) -> SettingProblem {
        let value = match &self.value {
            Some(value) => format!("is {}: ", mask::told(self.key, value)),
            None => String::new(),
        };
        SettingProblem::new(self.key.name, &self.origin.to_string(), format!("{value}{message}"))
    }
}

/// Resolves all settings of the chosen profile.
pub fn resolve(inputs: &Inputs, flags: &Flags) -> Resolution {
    let mut sources = source::load(inputs);
    let mut problems = std::mem::take(&mut sources.problems);
    let mut warnings = std::mem::take(&mut sources.warnings);
    let is_given = |key: &Key| given(key, inputs, flags).any(|(_, value)| !value.trim().is_empty());
    let mut kept =
        keyring::kept(&inputs.folder, &sources.profile, sources.register.as_ref(), &inputs.keyring, is_given);
    warnings.append(&mut kept.warnings);
    problems.extend(KEYS.iter().filter_map(|key| unreadable_variable(key, inputs)));
    let mut found: Vec<Found> = KEYS.iter().map(|key| find(key, inputs, flags, &sources, &kept)).collect();
    let faults: Vec<SettingProblem> = found.iter().filter_map(|found| fault(found, inputs)).collect();
    rules::default_auth_mode(&mut found, sources.base);
    let found = FoundAll(found);
    let judged = rules::judge(&found, sources.base);
    // A value that is malformed is told once, as that.
    problems.extend(judged.problems.into_iter().filter(|rule| faults.iter().all(|fault| fault.key != rule.key)));
    problems.splice(0..0, faults);
    warnings.extend(judged.warnings);
    warnings.extend(without_effect(&found));
    let redactor = redactor(&found);
    let settings = if problems.is_empty() {
        build::settings(&found, &sources.profile, sources.base).map_err(|problem| problems.push(problem)).ok()
    } else {
        None
    };
    for problem in &mut problems {
        problem.message = redactor.redact(&problem.message);
    }
    let warnings: Vec<String> = warnings.iter().map(|warning| redactor.redact(warning)).collect();
    Resolution {
        profile: redactor.redact(&sources.profile),
        base: sources.base,
        env_file: sources.env_file.map(|(name, _)| name),
        rows: found.0.into_iter().filter(|_| sources.is_known).map(|found| row(found, &redactor)).collect(),
        settings: settings.map(|settings| Settings { warnings: warnings.clone(), ..settings }),
        problems,
        warnings,
        is_cut_off: kept.is_cut_off,
    }
}

/// A setting's value by precedence.
fn find(key: &'static Key, inputs: &Inputs, flags: &Flags, sources: &Sources, kept: &Kept) -> Found {
    let mut candidates = candidates(key, inputs, flags, sources, kept).into_iter();
    let (origin, value) = match candidates.next() {
        Some((origin, value)) => (origin, Some(value)),
        None => (Origin::Default, key.default.map(str::to_owned)),
    };
    let mut overrides: Vec<Origin> = candidates.map(|(origin, _)| origin).collect();
    if kept.is_unread(key.name) {
        let place = overrides.iter().take_while(|origin| **origin == Origin::Environment).count();
        overrides.insert(place, Origin::Keyring);
    }
    Found { key, value, origin, overrides }
}

/// Every source that gives a setting, with its value, the strongest first.
pub(super) fn candidates(
    key: &'static Key,
    inputs: &Inputs,
    flags: &Flags,
    sources: &Sources,
    kept: &Kept,
) -> Vec<(Origin, String)> {
    let mut candidates: Vec<(Origin, String)> = given(key, inputs, flags).collect();
    candidates.extend(kept.value(key.name).map(|value| (Origin::Keyring, value.to_owned())));
    candidates.extend(from_files(key, sources));
    candidates.retain(|(_, value)| !value.trim().is_empty());
    candidates
}

/// What the flags and the environment say, the strongest first.
fn given(key: &Key, inputs: &Inputs, flags: &Flags) -> impl Iterator<Item = (Origin, String)> {
    let flag = flags.get(key.name).map(|value| (Origin::Flag(key.flag.unwrap_or("of the command")), value.clone()));
    let variable = inputs.environment.get(OsStr::new(key.name)).and_then(|value| value.to_str());
    flag.into_iter().chain(variable.map(|value| (Origin::Environment, value.to_owned())))
}

/// A variable that holds no text is no value, and is told.
fn unreadable_variable(key: &Key, inputs: &Inputs) -> Option<SettingProblem> {
    let value = inputs.environment.get(OsStr::new(key.name))?;
    let problem = || SettingProblem::new(key.name, "environment", "is not UTF-8 text; set it again");
    value.to_str().is_none().then(problem)
}

/// What the env file and `chatbotctl.yaml` say, the strongest first.
fn from_files(key: &Key, sources: &Sources) -> Vec<(Origin, String)> {
    let env = sources.env_file.as_ref().and_then(|(name, file)| {
        let entry = file.get(key.name)?;
        Some((Origin::EnvFile { name: name.clone(), line: entry.line }, entry.value.clone()))
    });
    let mut profiles = vec![sources.profile.as_str()];
    if sources.profile != sources.base.name() {
        profiles.push(sources.base.name());
    }
    let project = profiles.into_iter().filter_map(|profile| {
        let entry = sources.project.entry(profile)?;
        let (_, value) = entry.settings.iter().find(|(name, _)| *name == key.name)?;
        Some((Origin::Project { profile: profile.to_owned() }, value.clone()))
    });
    env.into_iter().chain(project).collect()
}

/// What is wrong with a value by itself.
fn fault(found: &Found, inputs: &Inputs) -> Option<SettingProblem> {
    let value = found.value.as_deref()?;
    let outcome = if value.contains('\0') {
        Err("must not hold a NUL character".to_owned())
    } else {
        found.key.kind.check(value, &inputs.folder)
    };
    outcome.err().map(|message| found.problem(&message))
}

/// One line about settings that somebody wrote down for this bot and that do nothing yet. The process environment
/// is not looked at: it is shared with other programs.
fn without_effect(found: &FoundAll) -> Option<String> {
    let is_written = |origin: &Origin| !matches!(origin, Origin::Environment | Origin::Default);
    let idle = |found: &&Found| matches!(found.key.effect, Effect::NotYet(_)) && is_written(&found.origin);
    let names: Vec<&str> = found.0.iter().filter(idle).map(|found| found.key.name).collect();
    if names.is_empty() {
        None
    } else {
        Some(format!("set without effect yet: {} (`chatbotctl env show` says why)", names.join(", ")))
    }
}

/// Knows the secrets among the values.
fn redactor(found: &FoundAll) -> Redactor {
    let secrets = found.0.iter().filter_map(|found| {
        let value = found.value.as_deref()?;
        match (found.key.kind.is_url(), found.key.secret) {
            (true, _) => mask::url_password(value),
            (false, true) => Some(value),
            (false, false) => None,
        }
    });
    Redactor::new(secrets)
}

fn row(found: Found, redactor: &Redactor) -> Row {
    let shown = found.value.as_deref().map(|value| redactor.redact(&mask::shown(found.key, value)));
    Row { key: found.key, shown, origin: found.origin, overrides: found.overrides }
}
