//! Keys and tokens with a form that their issuers publish: a prefix, an alphabet, a length.

use std::collections::BTreeSet;

use crate::lint::sensitive::{Candidate, Class, Kind, Level, Pattern};

/// A key has many different characters, a placeholder (`sk_live_xxxxxxxx`) few.
const MIN_DISTINCT: usize = 8;

/// The body of the shortest private key in use (Ed25519) is longer; what only speaks of keys has none.
const MIN_BODY_BYTES: usize = 40;

const fn token(id: &'static str, title: &'static str, regex: &'static str) -> Pattern {
    Pattern { kind: Kind { id, title, class: Class::Secret }, regex, judge: is_no_placeholder }
}

/// Every form.
pub(super) static PATTERNS: &[Pattern] = &[
    Pattern {
        kind: Kind { id: "private-key", title: "private key", class: Class::Secret },
        // RFC 7468, OpenSSH and OpenPGP armor. Line breaks may be written `\n` (JSON), or lost.
        regex: r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r)*(?:[A-Za-z-]{4,20}: [^\n]{1,80}\s+){0,4}(?P<v>[A-Za-z0-9+/=](?:[A-Za-z0-9+/=\s]|\\n|\\r)+)",
        judge: |candidate| if candidate.value().len() > MIN_BODY_BYTES { is_no_placeholder(candidate) } else { None },
    },
    token("private-key", "private key", r"\bAGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}\b"),
    token("aws-key", "AWS access key id", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    token(
        "aws-secret",
        "AWS secret access key",
        r#"(?i)aws[ _-]?secret[ _-]?(?:access[ _-]?)?key["']?\s*(?:[:=|]|=>)\s*["']?(?P<v>[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
    ),
    token("google-key", "Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    token("google-key", "Google OAuth client secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}"),
    token("azure-key", "Azure storage account key", r"(?i)AccountKey\s*=\s*(?P<v>[A-Za-z0-9+/]{86}==)"),
    token("azure-key", "Azure client secret", r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    token("azure-sas", "Azure shared access signature", r"[?&]sig=(?P<v>[A-Za-z0-9%+/]{43,80}(?:%3[Dd]|=))"),
    token("github-token", "GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    token("github-token", "GitHub token", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    token("gitlab-token", "GitLab token", r"\bgl(?:pat|dt|rt|ptt|ft|oas|soat|cbt|agent)-[A-Za-z0-9_-]{20,}"),
    token("slack-token", "Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    token("slack-token", "Slack token", r"\bxapp-\d-[A-Z0-9]{8,}-\d+-[a-f0-9]{32,}"),
    token(
        "slack-webhook",
        "Slack webhook",
        r"https://hooks\.slack\.com/(?:services|workflows|triggers)/(?P<v>[A-Za-z0-9]{8,}/[A-Za-z0-9/]{16,80})",
    ),
    token("stripe-key", "Stripe key", r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}\b"),
    token("stripe-key", "Stripe webhook secret", r"\bwhsec_[A-Za-z0-9+/]{32,64}"),
    token("anthropic-key", "Anthropic API key", r"\bsk-ant-[a-z0-9]{3,10}-[A-Za-z0-9_-]{20,}"),
    token("openai-key", "OpenAI API key", r"\bsk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}"),
    token("openai-key", "OpenAI API key", r"\bsk-[A-Za-z0-9]{32,64}\b"),
    token("huggingface-token", "Hugging Face token", r"\bhf_[A-Za-z]{34}\b"),
    token("groq-key", "Groq API key", r"\bgsk_[A-Za-z0-9]{52}\b"),
    token("sendgrid-key", "SendGrid API key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    token("twilio-key", "Twilio API key", r"\bSK[0-9a-f]{32}\b"),
    token("mailgun-key", "Mailgun API key", r"\bkey-[0-9a-f]{32}\b"),
    token("mailchimp-key", "Mailchimp API key", r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    token("npm-token", "npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    token("pypi-token", "PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    token("docker-token", "Docker Hub token", r"\bdckr_pat_[A-Za-z0-9_-]{27}"),
    token("digitalocean-token", "DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    token("shopify-token", "Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
    token("square-token", "Square token", r"\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}"),
    token("telegram-token", "Telegram bot token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    token("databricks-token", "Databricks token", r"\bdapi[0-9a-f]{32}\b"),
    token("vault-token", "HashiCorp Vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
    token("atlassian-token", "Atlassian token", r"\bATATT3[A-Za-z0-9_=-]{60,}"),
    token("grafana-token", "Grafana token", r"\bglsa_[A-Za-z0-9]{32}_[a-f0-9]{8}\b"),
    token("linear-key", "Linear API key", r"\blin_api_[A-Za-z0-9]{40}\b"),
    // RFC 7519: header and claims are JSON objects, and `{"` begins with `eyJ` in base64url.
    token("jwt", "JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}"),
];

fn is_no_placeholder(candidate: &Candidate<'_>) -> Option<Level> {
    let distinct: BTreeSet<char> = candidate.value().chars().collect();
    let lower = candidate.value().to_ascii_lowercase();
    let is_filler = ["xxxxxx", "000000", "......", "your"].iter().any(|filler| lower.contains(filler));
    (distinct.len() >= MIN_DISTINCT && !is_filler).then_some(Level::High)
}
