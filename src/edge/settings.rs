//! The configuration: parsed once from the environment, validated whole. With any fault there are no
//! [`Settings`] at all, so the service does not half-work; all faults are told at once, by name, never by value.

mod doc;
mod keys;
mod limits;
mod reader;
mod secret;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
mod web;

pub use doc::{Required, SETTINGS, SettingDoc};
pub use keys::{JwtSecret, MAX_JWT_SECRETS, MAX_KEYS, NamedKey};
pub use reader::SettingFault;
pub use secret::Secret;

use crate::customer::limits::{DEFAULT_RATE_LIMITS, RateLimits};
use crate::edge::auth::KeySet;
use crate::email::Email;
use reader::{Form, Reader, list};

/// The most issuers, audiences or super-admin addresses.
const MAX_LIST: usize = 64;
/// The longest issuer, audience or claim name in bytes.
const MAX_TEXT_BYTES: usize = 512;

/// Where the service runs. Development is chosen, never fallen into: absent means production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine: issuer and audience may be left open.
    Development,
    /// Everywhere else.
    Production,
}

/// Whether responses are sealed to the caller's credential (FORMATS, "Sealed response").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseEncryption {
    /// When the caller asks for it.
    OnRequest,
    /// Always; a caller cannot switch it off.
    Required,
    /// Never.
    Off,
}

/// One accepted audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// `aud` is this string.
    Exact(String),
    /// `@customerId`: `aud` is the customer that the token names.
    CustomerId,
    /// `@keyId`: `aud` is the token's `keyId` claim.
    KeyId,
}

/// The claim that makes a super-admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminClaim {
    /// The claim's name.
    pub name: String,
    /// The string that it must be, or hold in a list; without one it must be `true`.
    pub value: Option<String>,
}

/// What a token must be like, beyond its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPolicy {
    /// Accepted `iss`; empty accepts any, which only development allows.
    pub issuers: Vec<String>,
    /// Accepted `aud`; empty accepts any, which only development allows.
    pub audiences: Vec<Audience>,
    /// The longest `exp - iat` in seconds.
    pub max_ttl_secs: u32,
    /// The claim that makes a super-admin.
    pub admin_claim: AdminClaim,
    /// Verified addresses that make a super-admin.
    pub super_admin_emails: Vec<Email>,
}

/// The whole configuration.
#[derive(Debug)]
pub struct Settings {
    /// Where the service runs.
    pub environment: Environment,
    /// HS256 secrets, at most [`MAX_JWT_SECRETS`].
    pub jwt_secrets: Vec<JwtSecret>,
    /// Where the issuer publishes its keys.
    pub jwks_url: Option<String>,
    /// Keys given in the configuration; empty where there are none.
    pub jwks: KeySet,
    /// What a token must be like.
    pub tokens: TokenPolicy,
    /// Keys of services, at least one; the first is current.
    pub service_keys: Vec<Secret<String>>,
    /// Origins that may call with credentials, as browsers write them.
    pub allowed_origins: Vec<String>,
    /// Master keys, at least one; the first is active.
    pub master_keys: Vec<NamedKey<u32>>,
    /// The key of the blind indexes and of the API keys' pepper.
    pub index_key: Secret<[u8; 32]>,
    /// Ed25519 seeds, at least one; the first is active.
    pub signing_keys: Vec<NamedKey<String>>,
    /// Whether API keys of the older form are accepted. They carry no tag, so whoever makes one up has an object asked.
    pub legacy_api_keys: bool,
    /// What each plan may do.
    pub rate_limits: RateLimits,
    /// Whether responses are sealed.
    pub response_encryption: ResponseEncryption,
    /// Days between the request for erasure and its execution, 0 to 365.
    pub erasure_grace_days: u32,
    /// Days for which the details of audit entries are kept, at least 30.
    pub audit_retention_days: u32,
    /// Number of directory objects, 1 to 1024.
    pub directory_shards: u32,
    /// Milliseconds after which a call to a customer's object is given up, 100 to 60,000.
    pub object_deadline_ms: u32,
}

impl Settings {
    /// Parses the environment. `read` is asked for the names in [`SETTINGS`] and no others; an empty text counts
    /// as absent.
    ///
    /// # Errors
    /// Every fault there is, none of which holds a value.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingFault>> {
        let mut reader = Reader::new(read);
        match collect(&mut reader) {
            Some(settings) if !reader.has_faults() => Ok(settings),
            _ => Err(reader.into_faults()),
        }
    }
}

