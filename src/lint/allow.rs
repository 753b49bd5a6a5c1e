//! `docs-allow.yaml`: which findings are meant to be there, and why.
//!
//! It is strict: an unknown key, an unknown kind and an entry without a reason are errors with their line, and an
//! entry whose time is over counts no more. It holds fingerprints, never values, and no error quotes one.

use std::path::Path;
use std::{fs, io};

use globset::{GlobBuilder, GlobMatcher};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::config::suggest;
use crate::lint::finding::Finding;
use crate::lint::sensitive;
use crate::yaml;

/// Its name, in the project's folder.
pub const ALLOW_FILE: &str = "docs-allow.yaml";

const MAX_BYTES: u64 = 1024 * 1024;

/// No kind has a longer name.
const MAX_QUOTED_CHARS: usize = 24;

/// What goes wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum AllowError {
    /// A person named it, and it is not there.
    #[error("`{path}` is not there")]
    Missing {
        /// The file.
        path: String,
    },
    /// It cannot be read.
    #[error("`{path}` cannot be read: {message}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        message: String,
    },
    /// It is not what is expected.
    #[error("{place}: {message}")]
    Invalid {
        /// File, line and column.
        place: String,
        /// What is wrong.
        message: String,
    },
}

/// The entries of an allow file. An absent one has none.
#[derive(Debug, Default)]
pub struct Allow {
    /// The file, for people.
    pub path: Option<String>,
    entries: Vec<Entry>,
}

/// Something about an entry that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryNote {
    /// The allow file, for people.
    #[serde(skip)]
    pub file: String,
    /// Which entry, counted from 1.
    pub entry: usize,
    /// Its path or glob.
    pub path: String,
    /// Its kind.
    pub kind: String,
    /// What there is to say.
    pub message: String,
}

/// Findings held against an allow file.
#[derive(Debug, Default)]
pub struct Judged {
    /// Those that no entry allows.
    pub open: Vec<Finding>,
    /// How many are allowed.
    pub allowed: usize,
    /// Entries whose time is over.
    pub expired: Vec<EntryNote>,
    /// Entries that allow nothing that is there.
    pub unused: Vec<EntryNote>,
}

