//! The keyring as a source of settings, and what is kept in it, with keyrings that work, fail and hang.

use std::fs;
use std::path::Path;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::config::keyring::fake::FakeKeyring;
use crate::config::{Environment, Resolution};

const SENTINEL: &str = "sk-sentinel-5ca1ab1e-0123456789";
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder, a keyring and an environment.
struct Bench {
    folder: TempDir,
    keyring: Arc<FakeKeyring>,
    environment: Environment,
}

impl Bench {
    fn new() -> Self {
        Self::with(FakeKeyring::default())
    }

    fn with(keyring: FakeKeyring) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, keyring: Arc::new(keyring), environment: Environment::new() }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn inputs(&self) -> Arc<Inputs> {
        let keyring = Arc::clone(&self.keyring);
        let (folder, environment) = (self.folder.path().to_owned(), self.environment.clone());
        Arc::new(Inputs { profile: None, environment, folder, keyring })
    }

    fn secrets(&self) -> Secrets {
        Secrets::open(self.inputs(), PATIENCE).unwrap()
    }

    fn keep(&self, name: &str) {
        self.secrets().set(secret_key(name).unwrap(), &Secret::new(SENTINEL)).unwrap();
    }

    fn resolve(&self) -> Resolution {
        resolve::resolve(&self.inputs(), &Flags::new())
    }

    /// The origin of a setting and what it overrides.
    fn origins(&self, name: &str) -> Vec<String> {
        let row = self.resolve().rows.into_iter().find(|row| row.key.name == name).unwrap();
        [row.origin].iter().chain(&row.overrides).map(ToString::to_string).collect()
    }
}

fn api_key() -> &'static Key {
    secret_key("OPENAI_API_KEY").unwrap()
}

#[test]
fn the_keyring_stands_between_environment_and_env_file() {
    let project = "profiles: {dev: {settings: {OPENAI_API_KEY: sk-project}}}";
    let bench = Bench::new().file(".env", "OPENAI_API_KEY=sk-file\n").file("chatbotctl.yaml", project);
    assert_eq!(bench.origins("OPENAI_API_KEY"), [".env:1", "chatbotctl.yaml:dev"]);
    bench.keep("OPENAI_API_KEY");
    assert_eq!(bench.origins("OPENAI_API_KEY"), ["keyring", ".env:1", "chatbotctl.yaml:dev"]);
    let settings = bench.resolve().settings.unwrap();
    assert_eq!(settings.assistant.chat.api_key, Some(Secret::new(SENTINEL)));
    let asked = bench.keyring.asked();
    let bench = bench.env("OPENAI_API_KEY", "sk-environment");
    assert_eq!(bench.origins("OPENAI_API_KEY"), ["environment", "keyring", ".env:1", "chatbotctl.yaml:dev"]);
    assert_eq!(bench.keyring.asked(), asked, "nobody needs its value");
    let bench = bench.env("OPENAI_API_KEY", " ");
    assert_eq!(bench.origins("OPENAI_API_KEY")[0], "keyring", "an empty variable is no value");
}

#[test]
fn a_folder_that_keeps_nothing_opens_no_keyring() {
    let bench = Bench::with(FakeKeyring { hangs: true, ..FakeKeyring::default() }).file(".env", "LOG_LEVEL=debug\n");
    assert!(bench.resolve().settings.is_some());
    assert_eq!(bench.keyring.asked(), 0);
    let register = r#"{"folder": "FOLDER", "profiles": {"prod": ["OPENAI_API_KEY"], "dev": ["SERVER_PORT", "OTHER"]}}"#;
    let register = register.replace("FOLDER", &place_of(bench.folder.path()).unwrap());
    let bench = bench.file(".chatbotctl/keyring.json", &register);
    assert!(bench.resolve().settings.is_some());
    assert_eq!(bench.keyring.asked(), 0, "another profile's secrets, and what is no secret, are not looked for");
}

