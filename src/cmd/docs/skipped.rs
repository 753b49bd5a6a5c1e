//! Files left out, as a person reads them: by the reason, with a few names each.

use crate::docs::walk::Skipped;

/// Names that are shown for one reason.
const SHOWN: usize = 5;

/// One line for each reason, in the order of the files.
pub(super) fn skipped_lines(skipped: &[Skipped]) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for file in skipped {
        match reasons.iter_mut().find(|(reason, _)| *reason == file.reason) {
            Some((_, files)) => files.push(&file.path),
            None => reasons.push((&file.reason, vec![&file.path])),
        }
    }
    let lines: Vec<String> =
        reasons.into_iter().map(|(reason, files)| format!("  skipped, {reason}: {}", names(&files))).collect();
    lines.join("\n")
}

fn names(files: &[&str]) -> String {
    match files.split_at_checked(SHOWN) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => files.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::walk::SkipCode;

    #[test]
    fn reasons_are_told_once_with_a_few_names() {
        let skipped = |path: &str, reason: &str| Skipped {
            path: path.to_owned(),
            code: SkipCode::Hidden,
            reason: reason.to_owned(),
        };
        let mut files: Vec<Skipped> = (0..7).map(|n| skipped(&format!("{n}.mp3"), "not read")).collect();
        files.insert(1, skipped(".git", "hidden"));
        let expected = "  skipped, not read: 0.mp3, 1.mp3, 2.mp3, 3.mp3, 4.mp3 and 2 more\n  skipped, hidden: .git";
        assert_eq!(skipped_lines(&files), expected);
    }
}
