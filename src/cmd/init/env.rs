//! The settings of a template: which of its variables are settings here, and what becomes of the others. Pure.
//!
//! Invariant: a value is held as a secret from here on; what is told of a variable is its name, its file and a reason.

use std::path::Path;

use crate::config::dotenv::EnvFile;
use crate::config::keys::{self, Key};
use crate::config::value::Kind;
use crate::secret::Secret;

/// Names that the first templates had for settings of today.
const RENAMED: [(&str, &str); 1] = [("KNOWLEDGE_VECTOR_STORE_ID", "VECTOR_STORE_ID")];
/// Variables with this beginning are built into the template's own page, for everybody to read.
const OF_THE_PAGE: &str = "VITE_";

/// A setting that is taken over.
#[derive(Debug)]
pub(super) struct Taken {
    /// The setting.
    pub(super) key: &'static Key,
    /// Its value.
    pub(super) value: Secret,
    /// The file and, where it was another, the name that it had there.
    pub(super) from: String,
}

/// A variable that is not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Left {
    pub(super) name: String,
    pub(super) from: String,
    pub(super) why: String,
}

/// What becomes of the variables.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) taken: Vec<Taken>,
    pub(super) left: Vec<Left>,
}

/// Decides over the variables of a template's files, the strongest first. What the project has already stays.
pub(super) fn plan(files: &[(String, EnvFile)], project: &EnvFile, folder: &Path) -> Settings {
    let mut settings = Settings::default();
    for (from, file) in files {
        for fault in &file.faults {
            let why = format!("the line {}", fault.message);
            settings.left.push(Left { name: format!("line {}", fault.line), from: from.clone(), why });
        }
        for entry in &file.entries {
            let counts = file.get(&entry.name).is_some_and(|last| last.line == entry.line);
            if counts && !entry.value.trim().is_empty() {
                settings.take(&entry.name, &entry.value, from, project, folder);
            }
        }
    }
    settings
}

impl Settings {
    fn take(&mut self, name: &str, value: &str, from: &str, project: &EnvFile, folder: &Path) {
        let meant = RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
        match judge(meant, value, project, folder) {
            Judged::Same => {}
            Judged::Left(why) => self.leave(name, from, &why),
            Judged::Taken(key) => {
                let Some(taken) = self.taken.iter().find(|taken| taken.key.name == key.name) else {
                    let from = if meant == name { from.to_owned() } else { format!("{from}, there {name}") };
                    return self.taken.push(Taken { key, value: Secret::new(value), from });
                };
                if taken.value.expose() != value {
                    let why = format!("the value of {} counts", taken.from);
                    self.leave(name, from, &why);
                }
            }
        }
    }

    fn leave(&mut self, name: &str, from: &str, why: &str) {
        let left = Left { name: name.to_owned(), from: from.to_owned(), why: why.to_owned() };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }
}

enum Judged {
    Taken(&'static Key),
    Same,
    Left(String),
}

fn judge(name: &str, value: &str, project: &EnvFile, folder: &Path) -> Judged {
    let Some(key) = keys::find(name) else {
        let why = if name.starts_with(OF_THE_PAGE) {
            "it is for the template's own page; the page of this bot needs none"
        } else {
            "it is no setting of this program"
        };
        return Judged::Left(why.to_owned());
    };
    if matches!(key.kind, Kind::Folder | Kind::File | Kind::ExistingFile) {
        return Judged::Left("it is a path of the template; set it for this project".to_owned());
    }
    if value.contains(['\n', '\r', '\0']) {
        return Judged::Left("it has more than one line".to_owned());
    }
    if let Err(why) = key.kind.check(value, folder) {
        return Judged::Left(why);
    }
    match project.get(key.name).map(|entry| entry.value.as_str()).filter(|own| !own.trim().is_empty()) {
        Some(own) if own == value => Judged::Same,
        Some(_) => Judged::Left("the project has a value of its own".to_owned()),
        None => Judged::Taken(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::dotenv;

    fn planned(files: &[(&str, &str)], project: &str) -> Settings {
        let files: Vec<(String, EnvFile)> =
            files.iter().map(|(name, text)| ((*name).to_owned(), dotenv::parse(text))).collect();
        plan(&files, &dotenv::parse(project), Path::new("/nonexistent"))
    }

    fn taken(settings: &Settings) -> Vec<(&str, &str)> {
        settings.taken.iter().map(|taken| (taken.key.name, taken.value.expose())).collect()
    }

    #[test]
    fn the_strongest_file_counts_and_old_names_are_known() {
        let files = [
            ("backend/.env", "KNOWLEDGE_VECTOR_STORE_ID=vs_1\nOPENAI_API_KEY='sk-1'\nLOG_LEVEL=\n"),
            (
                ".env",
                "VECTOR_STORE_ID=vs_2\nOPENAI_API_KEY=sk-1\nLOG_LEVEL=INFO\nVITE_API=x\nREDIS_URL=redis://:pw@x\n",
            ),
        ];
        let settings = planned(&files, "");
        assert_eq!(taken(&settings), [("VECTOR_STORE_ID", "vs_1"), ("OPENAI_API_KEY", "sk-1"), ("LOG_LEVEL", "INFO")]);
        assert_eq!(settings.taken[0].from, "backend/.env, there KNOWLEDGE_VECTOR_STORE_ID");
        let left: Vec<&str> = settings.left.iter().map(|left| left.name.as_str()).collect();
        assert_eq!(left, ["VECTOR_STORE_ID", "VITE_API", "REDIS_URL"]);
    }

    #[test]
    fn what_does_not_fit_or_is_there_already_stays_and_is_told_without_its_value() {
        let text = "OPENAI_API_KEY=sk-sentinel-1\nDATABASE_URL=postgresql://u:sentinel@h/d\nSERVER_PORT=sentinel\n\
                    DOCS_DIR=sentinel\nASSISTANT_NAME=Same\nbroken sentinel\n";
        let settings = planned(&[(".env", text)], "OPENAI_API_KEY=sk-own\nASSISTANT_NAME=Same\n");
        assert_eq!(taken(&settings), []);
        assert_eq!(settings.left.len(), 5, "{:?}", settings.left);
        assert!(!format!("{settings:?}").contains("sentinel"), "{settings:?}");
    }
}
