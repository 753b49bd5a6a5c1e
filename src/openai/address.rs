//! Where requests go, and the headers that let them in.
//!
//! The base URL is taken as it is written: its `/v1`, its query. Keys become headers here, once, and leave in no other
//! form; the headers are marked sensitive, so that nothing prints them.

use std::fmt::Write as _;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::config::settings::OpenAiSettings;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};
use crate::secret::Secret;

/// What failures before the first request are told under.
const SETTINGS: &str = "the settings of OpenAI";
/// Ends of hosts that are Azure's, public and national.
const AZURE_HOSTS: [&str; 4] = [".azure.com", ".azure-api.net", ".azure.us", ".azure.cn"];
/// What Azure serves under a deployment; everything else stands beside its deployments (as its own client has it).
const OF_A_DEPLOYMENT: [&str; 3] = ["/chat/completions", "/completions", "/embeddings"];
const DEPLOYMENTS: &str = "/openai/deployments/";

/// Whose key a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// The project's: everything but the organisation.
    Project,
    /// An administrator's: costs and usage.
    Organization,
}

/// The service as the settings name it.
pub(super) struct Address {
    base: String,
    project: HeaderMap,
    organization: Option<HeaderMap>,
}

impl Address {
    /// The address and the headers of these settings. A key that no header can hold is [`ErrorKind::WrongKey`].
    pub(super) fn of(settings: &OpenAiSettings) -> Result<Self, OpenAiError> {
        let url = Url::parse(&settings.base_url)
            .map_err(|_| FailedCall::new(SETTINGS, ErrorKind::Refused, "OPENAI_BASE_URL is no URL"))?;
        let style = Style::of(&url);
        let mut shared = HeaderMap::new();
        put(&mut shared, "openai-organization", settings.organization.as_deref(), "OPENAI_ORG_ID")?;
        put(&mut shared, "openai-project", settings.project.as_deref(), "OPENAI_PROJECT_ID")?;
        let mut project = shared.clone();
        if let Some(key) = &settings.api_key {
            authorize(&mut project, key, style, "OPENAI_API_KEY")?;
        }
        let organization = match &settings.admin_key {
            Some(key) => {
                // A key of the organisation belongs to no project.
                shared.remove("openai-project");
                authorize(&mut shared, key, style, "OPENAI_ADMIN_KEY")?;
                Some(shared)
            }
            None => None,
        };
        Ok(Self { base: settings.base_url.clone(), project, organization })
    }

    /// The URL of a path such as `/files`, with more in its query than the base has.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, OpenAiError> {
        let mut url = Url::parse(&join(&self.base, path))
            .map_err(|_| FailedCall::new(path, ErrorKind::Refused, "the address is no URL"))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The headers for this account; none when it has no key of ours.
    pub(super) fn headers(&self, account: Account) -> Option<&HeaderMap> {
        match account {
            Account::Project => Some(&self.project),
            Account::Organization => self.organization.as_ref(),
        }
    }

    /// The deployment that the base URL names, on Azure: it stands for the model.
    pub(super) fn deployment(&self) -> Option<&str> {
        let (path, _) = split(&self.base);
        let (_, name) = path.split_once(DEPLOYMENTS)?;
        Some(name.split('/').next().unwrap_or(name)).filter(|name| !name.is_empty())
    }
}

/// A base URL with a path such as `/responses` at its end; trailing slashes go and a query stays. Where the base is a
/// deployment of Azure, paths that Azure has beside its deployments are put there.
pub fn join(base: &str, path: &str) -> String {
    let (mut head, query) = split(base);
    if let Some((before, _)) = head.split_once(DEPLOYMENTS)
        && !OF_A_DEPLOYMENT.contains(&path)
    {
        head = &head[..before.len() + "/openai".len()];
    }
    match query {
        Some(query) => format!("{head}{path}?{query}"),
        None => format!("{head}{path}"),
    }
}

/// One segment of a path: whatever an id holds, it names one thing below its parent, never the parent or another.
pub(super) fn segment(id: &str) -> String {
    if matches!(id, "" | "." | "..") {
        return "-".to_owned();
    }
    id.bytes().fold(String::with_capacity(id.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn split(base: &str) -> (&str, Option<&str>) {
    match base.split_once('?') {
        Some((head, query)) => (head.trim_end_matches('/'), Some(query)),
        None => (base.trim_end_matches('/'), None),
    }
}

/// How a service wants the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Bearer,
    ApiKey,
    /// Something in front of Azure that may want either.
    Both,
}

impl Style {
    fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        match () {
            () if AZURE_HOSTS.iter().any(|end| host.ends_with(end)) => Self::ApiKey,
            () if url.path().contains(DEPLOYMENTS) => Self::Both,
            () => Self::Bearer,
        }
    }
}

fn authorize(headers: &mut HeaderMap, key: &Secret, style: Style, name: &str) -> Result<(), OpenAiError> {
    let key = key.expose().trim();
    let sensitive = |text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| {
            let why = format!("{name} holds characters that no key has");
            FailedCall::new(SETTINGS, ErrorKind::WrongKey, why)
        })?;
        value.set_sensitive(true);
        Ok::<_, OpenAiError>(value)
    };
    // A token of Entra, which is no key of Azure's service, is a JSON Web Token.
    let is_token = key.starts_with("eyJ");
    if style != Style::ApiKey || is_token {
        headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {key}"))?);
    }
    if style != Style::Bearer && !is_token {
        headers.insert("api-key", sensitive(key)?);
    }
    Ok(())
}