#[test]
fn a_keyring_that_hangs_costs_two_seconds_and_a_warning() {
    let bench = Bench::new().file(".env", "OPENAI_API_KEY=sk-file\n");
    bench.keep("OPENAI_API_KEY");
    let bench = Bench { keyring: Arc::new(FakeKeyring { hangs: true, ..FakeKeyring::default() }), ..bench };
    let start = Instant::now();
    let resolution = bench.resolve();
    assert!(resolution.is_cut_off);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(resolution.warnings.iter().any(|warning| warning.contains("within 2 s")), "{:?}", resolution.warnings);
    assert_eq!(resolution.settings.unwrap().assistant.chat.api_key, Some(Secret::new("sk-file")));
}

#[test]
fn one_failing_keyring_is_told_once_for_all_names() {
    let bench = Bench::new();
    bench.keep("OPENAI_API_KEY");
    bench.keep("EMBEDDING_API_KEY");
    let asked = bench.keyring.asked();
    *bench.keyring.fails.lock().unwrap() = Some(KeyringError::Locked);
    let warnings = bench.resolve().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("`OPENAI_API_KEY`, `EMBEDDING_API_KEY`"), "{warnings:?}");
    assert_eq!(bench.keyring.asked(), asked + 1, "a locked keyring is asked once");
}

#[test]
fn what_is_gone_from_the_keyring_is_told() {
    let bench = Bench::new();
    bench.keep("OPENAI_API_KEY");
    bench.keyring.held.lock().unwrap().clear();
    let resolution = bench.resolve();
    let warnings = resolution.warnings;
    assert!(warnings.iter().any(|warning| warning.contains("no longer there")), "{warnings:?}");
    assert!(!resolution.is_cut_off, "it has answered");
    let listing = bench.secrets().list().unwrap();
    assert_eq!((listing.own[0].shown.as_ref(), listing.own[0].is_used), (None, true));
}

/// A folder made by somebody else must not get the secrets of this one by naming it.
#[test]
fn a_copied_register_opens_nothing() {
    let bench = Bench::new();
    bench.keep("OPENAI_API_KEY");
    let copied = fs::read_to_string(bench.path(".chatbotctl/keyring.json")).unwrap();
    let other = Bench { folder: tempfile::tempdir().unwrap(), keyring: Arc::clone(&bench.keyring), ..Bench::new() };
    let other = other.file(".chatbotctl/keyring.json", &copied);
    let asked = bench.keyring.asked();
    let resolution = other.resolve();
    assert_eq!(other.keyring.asked(), asked);
    assert!(resolution.warnings.iter().any(|warning| warning.contains("moved or copied")), "{:?}", resolution.warnings);
    assert_eq!(resolution.settings.unwrap().assistant.chat.api_key, None);
    // A register that lies about its folder leads to that folder's own name, which has nothing.
    let lie = copied.replace(&place_of(bench.folder.path()).unwrap(), &place_of(other.folder.path()).unwrap());
    let other = other.file(".chatbotctl/keyring.json", &lie);
    assert_eq!(other.resolve().settings.unwrap().assistant.chat.api_key, None);
    let listing = other.secrets().list().unwrap();
    assert_eq!(listing.elsewhere.len(), 1);
    assert!(other.secrets().remove(api_key(), Some(&listing.elsewhere[0].folder)).unwrap());
    assert!(bench.keyring.held.lock().unwrap().is_empty());
}

#[test]
fn a_broken_register_is_a_problem_with_its_place() {
    let bench = Bench::new().file(".chatbotctl/keyring.json", "SENTINEL");
    let resolution = bench.resolve();
    assert!(resolution.settings.is_none());
    assert!(resolution.problems[0].to_string().contains("keyring.json"), "{:?}", resolution.problems);
    assert!(matches!(Secrets::open(bench.inputs(), PATIENCE), Err(SecretsError::Register(_))));
}

#[test]
fn values_are_checked_before_anything_is_done() {
    let bench = Bench::new();
    for (name, value) in [
        ("OPENAI_API_KEY", ""),
        ("OPENAI_API_KEY", " \n"),
        ("OPENAI_API_KEY", "SENTINEL\nx"),
        ("OPENAI_API_KEY", "SENTINEL\0"),
        ("VISITOR_KEY", "SENTINEL"),
        ("DATABASE_URL", "mysql://SENTINEL"),
    ] {
        let error = bench.secrets().set(secret_key(name).unwrap(), &Secret::new(value)).unwrap_err();
        assert!(matches!(error, SecretsError::Value { .. }), "{name} {value:?}: {error}");
        assert!(!format!("{error} {error:?}").contains("SENTINEL"), "{error}");
    }
    assert_eq!(bench.keyring.asked(), 0);
    assert!(!bench.path(".chatbotctl").exists());
}

