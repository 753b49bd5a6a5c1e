//! `chatbotctl.yaml`: profiles and their settings. Strict: what is not known is an error with its line and column.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::config::keys::{self, KEYS};
use crate::config::settings::Base;
use crate::config::suggest;
use crate::yaml;

/// The file's name, in the working directory.
pub const FILE_NAME: &str = "chatbotctl.yaml";
/// Larger files are not settings.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// What the file says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Profiles in the order of the file.
    #[serde(default, deserialize_with = "profiles")]
    pub profiles: Vec<(String, ProfileEntry)>,
}

/// One profile.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileEntry {
    /// What it builds on; a built-in profile builds on itself.
    #[serde(default)]
    pub base: Option<Base>,
    /// Its settings, as written. An empty value is left out.
    #[serde(default, deserialize_with = "settings")]
    pub settings: Vec<(&'static str, String)>,
}

/// Why the file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ProjectError {
    /// `chatbotctl.yaml:line:column`.
    pub place: String,
    /// What is wrong, without values.
    pub message: String,
}

/// A profile found by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it builds on.
    pub base: Base,
}

impl Project {
    /// The profile of this name: one of the file, or a built-in one.
    pub fn profile(&self, name: &str) -> Option<Profile> {
        let written = self.entry(name).and_then(|entry| entry.base);
        Base::named(name).or(written).map(|base| Profile { name: name.to_owned(), base })
    }

    /// Names that can be given to `--profile`.
    pub fn names(&self) -> Vec<&str> {
        let own = self.profiles.iter().map(|(name, _)| name.as_str()).filter(|name| Base::named(name).is_none());
        Base::ALL.iter().map(|base| base.name()).chain(own).collect()
    }

    /// What the file says about a profile.
    pub fn entry(&self, name: &str) -> Option<&ProfileEntry> {
        self.profiles.iter().find(|(found, _)| found == name).map(|(_, entry)| entry)
    }
}

/// Reads the text of the file. An empty file says nothing.
pub fn parse(text: &str) -> Result<Project, ProjectError> {
    let parsed: Result<Option<Project>, _> = yaml::from_str(text);
    let project = parsed.map(Option::unwrap_or_default).map_err(|error| located(&error))?;
    match project.profiles.iter().find_map(|(name, entry)| wrong_base(name, entry)) {
        Some(message) => Err(ProjectError { place: FILE_NAME.to_owned(), message }),
        None => Ok(project),
    }
}

/// A base that is missing, or that contradicts a built-in profile.
fn wrong_base(name: &str, entry: &ProfileEntry) -> Option<String> {
    match (Base::named(name), entry.base) {
        (None, None) => Some(format!("profile `{name}` needs a base: dev, staging or prod")),
        (Some(own), Some(other)) if own != other => {
            Some(format!("profile `{name}` is built in and cannot build on `{}`; remove its base", other.name()))
        }
        _ => None,
    }
}

/// The error with its place first, and without the values it quotes.
fn located(error: &serde_yaml::Error) -> ProjectError {
    let mut message = error.to_string();
    let mut place = FILE_NAME.to_owned();
    if let Some(location) = error.location() {
        let (line, column) = (location.line(), location.column());
        place = format!("{place}:{line}:{column}");
        message = message.replace(&format!(" at line {line} column {column}"), "");
    }
    ProjectError { place, message: without_quotes(&message) }
}

/// serde quotes a misplaced text as `string "…"`; it might be a secret in the wrong place.
fn without_quotes(message: &str) -> String {
    match (message.find("string \""), message.rfind("\", expected")) {
        (Some(start), Some(end)) if start < end => {
            format!("{}a text{}", &message[..start], &message[end + 1..])
        }
        _ => message.to_owned(),
    }
}

fn profiles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, ProfileEntry)>, D::Error> {
    struct Profiles;
    impl<'de> Visitor<'de> for Profiles {
        type Value = Vec<(String, ProfileEntry)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("profiles by name")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut profiles: Self::Value = Vec::new();
            while let Some(ProfileName(name)) = map.next_key()? {
                if profiles.iter().any(|(found, _)| *found == name) {
                    return Err(de::Error::custom(format!("profile `{name}` stands here twice")));
                }
                profiles.push((name, map.next_value::<Option<ProfileEntry>>()?.unwrap_or_default()));
            }
            Ok(profiles)
        }
    }
    deserializer.deserialize_any(Profiles)
}

fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(&'static str, String)>, D::Error> {
    struct Settings;
    impl<'de> Visitor<'de> for Settings {
        type Value = Vec<(&'static str, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("settings as KEY: value")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut settings: Self::Value = Vec::new();
            while let Some(KeyName(name)) = map.next_key()? {
                if settings.iter().any(|(found, _)| *found == name) {
                    return Err(de::Error::custom(format!("setting `{name}` stands here twice")));
                }
                settings.push((name, map.next_value::<Option<String>>()?.unwrap_or_default()));
            }
            settings.retain(|(_, value)| !value.is_empty());
            Ok(settings)
        }
    }
    deserializer.deserialize_any(Settings)
}

/// A profile's name. It becomes part of file names, so it is kept simple.
struct ProfileName(String);

impl<'de> Deserialize<'de> for ProfileName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if is_profile_name(&name) {
            Ok(Self(name))
        } else {
            Err(de::Error::custom("a profile's name has letters, digits, - and _ only, and begins with a letter"))
        }
    }
}

/// Whether a text can name a profile.
pub fn is_profile_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// A known setting's name.
struct KeyName(&'static str);

impl<'de> Deserialize<'de> for KeyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        keys::find(&name).map(|key| Self(key.name)).ok_or_else(|| {
            let hint = suggest::hint(&name, KEYS.iter().map(|key| key.name));
            de::Error::custom(format!("unknown setting `{name}`{hint}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> ProjectError {
        parse(text).err().unwrap()
    }

    #[test]
    fn an_empty_file_says_nothing() {
        for text in
            ["", "# only a comment\n", "profiles:\n", "profiles:\n  dev:\n", "profiles:\n  dev:\n    settings:\n"]
        {
            assert!(parse(text).is_ok_and(|project| project.names() == ["dev", "staging", "prod"]), "{text}");
        }
    }

    #[test]
    fn values_are_taken_as_written() {
        let text = "profiles:\n  demo:\n    base: prod\n    settings:\n      SERVER_PORT: 0800\n      AUTH_MODE: off\n      \
                    ASSISTANT_TEMPERATURE: 0.30\n      LOG_FILE:\n      ASSISTANT_NAME: ''\n";
        let project = parse(text).unwrap();
        let expected = [("SERVER_PORT", "0800"), ("AUTH_MODE", "off"), ("ASSISTANT_TEMPERATURE", "0.30")];
        let found: Vec<_> = project.entry("demo").unwrap().settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(project.profile("demo").unwrap().base, Base::Prod);
        assert_eq!(project.profile("nowhere"), None);
    }

    #[test]
    fn unknown_settings_have_a_place_and_a_suggestion() {
        let error = error("profiles:\n  dev:\n    settings:\n      SERVER_PROT: 1\n");
        assert!(error.place.starts_with("chatbotctl.yaml:4:7"), "{error}");
        assert!(error.message.ends_with("unknown setting `SERVER_PROT`; did you mean `SERVER_PORT`?"), "{error}");
    }

    #[test]
    fn other_mistakes_are_named() {
        assert!(error("profile:\n").message.contains("unknown field `profile`"));
        assert!(error("profiles:\n  dev:\n    base: prod\n").message.contains("built in"));
        assert!(error("profiles:\n  demo:\n    settings: {}\n").message.contains("needs a base"));
        assert!(error("profiles:\n  demo:\n    base: prd\n").message.contains("unknown variant"));
        assert!(error("profiles:\n  ../x:\n    base: dev\n").message.contains("name"));
        assert!(error("profiles:\n  a: {base: dev}\n  a: {base: dev}\n").message.contains("twice"));
        assert!(error("a: [").place.starts_with("chatbotctl.yaml:"));
    }

    #[test]
    fn misplaced_texts_are_not_repeated() {
        let error = error("profiles: sk-verysecret\n");
        assert!(!error.to_string().contains("sk-very"), "{error}");
    }
}
