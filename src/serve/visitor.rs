//! Visitors: each browser its own signed cookie, so that nobody reads another's threads.
//!
//! The cookie holds an id made here; a value that this server did not sign is as good as none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, CookieJar, Key, SameSite};
use sha2::{Digest as _, Sha256};

use crate::clock::{IdSource, hex, random_bytes};
use crate::model::thread::Principal;
use crate::secret::Secret;

const NAME: &str = "chatbot_visitor";
/// With this prefix browsers insist on `Secure` and refuse a `Domain`: no sibling host can plant the cookie.
const HTTPS_NAME: &str = "__Host-chatbot_visitor";
const ID_PREFIX: &str = "vis";
const KEY_FILE: &str = "visitor.key";
const KEY_BYTES: usize = 64;
const MIN_SETTING_BYTES: usize = 32;
const MAX_AGE: Duration = Duration::days(365);

/// Signs visitors' cookies.
#[derive(Clone)]
pub struct VisitorKey(Key);

impl std::fmt::Debug for VisitorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VisitorKey(***)")
    }
}

impl VisitorKey {
    /// A key for another purpose, from which this one cannot be found.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::new_with_prefix(purpose).chain_update(self.0.signing()).finalize().into()
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the visitor key `{}` cannot be read or made", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "the visitor key `{}` is not {} hexadecimal digits; remove it and all visitors begin anew",
        path.display(),
        KEY_BYTES * 2
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The setting is too short to be safe.
    #[error("`VISITOR_KEY` is shorter than {MIN_SETTING_BYTES} bytes")]
    TooShort,
}

/// The key: from the setting if there is one, else from the state directory, where the first start makes it.
pub fn load_key(state_dir: &Path, setting: Option<&Secret>) -> Result<VisitorKey, KeyError> {
    if let Some(setting) = setting {
        return key_from_setting(setting);
    }
    let path = state_dir.join(KEY_FILE);
    let io = |source| KeyError::Io { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) => key_from_file(&path, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            make_key_file(state_dir, &path).map_err(io)?;
            // Read back rather than remembered: two first starts at once must agree.
            let text = std::fs::read_to_string(&path).map_err(io)?;
            key_from_file(&path, &text)
        }
        Err(error) => Err(io(error)),
    }
}

fn key_from_setting(setting: &Secret) -> Result<VisitorKey, KeyError> {
    let text = setting.expose().trim();
    match parse_hex(text) {
        Some(bytes) => Ok(VisitorKey(Key::from(&bytes))),
        None if text.len() >= MIN_SETTING_BYTES => Ok(VisitorKey(Key::derive_from(text.as_bytes()))),
        None => Err(KeyError::TooShort),
    }
}

fn key_from_file(path: &Path, text: &str) -> Result<VisitorKey, KeyError> {
    match parse_hex(text.trim()) {
        Some(bytes) => Ok(VisitorKey(Key::from(&bytes))),
        None => Err(KeyError::Malformed { path: path.to_owned() }),
    }
}

/// Writes a new key beside its place and moves it there whole; an existing key stays. Temporary files have mode 0600.
fn make_key_file(state_dir: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(state_dir)?;
    let mut file = tempfile::NamedTempFile::new_in(state_dir)?;
    writeln!(file, "{}", hex(&random_bytes::<KEY_BYTES>()))?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

fn parse_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
        return None;
    }
    (0..KEY_BYTES).map(|place| u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()).collect()
}

/// Whether cookies travel over HTTPS only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `PUBLIC_URL` is `https`.
    Https,
    /// Anything else.
    Plain,
}

/// What visitors' cookies look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieStyle {
    /// Whether they travel over HTTPS only.
    pub transport: Transport,
    /// Whether pages of other sites may call the bot (`CORS_ORIGINS`).
    pub is_called_by_other_sites: bool,
}

impl CookieStyle {
    fn name(self) -> &'static str {
        match self.transport {
            Transport::Https => HTTPS_NAME,
            Transport::Plain => NAME,
        }
    }

    /// Whether browsers send the cookie along from pages of other sites. They do so over HTTPS only, and keep one
    /// cookie for each of those sites.
    fn goes_with_other_sites(self) -> bool {
        self.is_called_by_other_sites && self.transport == Transport::Https
    }

    /// What pages of other sites have to do without, if anything.
    pub fn warning(self) -> Option<&'static str> {
        (self.is_called_by_other_sites && !self.goes_with_other_sites()).then_some(
            "without an https PUBLIC_URL, pages of the sites in CORS_ORIGINS are new visitors at each request",
        )
    }
}

/// What a request's cookies prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// There is no cookie of ours.
    Nothing,
    /// There is one, and this server did not sign it.
    Forged,
    /// A visitor whom we know.
    Visitor(Principal),
}