/// Reads everything before it gives up on anything; None only where a fault was noted.
fn collect<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<Settings> {
    let environment = reader
        .optional("ENVIRONMENT", environment)
        .unwrap_or(Environment::Production);
    let token_keys = ["JWT_SECRET", "JWKS_URL", "JWKS"];
    if token_keys.iter().all(|name| reader.text(name).is_none()) {
        reader.fault(
            "JWT_SECRET",
            "is absent, as are JWKS_URL and JWKS: at least one is required",
        );
    }
    let jwt_secrets = reader
        .optional("JWT_SECRET", keys::jwt_secrets)
        .unwrap_or_default();
    let jwks_url = reader.optional("JWKS_URL", web::jwks_url);
    let jwks = reader.optional("JWKS", static_keys).unwrap_or_default();
    let tokens = token_policy(reader, environment);
    let service_keys = reader.required("SERVICE_API_KEYS", keys::service_keys);
    let allowed_origins = reader
        .optional("ALLOWED_ORIGINS", web::origins)
        .unwrap_or_default();
    let master_keys = reader.required("MASTER_KEYS", keys::master_keys);
    let index_key = reader.required("INDEX_KEY", keys::key32);
    let signing_keys = reader.required("SIGNING_KEYS", keys::signing_keys);
    let rate_limits = match reader.text("RATE_LIMITS") {
        Some(_) => reader.optional("RATE_LIMITS", limits::rate_limits),
        None => limits::rate_limits("{}").ok(),
    };
    let response_encryption = reader.optional("RESPONSE_ENCRYPTION", response_encryption);
    let legacy_api_keys = reader.optional("LEGACY_API_KEYS", switch).unwrap_or(false);
    let erasure_grace_days = reader.integer("ERASURE_GRACE_DAYS", 0..=365, 7);
    let audit_retention_days = reader.integer("AUDIT_RETENTION_DAYS", 30..=36_500, 730);
    let directory_shards = reader.integer("DIRECTORY_SHARDS", 1..=1024, 16);
    let object_deadline_ms = reader.integer("OBJECT_DEADLINE_MS", 100..=60_000, 10_000);
    Some(Settings {
        environment,
        jwt_secrets,
        jwks_url,
        jwks,
        tokens,
        service_keys: service_keys?,
        allowed_origins,
        master_keys: master_keys?,
        index_key: index_key?,
        signing_keys: signing_keys?,
        legacy_api_keys,
        rate_limits: rate_limits?,
        response_encryption: response_encryption.unwrap_or(ResponseEncryption::OnRequest),
        erasure_grace_days,
        audit_retention_days,
        directory_shards,
        object_deadline_ms,
    })
}

fn token_policy<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    environment: Environment,
) -> TokenPolicy {
    for name in ["JWT_ISSUER", "JWT_AUDIENCE"] {
        if environment == Environment::Production && reader.text(name).is_none() {
            reader.fault(name, "is required in production and absent");
        }
    }
    let default_claim = || AdminClaim {
        name: "isSuperAdmin".to_owned(),
        value: None,
    };
    TokenPolicy {
        issuers: reader
            .optional("JWT_ISSUER", |text| list(text, MAX_LIST, plain))
            .unwrap_or_default(),
        audiences: reader
            .optional("JWT_AUDIENCE", |text| list(text, MAX_LIST, audience))
            .unwrap_or_default(),
        max_ttl_secs: reader.integer("JWT_MAX_TTL_SECONDS", 60..=604_800, 86_400),
        admin_claim: reader
            .optional("ADMIN_CLAIM", admin_claim)
            .unwrap_or_else(default_claim),
        super_admin_emails: reader
            .optional("SUPER_ADMIN_EMAILS", |text| list(text, MAX_LIST, email))
            .unwrap_or_default(),
    }
}

fn environment(text: &str) -> Form<Environment> {
    match text.trim() {
        "development" => Ok(Environment::Development),
        "production" => Ok(Environment::Production),
        _ => Err("must be `development` or `production`".into()),
    }
}

fn switch(text: &str) -> Form<bool> {
    match text.trim() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be `on` or `off`".into()),
    }
}

fn response_encryption(text: &str) -> Form<ResponseEncryption> {
    match text.trim() {
        "on-request" => Ok(ResponseEncryption::OnRequest),
        "required" => Ok(ResponseEncryption::Required),
        "off" => Ok(ResponseEncryption::Off),
        _ => Err("must be `on-request`, `required` or `off`".into()),
    }
}

fn static_keys(text: &str) -> Form<KeySet> {
    let keys = KeySet::parse(text.as_bytes()).map_err(|fault| format!("is not a usable JWK set: {fault}"))?;
    if keys.is_empty() {
        return Err("holds no RS256, ES256 or Ed25519 verification key".into());
    }
    Ok(keys)
}

fn plain(text: &str) -> Form<String> {
    let sound = (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    if sound {
        Ok(text.to_owned())
    } else {
        Err("must hold 1 to 512 bytes and no control character".into())
    }
}

fn audience(text: &str) -> Form<Audience> {
    match text {
        "@customerId" => Ok(Audience::CustomerId),
        "@keyId" => Ok(Audience::KeyId),
        // A mistyped stand-in must not become an audience that no token has.
        text if text.starts_with('@') => Err("must be `@customerId`, `@keyId` or have no leading `@`".into()),
        text => plain(text).map(Audience::Exact),
    }
}

fn admin_claim(text: &str) -> Form<AdminClaim> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let part = |text: &str| -> Form<String> {
        plain(text.trim()).map_err(|_| {
            "must be `claim` or `claim=value`, each part of 1 to 512 bytes without control characters".into()
        })
    };
    Ok(AdminClaim {
        name: part(name)?,
        value: value.map(part).transpose()?,
    })
}

fn email(text: &str) -> Form<Email> {
    Email::parse(text).ok_or_else(|| "is not an e-mail address".into())
}
