//! Visitors: each browser its own signed cookie, so that nobody reads another's threads.
//!
//! The cookie holds an id made here; a value that this server did not sign is as good as none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, CookieJar, Key, SameSite};

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

impl Transport {
    fn cookie_name(self) -> &'static str {
        match self {
            Self::Https => HTTPS_NAME,
            Self::Plain => NAME,
        }
    }
}

/// The visitor whom a request's cookies prove, if any.
pub fn read(headers: &HeaderMap, key: &VisitorKey, transport: Transport) -> Option<Principal> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| Cookie::split_parse(value.to_owned()))
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == transport.cookie_name())
        .find_map(|cookie| verify(cookie, key))
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
pub fn set_cookie(who: &Principal, key: &VisitorKey, transport: Transport) -> HeaderValue {
    let cookie = Cookie::build((transport.cookie_name(), who.id.clone()))
        .path("/")
        .http_only(true)
        .secure(transport == Transport::Https)
        .same_site(SameSite::Lax)
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

    use super::{Transport, load_key, make, read, set_cookie};
    use crate::clock::RandomIds;
    use crate::secret::Secret;

    #[test]
    fn the_first_start_makes_a_private_key_that_later_starts_read() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        let first = load_key(&state_dir, None).unwrap();
        let second = load_key(&state_dir, None).unwrap();
        let who = make(&RandomIds);
        let cookie = set_cookie(&who, &first, Transport::Plain);
        assert_eq!(read(&carry(&cookie), &second, Transport::Plain), Some(who));
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
        let cookie = set_cookie(&make(&RandomIds), &key, Transport::Https);
        let text = cookie.to_str().unwrap();
        assert!(text.starts_with("__Host-chatbot_visitor="), "{text}");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=31536000"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
    }

    #[test]
    fn what_we_did_not_sign_proves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let key = load_key(folder.path(), None).unwrap();
        let good = set_cookie(&make(&RandomIds), &key, Transport::Plain);
        let mut forged = good.to_str().unwrap().split(';').next().unwrap().to_owned();
        let last = forged.pop().unwrap();
        forged.push(if last == '0' { '1' } else { '0' });
        for bad in [forged.as_str(), "chatbot_visitor=vis_1", "chatbot_visitor=", "chatbot_visitor"] {
            let headers = carry(&HeaderValue::try_from(bad).unwrap());
            assert_eq!(read(&headers, &key, Transport::Plain), None, "{bad}");
        }
    }

    fn carry(set_cookie: &HeaderValue) -> HeaderMap {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::try_from(pair).unwrap());
        headers
    }
}
