//! Reads the files that settings come from: `chatbotctl.yaml` and the profile's env file.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use crate::config::dotenv::{self, EnvFile};
use crate::config::keyring::{REGISTER_FOLDER, Register};
use crate::config::keys::{self, KEYS};
use crate::config::project::{self, Project};
use crate::config::resolve::{Inputs, SettingProblem};
use crate::config::settings::Base;
use crate::config::suggest;

/// The variable that names the profile.
const PROFILE_VARIABLE: &str = "CHATBOTCTL_PROFILE";
/// The profile when nothing names one.
const DEFAULT_PROFILE: &str = "dev";

/// What the files say.
pub(super) struct Sources {
    /// The profile's name.
    pub(super) profile: String,
    /// What it builds on. A profile that is not known counts as `dev`; its problem keeps anything from starting.
    pub(super) base: Base,
    /// Whether that profile is known. The settings of one that is not would be those of another.
    pub(super) is_known: bool,
    /// `chatbotctl.yaml`.
    pub(super) project: Project,
    /// Name and content of the env file, when there is one.
    pub(super) env_file: Option<(String, EnvFile)>,
    /// Which of the folder's secrets lie in the keyring.
    pub(super) register: Option<Register>,
    /// What is wrong with the files.
    pub(super) problems: Vec<SettingProblem>,
    /// What should be told about them.
    pub(super) warnings: Vec<String>,
}

/// Reads the files of the working directory.
pub(super) fn load(inputs: &Inputs) -> Sources {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let project = load_project(&inputs.folder, &mut warnings).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let profile = profile_name(inputs).unwrap_or_else(|problem| {
        problems.push(problem);
        DEFAULT_PROFILE.to_owned()
    });
    let project_is_broken = project.is_none();
    let project = project.unwrap_or_default();
    let found = project.profile(&profile);
    if found.is_none() && !project_is_broken {
        problems.push(unknown_profile(&profile, &project));
    }
    let env_file = load_env_file(&inputs.folder, &profile, &mut warnings).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    if let Some((name, file)) = &env_file {
        problems.extend(file.faults.iter().map(|fault| fault_problem(name, fault)));
        warnings.extend(env_file_warnings(name, file));
    }
    warnings.extend(secrets_in_project(&project));
    let register = Register::load(&inputs.folder).unwrap_or_else(|error| {
        problems.push(SettingProblem::of_file(REGISTER_FOLDER, error.to_string()));
        None
    });
    let is_known = found.is_some() || project_is_broken;
    let base = found.map_or(Base::Dev, |found| found.base);
    Sources { profile, base, is_known, project, env_file, register, problems, warnings }
}

/// Every profile that this folder has, built-in or its own; those of a `chatbotctl.yaml` that cannot be read are left out.
pub fn profile_names(inputs: &Inputs) -> Vec<String> {
    let project = load_project(&inputs.folder, &mut Vec::new()).ok().flatten().unwrap_or_default();
    project.names().into_iter().map(str::to_owned).collect()
}

/// `--profile`, or the variable, or `dev`.
fn profile_name(inputs: &Inputs) -> Result<String, SettingProblem> {
    if let Some(name) = inputs.profile.as_ref().filter(|name| !name.is_empty()) {
        return Ok(name.clone());
    }
    let variable = inputs.environment.get(std::ffi::OsStr::new(PROFILE_VARIABLE));
    match variable.map(|value| value.to_str()) {
        None | Some(Some("")) => Ok(DEFAULT_PROFILE.to_owned()),
        Some(Some(name)) => Ok(name.to_owned()),
        Some(None) => Err(SettingProblem::new(PROFILE_VARIABLE, "environment", "is not UTF-8 text; set it again")),
    }
}

fn unknown_profile(name: &str, project: &Project) -> SettingProblem {
    let known = project.names();
    let hint = suggest::hint(name, known.iter().copied());
    let message = format!("profile `{name}` is not known; there are {}{hint}", known.join(", "));
    SettingProblem::of_file("--profile", message)
}

