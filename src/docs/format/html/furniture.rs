//! What of a page is its contents, and what stands around them on every page.

use crate::docs::format::html::token::attribute;

/// Which part of the page counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Everything,
    /// What is inside `<main>` or what has its role.
    Main,
    /// What is inside articles.
    Article,
    /// What is inside the element that common programs name as their contents.
    Named,
}

/// Names (class or id) of the contents: of wikis, blogs, documentation, government sites.
const CONTENT_NAMES: &[&str] = &[
    "main",
    "main-content",
    "maincontent",
    "page-content",
    "mw-content-text",
    "entry-content",
    "post-content",
    "article-content",
    "article-body",
    "markdown-body",
    "theme-doc-markdown",
    "document-content",
    "td-content",
];

impl Scope {
    /// Whether an element is the root of the part that counts.
    pub fn begins_at(self, name: &str, attributes: &[(String, String)]) -> bool {
        match self {
            Self::Everything => false,
            Self::Main => name == "main" || attribute(attributes, "role") == Some("main"),
            Self::Article => name == "article",
            Self::Named => {
                matches!(name, "div" | "section" | "td") && has_name(attributes, |n| CONTENT_NAMES.contains(&n))
            }
        }
    }
}

/// What to do with navigation, headers, footers and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Furniture {
    /// Leave it out.
    Drop,
    /// Leave it out, but read forms: some programs put one around every page.
    KeepForms,
    /// Leave out only what its element or its role marks as such, beyond doubt.
    DropMarked,
    /// Read it like everything else.
    Keep,
}

/// Elements that are never contents. The reading over a word (`rt`) would tear it apart.
const NEVER: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "audio", "video",
    "select", "textarea", "button", "datalist", "xmp", "noembed", "noframes", "rt", "rp", "rtc",
];

/// Elements that are usually not contents.
const MARKED: &[&str] = &["nav", "header", "footer", "aside", "dialog", "menu"];

/// Roles that are not contents.
const ROLES: &[&str] = &[
    "navigation",
    "banner",
    "contentinfo",
    "search",
    "complementary",
    "dialog",
    "alertdialog",
    "menu",
    "menubar",
    "toolbar",
    "tablist",
    "tooltip",
];

/// Elements that may be anything, and may have a name that says they are not contents.
const CONTAINERS: &[&str] = &["div", "section", "ul", "ol", "dl", "td", "table", "p"];

/// What they are called then.
const NAMES: &[&str] = &[
    "menu",
    "nav",
    "navigation",
    "side-bar",
    "sidenav",
    "footer",
    "header-nav",
    "topbar",
    "top-bar",
    "cookies",
    "pagination",
    "pager",
    "toolbar",
    "toc",
    "table-of-contents",
    "contents-list",
    "navbox",
    "catlinks",
    "printfooter",
    "mw-navigation",
    "mw-panel",
    "mw-head",
    "mw-page-base",
    "sitesub",
    "jump-to-nav",
    "contentsub",
    "related",
    "sharedaddy",
    "jp-relatedposts",
    "comment-respond",
    "widget-area",
    "nav-links",
    "post-navigation",
    "dropdown-menu",
    "offcanvas",
    "modal",
    "toast",
    "advertisement",
    "ads",
    "newsletter",
    "linenos",
    "gutter",
    "noprint",
    "feedback-widget",
    "theme-doc-toc-mobile",
    "theme-doc-toc-desktop",
    "back-to-top",
    "sr-skip",
    "related-posts",
    "related-links",
    "related-articles",
    "edit-page-link",
    "theme-edit-this-page",
];

/// The ends of such names: `govuk-breadcrumbs`, `site-footer`.
const ENDINGS: &[&str] = &[
    "navbar",
    "breadcrumb",
    "breadcrumbs",
    "site-footer",
    "page-footer",
    "global-footer",
    "site-header",
    "site-nav",
    "main-nav",
    "masthead",
    "share-buttons",
    "share-links",
    "share-bar",
    "social-share",
    "social-links",
    "sharing-buttons",
    "phase-banner",
    "related-navigation",
    "contextual-sidebar",
    "skip-link",
    "language-switcher",
    "lang-switcher",
    "search-form",
    "pagination-nav",
    "nav-menu",
];

/// The beginnings of such names: the menus of wikis.
const BEGINNINGS: &[&str] = &["mw-portlet", "vector-dropdown", "vector-menu", "vector-page-toolbar", "vector-toc"];