impl Allow {
    /// Reads the file. A missing one is an error only where it `must_exist`.
    pub fn load(path: &Path, presence: Presence) -> Result<Self, AllowError> {
        let shown = path.display().to_string();
        let unreadable = |message: String| AllowError::Unreadable { path: shown.clone(), message };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && presence == Presence::Optional => {
                return Ok(Self::default());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(AllowError::Missing { path: shown }),
            Err(error) => return Err(unreadable(error.to_string())),
            Ok(metadata) if metadata.len() > MAX_BYTES => {
                return Err(unreadable(format!("it has more than {} KB", MAX_BYTES / 1024)));
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        Self::parse(&shown, &text)
    }

    /// Parses the text of an allow file.
    pub fn parse(path: &str, text: &str) -> Result<Self, AllowError> {
        let raw: Option<RawAllow> = yaml::from_str(text).map_err(|error| invalid(path, &error))?;
        Ok(Self { path: Some(path.to_owned()), entries: raw.map(|raw| raw.allow).unwrap_or_default() })
    }

    /// Tells which findings are allowed on this day.
    pub fn judge(&self, findings: Vec<Finding>, today: Date) -> Judged {
        let mut used = vec![false; self.entries.len()];
        let mut judged = Judged::default();
        for finding in findings {
            let mut allowed = false;
            for (entry, used) in self.entries.iter().zip(&mut used) {
                if entry.matches(&finding) {
                    *used = true;
                    allowed |= !entry.is_expired(today);
                }
                // Its value may be among those that were too many: nobody can say that it is of no use.
                *used |= finding.is_rest() && entry.concerns(&finding);
            }
            if allowed {
                judged.allowed += finding.values();
            } else {
                judged.open.push(finding);
            }
        }
        let note = |at: usize, entry: &Entry, message: String| EntryNote {
            file: self.path.clone().unwrap_or_default(),
            entry: at + 1,
            path: entry.path.text.clone(),
            kind: entry.kind.0.clone(),
            message,
        };
        for ((at, entry), used) in self.entries.iter().enumerate().zip(used) {
            if entry.is_expired(today) {
                let until = entry.until.map(|until| until.to_string()).unwrap_or_default();
                let message = format!("it was valid until {until}; look again and renew it, or remove it");
                judged.expired.push(note(at, entry, message));
            } else if !used {
                judged.unused.push(note(at, entry, "it allows nothing that is there; remove it".to_owned()));
            }
        }
        judged
    }
}

/// Whether a file has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// A person named it.
    Required,
    /// It is the usual one.
    Optional,
}

/// The entry that allows a finding, to paste into the file. It is refused until the reason says something.
pub fn entry_for(finding: &Finding) -> String {
    // A JSON string is a YAML string too.
    let path = serde_json::Value::from(finding.path.as_str());
    let value = if finding.is_rest() { String::new() } else { format!(" fingerprint: \"{}\",", finding.fingerprint) };
    format!("- {{path: {path}, kind: {},{value} reason: \"…\"}}", finding.kind)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllow {
    #[serde(default)]
    allow: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: PathGlob,
    kind: KindName,
    #[serde(default)]
    fingerprint: Option<Fingerprint>,
    #[expect(dead_code, reason = "it is for the people who read the file, and has to be there")]
    reason: Reason,
    /// The last day on which the entry counts.
    #[serde(default)]
    until: Option<Date>,
}

impl Entry {
    fn matches(&self, finding: &Finding) -> bool {
        let is_same = |fingerprint: &Fingerprint| fingerprint.0.eq_ignore_ascii_case(&finding.fingerprint);
        self.concerns(finding) && self.fingerprint.as_ref().is_none_or(is_same)
    }

    fn concerns(&self, finding: &Finding) -> bool {
        // A file may be named like a glob: `faq [2024].md`.
        (self.path.text == finding.path || self.path.matcher.is_match(&finding.path)) && self.kind.0 == finding.kind
    }

    fn is_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct PathGlob {
    text: String,
    matcher: GlobMatcher,
}

impl TryFrom<String> for PathGlob {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let glob = GlobBuilder::new(&text).literal_separator(true).build();
        let matcher = glob.map_err(|error| format!("`path` is no glob: {}", error.kind()))?.compile_matcher();
        Ok(Self { text, matcher })
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct KindName(String);

impl TryFrom<String> for KindName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let kinds = sensitive::kinds();
        if kinds.iter().any(|kind| kind.id == text) {
            return Ok(Self(text));
        }
        let hint = suggest::hint(&text, kinds.iter().map(|kind| kind.id));
        Err(format!("`{}` is no kind of finding{hint} (`chatbotctl docs scan --help` lists them)", quotable(&text)))
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Fingerprint(String);

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex && sensitive::FINGERPRINT_DIGITS.contains(&text.len()) {
            Ok(Self(text))
        } else {
            let digits = sensitive::FINGERPRINT_DIGITS.map(|digits| digits.to_string()).join(" or ");
            Err(format!("`fingerprint` is not {digits} hexadecimal digits in quotes, as `docs scan` prints it"))
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Reason(#[expect(dead_code, reason = "only its presence counts")] String);

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.chars().any(char::is_alphanumeric) {
            Ok(Self(text))
        } else {
            Err("`reason` says nothing; an entry needs one".to_owned())
        }
    }
}

/// What a person wrote for a kind, so short that it may be shown. It might be a value in the wrong place.
fn quotable(text: &str) -> String {
    let shown = sensitive::redact(text);
    match shown.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

/// The place first: a person goes there, and the rest is read there.
fn invalid(path: &str, error: &serde_yaml::Error) -> AllowError {
    let message = without_quotes(&error.to_string());
    let Some(location) = error.location() else {
        return AllowError::Invalid { place: format!("`{path}`"), message };
    };
    let (line, column) = (location.line(), location.column());
    let message = message.replace(&format!(" at line {line} column {column}"), "");
    AllowError::Invalid { place: format!("`{path}`, line {line}, column {column}"), message }
}

/// serde quotes a misplaced text as `string "…"`; it might be the very value.
fn without_quotes(message: &str) -> String {
    match (message.find("string \""), message.rfind("\", expected")) {
        (Some(start), Some(end)) if start < end => format!("{}a text{}", &message[..start], &message[end + 1..]),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::lint::sensitive::{Class, Level};
    use crate::model::Locator;

    fn finding(path: &str) -> Finding {
        Finding {
            path: path.to_owned(),
            place: String::new(),
            locator: Locator::default(),
            kind: "phone",
            title: "telephone number",
            class: Class::Personal,
            severity: Level::Medium,
            excerpt: "… (12 characters)".to_owned(),
            fingerprint: "0a1".to_owned(),
            more: 0,
        }
    }

    fn judge(text: &str) -> Judged {
        let allow = Allow::parse("docs-allow.yaml", text).unwrap();
        allow.judge(vec![finding("shop/contact.md"), finding("team.md")], date(2031, 5, 1))
    }

    #[test]
    fn entries_allow_by_path_kind_and_value() {
        let entry =
            |path: &str, more: &str| format!("allow:\n  - path: \"{path}\"\n    kind: phone\n    reason: ours\n{more}");
        assert_eq!(judge(&entry("**/contact.md", "")).allowed, 1);
        assert_eq!(judge(&entry("*.md", "")).allowed, 1, "a star does not cross folders");
        assert_eq!(judge(&entry("**", "    fingerprint: \"0A1\"\n")).allowed, 2);
        let other = judge(&entry("**", "    fingerprint: \"000\"\n"));
        assert_eq!((other.allowed, other.unused.len()), (0, 1));
        let over = judge(&entry("**", "    until: 2031-04-30\n"));
        assert_eq!((over.allowed, over.open.len(), over.expired.len(), over.unused.len()), (0, 2, 1, 0));
        assert_eq!(judge(&entry("**", "    until: 2031-05-01\n")).allowed, 2);
    }

    #[test]
    fn it_is_strict_and_names_the_line() {
        let message = |entry: &str| Allow::parse("a.yaml", &format!("allow:\n{entry}")).unwrap_err().to_string();
        assert!(message("  - path: x\n    kind: phone\n").contains("missing field `reason`"));
        for (entry, what) in [
            ("  - path: x\n    kind: phone\n    reason: ' '\n", "`reason` says nothing"),
            (
                "  - path: x\n    kind: phones\n    reason: ours\n",
                "`phones` is no kind of finding; did you mean `phone`?",
            ),
            (
                "  - path: x\n    kind: phone\n    reason: ours\n    fingerprint: hunter2hunter2\n",
                "`fingerprint` is not",
            ),
            ("  - path: x\n    kind: phone\n    reason: ours\n    value: hunter2\n", "unknown field `value`"),
            ("  - path: '[x'\n    kind: phone\n    reason: ours\n", "`path` is no glob"),
            ("  - path: x\n    kind: phone\n    reason: ours\n    until: hunter2\n", "until"),
        ] {
            let message = message(entry);
            assert!(message.contains(what), "{message}");
            assert!(message.contains("line "), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn what_was_too_much_is_allowed_as_a_kind_only() {
        let rest = || Finding { fingerprint: String::new(), more: 4, ..finding("a.md") };
        let judge = |entry: &str| {
            let allow = Allow::parse("a.yaml", &format!("allow:\n  {}\n", entry.replace('…', "ours"))).unwrap();
            allow.judge(vec![rest()], date(2031, 1, 1))
        };
        let one = judge(&entry_for(&finding("a.md")));
        assert_eq!((one.open.len(), one.allowed, one.unused.len()), (1, 0, 0));
        let all = judge(&entry_for(&rest()));
        assert_eq!((all.open.len(), all.allowed), (0, 5));
    }

    #[test]
    fn a_value_in_the_place_of_a_kind_is_not_quoted() {
        let entry = |kind: &str| format!("allow:\n  - path: x\n    kind: {kind}\n    reason: ours\n");
        let message = |kind: &str| Allow::parse("a.yaml", &entry(kind)).unwrap_err().to_string();
        assert_eq!(
            message("emial"),
            "`a.yaml`, line 2, column 5: allow[0]: `emial` is no kind of finding; did you mean `email`? \
             (`chatbotctl docs scan --help` lists them)"
        );
        assert!(!message("4539 1488 0343 6467").contains("0343"), "{}", message("4539 1488 0343 6467"));
        assert!(!message(&"long-".repeat(20)).contains(&"long-".repeat(6)));
    }

    #[test]
    fn what_is_printed_can_be_pasted() {
        let entry = entry_for(&finding("a \"b\".md")).replace('…', "ours");
        let allow = Allow::parse("a.yaml", &format!("allow:\n  {entry}\n")).unwrap();
        assert_eq!(allow.judge(vec![finding("a \"b\".md")], date(2031, 1, 1)).allowed, 1);
    }
}