/// `chatbotctl.yaml`; nothing when it is broken, an empty one when it is absent.
fn load_project(folder: &Path, warnings: &mut Vec<String>) -> Result<Option<Project>, SettingProblem> {
    let Some(bytes) = read(folder, project::FILE_NAME, project::MAX_BYTES, warnings)? else {
        return Ok(Some(Project::default()));
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| SettingProblem::of_file(project::FILE_NAME, "is not UTF-8 text; save it as UTF-8"))?;
    project::parse(&text).map(Some).map_err(|error| SettingProblem::of_file(&error.place, error.message))
}

/// `PROFILE.env` or `.env.PROFILE`, else `.env`.
fn load_env_file(
    folder: &Path,
    profile: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<(String, EnvFile)>, SettingProblem> {
    let mut names = vec![".env".to_owned()];
    // A profile of another form is not known, and its name must not become a path.
    if project::is_profile_name(profile) {
        names.splice(0..0, [format!("{profile}.env"), format!(".env.{profile}")]);
        if names[..2].iter().all(|name| folder.join(name).is_file()) {
            warnings.push(format!("both `{}` and `{}` are here; `{}` counts", names[0], names[1], names[0]));
        }
    }
    for name in names {
        if let Some(bytes) = read(folder, &name, dotenv::MAX_BYTES, warnings)? {
            return Ok(Some((name, dotenv::parse_bytes(&bytes))));
        }
    }
    Ok(None)
}

/// The bytes of a file that may be absent. What is no file (a virtual environment in `.env/`, say) is told and passed.
fn read(
    folder: &Path,
    name: &str,
    max_bytes: u64,
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<u8>>, SettingProblem> {
    let path = folder.join(name);
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if !found.is_file() => {
            warnings.push(format!("`{name}` is not a file and was passed over"));
            return Ok(None);
        }
        Ok(_) | Err(_) => {}
    }
    let mut bytes = Vec::new();
    let outcome = File::open(&path).and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes));
    match outcome {
        Err(error) => Err(SettingProblem::of_file(name, format!("cannot be read: {error}"))),
        Ok(_) if bytes.len() as u64 > max_bytes => Err(SettingProblem::of_file(
            name,
            format!("is larger than {} KiB; it holds settings only", max_bytes / 1024),
        )),
        Ok(_) => Ok(Some(bytes)),
    }
}

fn fault_problem(name: &str, fault: &dotenv::Fault) -> SettingProblem {
    SettingProblem::of_file(&format!("{name}:{}:{}", fault.line, fault.column), fault.message.clone())
}

/// Names that stand twice, and names that look like slips. Other programs' variables may stand in the file too.
fn env_file_warnings(name: &str, file: &EnvFile) -> Vec<String> {
    let twice = file.replaced().map(|(entry, line)| {
        format!("{name}:{}: `{}` stands again in line {line}, which counts", entry.line, entry.name)
    });
    let slips = file.entries.iter().filter(|entry| keys::find(&entry.name).is_none()).filter_map(|entry| {
        let meant = suggest::closest(&entry.name, KEYS.iter().map(|key| key.name))?;
        Some(format!("{name}:{}: `{}` is no setting; did you mean `{meant}`?", entry.line, entry.name))
    });
    twice.chain(slips).collect()
}

/// The project file is meant for version control.
fn secrets_in_project(project: &Project) -> Vec<String> {
    let settings = |(profile, entry): &(String, project::ProfileEntry)| {
        let secret = |name: &str| keys::find(name).is_some_and(|key| key.secret);
        let found = entry.settings.iter().filter(move |(name, _)| secret(name));
        let profile = profile.clone();
        found.map(move |(name, _)| (profile.clone(), *name)).collect::<Vec<_>>()
    };
    let told = |(profile, name): (String, &str)| {
        format!("{}: profile `{profile}` holds the secret `{name}`; move it to a .env file", project::FILE_NAME)
    };
    project.profiles.iter().flat_map(settings).map(told).collect()
}