fn put(headers: &mut HeaderMap, header: &'static str, value: Option<&str>, name: &str) -> Result<(), OpenAiError> {
    let Some(value) = value else { return Ok(()) };
    let value = HeaderValue::from_str(value).map_err(|_| {
        FailedCall::new(SETTINGS, ErrorKind::Refused, format!("{name} holds characters that no id has"))
    })?;
    headers.insert(HeaderName::from_static(header), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(base: &str) -> Address {
        let api_key = Some(Secret::new("sk-of-the-project"));
        let admin_key = Some(Secret::new("sk-of-the-admin"));
        let project = Some("proj_1".to_owned());
        Address::of(&OpenAiSettings { base_url: base.to_owned(), api_key, admin_key, project, ..Default::default() })
            .unwrap()
    }

    fn header<'a>(address: &'a Address, account: Account, name: &str) -> Option<&'a str> {
        address.headers(account)?.get(name)?.to_str().ok()
    }

    #[test]
    fn the_base_keeps_its_path_and_query_and_loses_trailing_slashes() {
        assert_eq!(join("https://api.openai.com/v1", "/files"), "https://api.openai.com/v1/files");
        assert_eq!(join("https://api.openai.com/v1//", "/files"), "https://api.openai.com/v1/files");
        assert_eq!(join("https://x/v1/?api-version=p", "/files"), "https://x/v1/files?api-version=p");
        let url = address("https://x/v1/?api-version=p").url("/files", &[("after", "a b")]).unwrap();
        assert_eq!(url.as_str(), "https://x/v1/files?api-version=p&after=a+b");
    }

    #[test]
    fn azure_has_some_calls_under_a_deployment_and_the_others_beside_it() {
        let base = "https://me.openai.azure.com/openai/deployments/mini?api-version=2025-04-01-preview";
        let beside = |path: &str| format!("https://me.openai.azure.com/openai{path}?api-version=2025-04-01-preview");
        assert_eq!(join(base, "/responses"), beside("/responses"));
        assert_eq!(join(base, "/vector_stores/vs_1/search"), beside("/vector_stores/vs_1/search"));
        assert_eq!(join(base, "/embeddings"), beside("/deployments/mini/embeddings"));
        assert_eq!(
            join("https://me.openai.azure.com/openai/v1/", "/responses"),
            "https://me.openai.azure.com/openai/v1/responses"
        );
        assert_eq!(address(base).deployment(), Some("mini"));
        assert_eq!(address("https://me.openai.azure.com/openai/v1/").deployment(), None);
    }

    #[test]
    fn azure_gets_the_key_in_its_own_header_and_a_gateway_in_both() {
        let azure = address("https://me.openai.azure.com/openai/v1");
        assert_eq!(header(&azure, Account::Project, "api-key"), Some("sk-of-the-project"));
        assert_eq!(header(&azure, Account::Project, "authorization"), None);
        let gateway = address("https://gateway.example.com/openai/deployments/mini");
        assert_eq!(header(&gateway, Account::Project, "api-key"), Some("sk-of-the-project"));
        assert_eq!(header(&gateway, Account::Project, "authorization"), Some("Bearer sk-of-the-project"));
        let plain = address("https://api.openai.com/v1");
        assert_eq!(header(&plain, Account::Project, "api-key"), None);
        // A host that only begins like Azure's is not Azure's.
        let other = address("https://me.openai.azure.com.example.com/v1");
        assert_eq!(header(&other, Account::Project, "api-key"), None);
    }

    #[test]
    fn the_organisation_has_a_key_of_its_own_and_no_project() {
        let address = address("https://api.openai.com/v1");
        assert_eq!(header(&address, Account::Organization, "authorization"), Some("Bearer sk-of-the-admin"));
        assert_eq!(header(&address, Account::Organization, "openai-project"), None);
        assert_eq!(header(&address, Account::Project, "openai-project"), Some("proj_1"));
    }

    #[test]
    fn a_key_that_no_header_holds_is_told_without_it() {
        let settings = OpenAiSettings {
            base_url: "https://api.openai.com/v1".to_owned(),
            api_key: Some(Secret::new("sk-secret\nx: y")),
            ..Default::default()
        };
        let error = Address::of(&settings).err().unwrap();
        assert_eq!(error.kind, ErrorKind::WrongKey);
        assert!(!format!("{error} {error:?}").contains("sk-secret"), "{error:?}");
    }

    #[test]
    fn an_id_names_one_thing_and_never_its_parent() {
        assert_eq!(segment("file-abc_1"), "file-abc_1");
        assert_eq!(segment("../models?x=1#y"), "..%2Fmodels%3Fx%3D1%23y");
        for nothing in ["", ".", ".."] {
            assert_eq!(segment(nothing), "-");
        }
    }
}
