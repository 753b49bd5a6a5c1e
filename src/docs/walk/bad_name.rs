//! What to do about a document whose name is not UTF-8.
//!
//! Ids, records and addresses hold paths as text, so such a document cannot be read before it has another name.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use encoding_rs::WINDOWS_1252;

/// The message that names the command which gives the file a name of text.
pub fn message(absolute: &Path) -> String {
    let name = absolute.file_name().unwrap_or_default();
    let new = absolute.with_file_name(readable(name));
    format!("the name is not valid UTF-8; rename it: `mv -n {} {}`", quoted(absolute), quoted(&new))
}

/// The name as the systems wrote it that did not know UTF-8, without what no name should have.
fn readable(name: &OsStr) -> String {
    let (name, _) = WINDOWS_1252.decode_without_bom_handling(name.as_encoded_bytes());
    name.chars().map(|c| if c.is_control() { '_' } else { c }).collect()
}

/// A word of a shell (`$'…'`) that is exactly this path, in letters that every terminal shows.
fn quoted(path: &Path) -> String {
    let mut word = String::from("$'");
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => word.extend(['\\', c]),
                c if c.is_control() => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape(byte, &mut word)),
                c => word.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| escape(*byte, &mut word));
    }
    word.push('\'');
    word
}

/// In octal, which ends after three digits whatever follows.
fn escape(byte: u8, word: &mut String) {
    let _ = write!(word, "\\{byte:03o}");
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn the_command_renames_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(OsStr::from_bytes(b"it's a caf\xe9\x07\\ 1.md"));
        fs::write(&file, "x").unwrap();
        let message = message(&file);
        assert!(message.contains(r"it\'s a caf\351\007\\ 1.md"), "{message}");
        let command = message.split('`').nth(1).unwrap();
        let status = Command::new("bash").args(["-c", command]).status().unwrap();
        assert!(status.success(), "{command}");
        assert!(dir.path().join("it's a café_\\ 1.md").exists());
    }
}