/// C2: what stands where a name belongs may be a value.
#[test]
fn names_are_judged_without_being_repeated() {
    assert!(matches!(secret_key("SERVER_PORT"), Err(SecretsError::NotSecret("SERVER_PORT"))));
    let error = secret_key("OPENAI_API_KYE").unwrap_err().to_string();
    assert!(error.contains("did you mean `OPENAI_API_KEY`"), "{error}");
    assert!(!secret_key(SENTINEL).unwrap_err().to_string().contains("5ca1ab1e"));
}

/// C4: no service, no file.
#[test]
fn without_a_service_nothing_is_written() {
    let bench = Bench::new();
    *bench.keyring.fails.lock().unwrap() = Some(KeyringError::NoService("none".to_owned()));
    let error = bench.secrets().set(api_key(), &Secret::new(SENTINEL)).unwrap_err();
    assert!(matches!(error, SecretsError::Keyring(KeyringError::NoService(_))));
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 0);
}

/// Takes reads, and refuses to write.
struct ReadOnly;

impl Keyring for ReadOnly {
    fn get(&self, _account: &Account) -> Result<Option<Secret>, KeyringError> {
        Ok(None)
    }

    fn set(&self, _account: &Account, _value: &Secret) -> Result<(), KeyringError> {
        Err(KeyringError::Locked)
    }

    fn remove(&self, _account: &Account) -> Result<bool, KeyringError> {
        Err(KeyringError::Locked)
    }

    fn list(&self) -> Result<Vec<Account>, KeyringError> {
        Err(KeyringError::CannotList)
    }
}

#[test]
fn what_was_not_kept_is_not_registered() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = Inputs { folder: folder.path().to_owned(), keyring: Arc::new(ReadOnly), ..Inputs::default() };
    let secrets = Secrets::open(Arc::new(inputs), PATIENCE).unwrap();
    secrets.set(api_key(), &Secret::new(SENTINEL)).unwrap_err();
    assert_eq!(Register::load(folder.path()).unwrap(), None);
    assert_eq!(secrets.list().unwrap(), Listing::default(), "a keyring that cannot be searched is no failure");
}

#[test]
fn removing_forgets_the_name_too() {
    let bench = Bench::new();
    bench.keep("OPENAI_API_KEY");
    assert!(bench.secrets().remove(api_key(), None).unwrap());
    assert_eq!(Register::load(bench.folder.path()).unwrap(), None);
    assert!(!bench.secrets().remove(api_key(), None).unwrap());
}

#[test]
fn a_trace_names_every_source_and_shows_no_value() {
    let bench = Bench::new().file(".env", &format!("OPENAI_API_KEY={SENTINEL}\n")).env("OPENAI_API_KEY", SENTINEL);
    bench.keep("OPENAI_API_KEY");
    let trace = bench.secrets().trace(api_key()).unwrap();
    let origins: Vec<String> = trace.sources.iter().map(|source| source.origin.to_string()).collect();
    assert_eq!(origins, ["environment", "keyring", ".env:1"]);
    assert!(trace.sources.iter().all(|source| source.shown == trace.sources[0].shown), "equal values, equal prints");
    assert!(!format!("{trace:?}").contains("5ca1ab1e"));
}

#[test]
fn a_profile_that_is_not_known_keeps_nothing() {
    let bench = Bench::new();
    let inputs = Inputs { profile: Some("prdo".to_owned()), ..Arc::into_inner(bench.inputs()).unwrap() };
    let secrets = Secrets::open(Arc::new(inputs), PATIENCE).unwrap();
    let error = secrets.set(api_key(), &Secret::new(SENTINEL)).unwrap_err();
    assert!(matches!(&error, SecretsError::Profile(why) if why.contains("did you mean `prod`")), "{error}");
    assert!(!Path::new(&bench.path(".chatbotctl")).exists());
}