/// Looks for a visitor's cookie. A bad one beside a good one changes nothing.
pub fn read(headers: &HeaderMap, key: &VisitorKey, style: CookieStyle) -> Presented {
    let mut cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| Cookie::split_parse(value.to_owned()))
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == style.name())
        .peekable();
    if cookies.peek().is_none() {
        return Presented::Nothing;
    }
    cookies.find_map(|cookie| verify(cookie, key)).map_or(Presented::Forged, Presented::Visitor)
}

fn verify(cookie: Cookie<'static>, key: &VisitorKey) -> Option<Principal> {
    let id = CookieJar::new().signed(&key.0).verify(cookie)?.value().to_owned();
    id.starts_with(ID_PREFIX).then_some(Principal { id })
}

/// A visitor never seen before.
pub fn make(ids: &dyn IdSource) -> Principal {
    Principal { id: ids.new_id(ID_PREFIX) }
}

/// The header that makes a browser prove to be this visitor from now on.
pub fn set_cookie(who: &Principal, key: &VisitorKey, style: CookieStyle) -> HeaderValue {
    let goes_along = style.goes_with_other_sites();
    let cookie = Cookie::build((style.name(), who.id.clone()))
        .path("/")
        .http_only(true)
        .secure(style.transport == Transport::Https)
        .same_site(if goes_along { SameSite::None } else { SameSite::Lax })
        .partitioned(goes_along)
        .max_age(MAX_AGE)
        .build();
    let mut jar = CookieJar::new();
    jar.signed_mut(&key.0).add(cookie);
    let text = jar.delta().next().map(ToString::to_string).unwrap_or_default();
    HeaderValue::try_from(text).expect("ids and signatures are visible ASCII")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{CookieStyle, Presented, Transport, load_key, make, read, set_cookie};
    use crate::clock::RandomIds;
    use crate::secret::Secret;

    const PLAIN: CookieStyle = CookieStyle { transport: Transport::Plain, is_called_by_other_sites: false };
    const HTTPS: CookieStyle = CookieStyle { transport: Transport::Https, is_called_by_other_sites: false };

    #[test]
    fn the_first_start_makes_a_private_key_that_later_starts_read() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        let first = load_key(&state_dir, None).unwrap();
        let second = load_key(&state_dir, None).unwrap();
        let who = make(&RandomIds);
        let cookie = set_cookie(&who, &first, PLAIN);
        assert_eq!(read(&carry(&cookie), &second, PLAIN), Presented::Visitor(who));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = std::fs::metadata(state_dir.join("visitor.key")).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_an_error_not_a_new_key() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("visitor.key"), "00").unwrap();
        assert!(load_key(folder.path(), None).is_err());
        assert!(load_key(folder.path(), Some(&Secret::new("short"))).is_err());
        assert!(load_key(folder.path(), Some(&Secret::new("x".repeat(32)))).is_ok());
    }

    #[test]
    fn over_https_the_cookie_is_bound_to_the_host() {
        let folder = tempfile::tempdir().unwrap();
        let key = load_key(folder.path(), None).unwrap();
        let cookie = set_cookie(&make(&RandomIds), &key, HTTPS);
        let text = cookie.to_str().unwrap();
        assert!(text.starts_with("__Host-chatbot_visitor="), "{text}");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=31536000"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
    }

    #[test]
    fn other_sites_get_a_cookie_each_where_browsers_allow_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = load_key(folder.path(), None).unwrap();
        let called = |style: CookieStyle| CookieStyle { is_called_by_other_sites: true, ..style };
        for (style, goes_along, warns) in
            [(PLAIN, false, false), (HTTPS, false, false), (called(PLAIN), false, true), (called(HTTPS), true, false)]
        {
            let cookie = set_cookie(&make(&RandomIds), &key, style);
            let text = cookie.to_str().unwrap();
            let site = if goes_along { "SameSite=None" } else { "SameSite=Lax" };
            assert!(text.contains(site), "{style:?}: {text}");
            assert_eq!(text.contains("Partitioned"), goes_along, "{style:?}: {text}");
            assert_eq!(style.warning().is_some(), warns, "{style:?}");
        }
    }

    #[test]
    fn what_we_did_not_sign_proves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let key = load_key(folder.path(), None).unwrap();
        let good = set_cookie(&make(&RandomIds), &key, PLAIN);
        let mut forged = good.to_str().unwrap().split(';').next().unwrap().to_owned();
        let last = forged.pop().unwrap();
        forged.push(if last == '0' { '1' } else { '0' });
        for bad in [forged.as_str(), "chatbot_visitor=vis_1", "chatbot_visitor="] {
            let headers = carry(&HeaderValue::try_from(bad).unwrap());
            assert_eq!(read(&headers, &key, PLAIN), Presented::Forged, "{bad}");
        }
        for other in ["chatbot_visitor", "chatbot_visitors=x", "a=b"] {
            let headers = carry(&HeaderValue::try_from(other).unwrap());
            assert_eq!(read(&headers, &key, PLAIN), Presented::Nothing, "{other}");
        }
    }

    fn carry(set_cookie: &HeaderValue) -> HeaderMap {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::try_from(pair).unwrap());
        headers
    }
}
