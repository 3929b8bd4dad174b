//! The settings of a server under test: fixed, complete, as strict as production's.

use crate::support::keys;
use std::collections::BTreeMap;
use std::path::Path;

/// The `iss` that the servers trust.
pub const ISSUER: &str = "https://login.e2e.test";
/// The `aud` that the servers accept.
pub const AUDIENCE: &str = "https://api.e2e.test";
/// The HS256 secrets by `kid`; the first is current.
pub const JWT_SECRETS: [(&str, &str); 2] = [
    ("hs-2", "e2e-secretdata-current-0123456789abcdef"),
    ("hs-1", "e2e-secretdata-previous-0123456789abcdef"),
];
/// The service keys; the first is current.
pub const SERVICE_KEYS: [&str; 2] = [
    "e2e-secretdata-service-current-0123456789",
    "e2e-secretdata-service-previous-0123456789",
];
/// The origins that pages may call from.
pub const ORIGINS: [&str; 2] = ["https://app.e2e.test", "http://localhost:5173"];

/// Limits that no test meets by accident, for the plan of [`crate::support::shared::new_customer`]; the other plans
/// have their defaults.
const RATE_LIMITS: &str =
    r#"{"pro":[{"name":"burst","q":1000000,"w":60},{"name":"day","q":1000000000,"w":86400}]}"#;

/// 32 bytes in base64, as `MASTER_KEYS`, `INDEX_KEY` and `SIGNING_KEYS` hold them.
const KEY_BYTES: [&str; 3] = [
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
    "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
];

/// Settings by name.
#[derive(Clone)]
pub struct Settings(BTreeMap<&'static str, String>);

impl Default for Settings {
    fn default() -> Self {
        let [master, index, signing] = KEY_BYTES;
        let secrets = JWT_SECRETS.map(|(kid, secret)| format!("{kid}:{secret}"));
        let settings = [
            ("ENVIRONMENT", "production".to_owned()),
            ("JWT_SECRET", secrets.join(",")),
            ("JWT_ISSUER", ISSUER.to_owned()),
            ("JWT_AUDIENCE", AUDIENCE.to_owned()),
            ("JWKS", keys::public_set(&["rsa-1", "ec-1", "ed-1"]).to_string()),
            ("SERVICE_API_KEYS", SERVICE_KEYS.join(",")),
            ("ALLOWED_ORIGINS", ORIGINS.join(",")),
            ("MASTER_KEYS", format!("1:{master}")),
            ("INDEX_KEY", index.to_owned()),
            ("SIGNING_KEYS", format!("sig-1:{signing}")),
            ("RATE_LIMITS", RATE_LIMITS.to_owned()),
        ];
        Self(BTreeMap::from(settings))
    }
}

impl Settings {
    /// Those of a server that takes users' keys from an issuer and from nowhere else.
    pub fn of_issuer(jwks_url: &str) -> Self {
        Self::default()
            .without("JWT_SECRET")
            .without("JWKS")
            .with("JWKS_URL", jwks_url)
    }

    /// The same with another value for `name`.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        assert!(!value.contains('\''), "the file's form has no escape for it");
        self.0.insert(name, value.to_owned());
        self
    }

    /// The same without `name`.
    pub fn without(mut self, name: &'static str) -> Self {
        self.0.remove(name);
        self
    }

    /// Writes them as an `ENV_FILE`.
    pub fn write(&self, path: &Path) {
        let lines = self.0.iter().map(|(name, value)| format!("{name}='{value}'\n"));
        std::fs::write(path, lines.collect::<String>()).expect("writing the settings");
    }
}
