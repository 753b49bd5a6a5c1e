//! Names that say enough: files that must never reach an index, and those that are nobody's document.
//!
//! A name is judged without opening the file. A wrong guess costs a named skip, never a leak.

/// Why a secret-looking file is left out.
pub const SECRET: &str = "it looks like a secret";

/// Endings of files that hold keys, passwords or the state of tools that keep both.
const SECRET_SUFFIXES: [&str; 23] = [
    ".env",
    ".pem",
    ".key",
    ".p8",
    ".p12",
    ".pfx",
    ".pkcs12",
    ".jks",
    ".keystore",
    ".bks",
    ".kdb",
    ".kdbx",
    ".keytab",
    ".asc",
    ".gpg",
    ".pgp",
    ".ppk",
    ".ovpn",
    ".tfvars",
    ".tfstate",
    ".kubeconfig",
    ".htpasswd",
    ".age",
];

/// Names of such files, whatever their extension: `secrets`, `secrets.yaml`, `secrets.prod.json`.
const SECRET_STEMS: [&str; 8] =
    ["secret", "secrets", "credential", "credentials", "password", "passwords", "kubeconfig", "htpasswd"];

/// Whole names.
const SECRET_NAMES: [&str; 13] = [
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".dockercfg",
    ".dockerconfigjson",
    ".vault-token",
    "passwd",
    "shadow",
    "wallet.dat",
];

/// Beginnings of JSON files that cloud providers hand out as keys.
const KEY_FILES: [&str; 4] = ["service-account", "service_account", "serviceaccount", "client_secret"];

/// Kinds of keys that `ssh-keygen` names its files after.
const SSH_KEYS: [&str; 5] = ["rsa", "dsa", "ecdsa", "ed25519", "xmss"];

/// Whether a file's name says that it holds keys or passwords.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    SECRET_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        || SECRET_NAMES.contains(&name.as_str())
        || SECRET_STEMS.contains(&stem)
        || is_env(&name)
        || is_ssh_key(&name)
        || name.contains(".tfstate.")
        || is_key_file(&name)
}

/// `service-account-shop.json`, in lower case.
fn is_key_file(name: &str) -> bool {
    let extension = name.rsplit('.').next();
    extension == Some("json") && KEY_FILES.iter().any(|beginning| name.starts_with(beginning))
}

/// `.env.local`, `prod.env.bak`; `.env` at the end is among the suffixes.
fn is_env(name: &str) -> bool {
    name.contains(".env.") || name.starts_with("env.")
}

/// `id_ed25519`, `id_rsa.old`, and any `id_…` without an extension; `id_cards.pdf` is a document.
fn is_ssh_key(name: &str) -> bool {
    name.strip_prefix("id_").is_some_and(|rest| {
        let kind = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        SSH_KEYS.contains(&kind) || !rest.contains('.')
    })
}

/// Lock and backup files that office programs and editors leave beside a document.
pub fn is_scratch(name: &str) -> bool {
    name.starts_with("~$") || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

/// Folders full of text that nobody wrote for readers of these documents, with the reason why they are left out.
pub fn foreign_folder(name: &str) -> Option<&'static str> {
    match name {
        "node_modules" | "__pycache__" => Some("files of installed programs"),
        "__MACOSX" => Some("attributes of files, left by an archive program"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        let secrets = [
            ".env",
            "prod.env",
            ".env.local",
            "env.json",
            "Server.PEM",
            "id_rsa",
            "id_ed25519_sk",
            "id_rsa.txt",
            "id_work",
            ".netrc",
            ".npmrc",
            ".pgpass",
            "terraform.tfstate",
            "terraform.tfstate.backup",
            "kubeconfig",
            "kubeconfig.yaml",
            "service-account-7.json",
            "secrets.yaml",
            "secrets.prod.json",
            "credentials.csv",
            "passwords.txt",
            "store.jks",
        ];
        for name in secrets {
            assert!(is_secret(name), "{name}");
        }
        let documents = [
            "id_cards.pdf",
            "environment.md",
            "keys.md",
            "secretary.md",
            "passwordless-login.md",
            "service-account.md",
            "monkey.txt",
            "my secrets.docx",
        ];
        for name in documents {
            assert!(!is_secret(name), "{name}");
        }
    }
}
