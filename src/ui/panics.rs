//! What a panic tells: where, which version, and how to report it. Never its message, which may hold a secret.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

use crate::ui::out::to_stderr;

/// The place of the last panic that was not told at once.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Replaces the standard hook, which prints the panic's message.
///
/// A panic in our own code is told at once. One in a dependency may be caught by whoever called it (a document's
/// reader, say); it is told only when it reaches [`tell_last`].
pub fn install() {
    std::panic::set_hook(Box::new(note));
}

/// Tells a panic that reached the top, unless it was told already.
pub fn tell_last() {
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(place) = last {
        tell(&place);
    }
}

fn note(info: &PanicHookInfo<'_>) {
    let (place, own) = match info.location() {
        Some(location) => {
            let file = location.file();
            (format!("{}:{}:{}", short(file), location.line(), location.column()), is_own(file))
        }
        None => ("an unknown place".to_owned(), true),
    };
    if own {
        tell(&place);
    } else {
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }
}

fn tell(place: &str) {
    to_stderr(&format!(
        "bug: chatbotctl {} panicked at {place}; please report this line and the command you ran to the maintainers",
        env!("CARGO_PKG_VERSION")
    ));
}

/// Our own files are compiled by paths relative to the project; those of dependencies are absolute.
fn is_own(file: &str) -> bool {
    file.starts_with("src")
}

/// The last parts of a path: enough to find a file, nothing about the machine that compiled it.
fn short(file: &str) -> String {
    let parts: Vec<&str> = file.split(['/', '\\']).collect();
    parts[parts.len().saturating_sub(4)..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_paths_lose_the_machine() {
        assert_eq!(short("/x/.cargo/registry/src/index-1/pdf-1.0/src/lib.rs"), "index-1/pdf-1.0/src/lib.rs");
        assert_eq!(short("src/lib.rs"), "src/lib.rs");
        assert!(is_own("src/cmd/mod.rs") && !is_own("/rustc/1/library/core/src/option.rs"));
    }
}
