//! The file types that the service searches in, as data.
//!
//! Source: "Supported files" of the service's guide to file search, as of November 2026. It is not part of the OpenAPI
//! description, so a type that the service refuses nevertheless ends as a failed file with the service's own reason.

/// The last change of this table.
pub const AS_OF: &str = "2026-11-22";

/// A file type that the service reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Native {
    /// Lower case, without the dot.
    pub extension: &'static str,
    /// The media type under which it goes up.
    pub media_type: &'static str,
    /// Whether it is text, which must be UTF-8, UTF-16 or ASCII.
    pub is_text: bool,
}

const fn text(extension: &'static str, media_type: &'static str) -> Native {
    Native { extension, media_type, is_text: true }
}

const fn packed(extension: &'static str, media_type: &'static str) -> Native {
    Native { extension, media_type, is_text: false }
}

/// Every file type that the service reads. What else there is goes up as Markdown.
pub const NATIVE: &[Native] = &[
    text("c", "text/x-c"),
    text("cpp", "text/x-c++"),
    text("cs", "text/x-csharp"),
    text("css", "text/css"),
    packed("doc", "application/msword"),
    packed("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    text("go", "text/x-golang"),
    text("html", "text/html"),
    text("java", "text/x-java"),
    text("js", "text/javascript"),
    text("json", "application/json"),
    text("md", "text/markdown"),
    packed("pdf", "application/pdf"),
    text("php", "text/x-php"),
    packed("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    text("py", "text/x-python"),
    text("rb", "text/x-ruby"),
    text("sh", "application/x-sh"),
    text("tex", "text/x-tex"),
    text("ts", "application/typescript"),
    text("txt", "text/plain"),
];

/// The row of an extension; case does not count.
pub fn native(extension: &str) -> Option<&'static Native> {
    NATIVE.iter().find(|native| native.extension.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::format::FORMATS;

    #[test]
    fn what_the_service_does_not_read_is_told_apart() {
        let ours = FORMATS.iter().flat_map(|format| format.extensions);
        let as_it_is: Vec<&str> = ours.copied().filter(|extension| native(extension).is_some()).collect();
        assert_eq!(as_it_is, ["md", "txt", "html", "pdf", "docx", "pptx"]);
        assert!(native("PDF").is_some());
        assert!(NATIVE.is_sorted_by_key(|native| native.extension));
    }
}