/// Names of what pops up over every page, whatever else they say.
const CONSENT: &[&str] = &["banner", "consent", "notice", "dialog", "popup", "modal", "overlay", "bar", "message"];

/// Names of links inside a line that are not of its text: anchors of headings, links that edit or skip.
const INLINE_NAMES: &[&str] =
    &["headerlink", "hash-link", "anchorjs-link", "mw-editsection", "heading-anchor", "header-anchor", "permalink"];

/// Why an element is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nobody sees it.
    Unseen,
    /// It stands around the contents.
    Furniture,
}

/// Whether, and why, an element is left out. `is_inside` says that an article or the main part is open.
pub fn left_out(name: &str, attributes: &[(String, String)], furniture: Furniture, is_inside: bool) -> Option<Reason> {
    if NEVER.contains(&name) || is_hidden(attributes) {
        return Some(Reason::Unseen);
    }
    let drops = match furniture {
        Furniture::Keep => false,
        Furniture::DropMarked => is_marked(name, attributes, is_inside),
        Furniture::KeepForms => is_marked(name, attributes, is_inside) || is_named(name, attributes),
        Furniture::Drop => name == "form" || is_marked(name, attributes, is_inside) || is_named(name, attributes),
    };
    drops.then_some(Reason::Furniture)
}

fn is_hidden(attributes: &[(String, String)]) -> bool {
    attributes.iter().any(|(key, value)| match key.as_str() {
        "hidden" => true,
        "aria-hidden" => value.eq_ignore_ascii_case("true"),
        // The numbers and arrows of footnotes point; they say nothing.
        "role" => matches!(value.as_str(), "doc-noteref" | "doc-backlink"),
        "style" => {
            let style: String = value.to_ascii_lowercase().split_whitespace().collect();
            style.contains("display:none") || style.contains("visibility:hidden")
        }
        _ => false,
    })
}

fn is_marked(name: &str, attributes: &[(String, String)], is_inside: bool) -> bool {
    let role = attribute(attributes, "role").unwrap_or_default();
    // Inside the main contents a header holds the title of the article.
    (MARKED.contains(&name) && !(name == "header" && is_inside))
        || ROLES.contains(&role)
        || attribute(attributes, "aria-modal") == Some("true")
        || has_name(attributes, |name| is_skip_link(name) || is_consent(name))
        || (matches!(name, "a" | "span") && has_name(attributes, |name| INLINE_NAMES.contains(&name)))
        // The number of a footnote, in wikis.
        || (name == "sup" && has_name(attributes, |name| name == "reference"))
}

fn is_named(name: &str, attributes: &[(String, String)]) -> bool {
    let is_ending = |name: &str, ending: &str| {
        name.strip_suffix(ending).is_some_and(|before| before.is_empty() || before.ends_with('-'))
    };
    CONTAINERS.contains(&name)
        && has_name(attributes, |name| {
            NAMES.contains(&name)
                || is_sidebar(name)
                || BEGINNINGS.iter().any(|start| name.starts_with(start))
                || ENDINGS.iter().any(|ending| is_ending(name, ending))
        })
}

/// `right-sidebar`, but not `has-sidebar`: that is the page with one.
fn is_sidebar(name: &str) -> bool {
    let Some(before) = name.strip_suffix("wrapper").unwrap_or(name).strip_suffix("sidebar") else { return false };
    !["has-", "with-", "no-", "without-", "content-"].iter().any(|start| before.ends_with(start))
}

fn is_skip_link(name: &str) -> bool {
    name == "skip"
        || ["skip-", "skiplink", "skipnav", "skipto"].iter().any(|start| name.starts_with(start))
        || name.ends_with("skip-link")
}

fn is_consent(name: &str) -> bool {
    name.starts_with("onetrust-")
        || name.starts_with("cybotcookie")
        || (name.contains("cookie") && CONSENT.iter().any(|part| name.contains(part)))
}

/// Whether a class or the id of an element, lower case and with `-` for `_`, is such a name.
fn has_name(attributes: &[(String, String)], is_such: impl Fn(&str) -> bool) -> bool {
    ["class", "id"].into_iter().filter_map(|key| attribute(attributes, key)).flat_map(str::split_whitespace).any(
        |name| {
            let name = name.to_ascii_lowercase().replace('_', "-");
            is_such(&name)
        },
    )
}
