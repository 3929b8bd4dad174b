//! Every setting, as data: the shell reads exactly these from its environment, and `docs/OPERATIONS.md` is
//! tested against them.

/// When a setting must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Always.
    Always,
    /// Where `ENVIRONMENT` is `production`.
    InProduction,
    /// At least one of `JWT_SECRET`, `JWKS_URL` and `JWKS`.
    OneOfTokenKeys,
    /// Never.
    No,
}

/// One setting: its name, form, default, and whether it may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingDoc {
    /// The name of the environment variable.
    pub name: &'static str,
    /// The form of its value.
    pub form: &'static str,
    /// What holds when it is absent; None where nothing does.
    pub default: Option<&'static str>,
    /// When it must be there.
    pub required: Required,
    /// True for what must be kept by `wrangler secret`, not in `[vars]`.
    pub secret: bool,
}

const fn plain(name: &'static str, form: &'static str, default: Option<&'static str>) -> SettingDoc {
    SettingDoc {
        name,
        form,
        default,
        required: Required::No,
        secret: false,
    }
}

const fn required(name: &'static str, form: &'static str, required: Required, secret: bool) -> SettingDoc {
    SettingDoc {
        name,
        form,
        default: None,
        required,
        secret,
    }
}

/// The settings that are text in the environment, in the order of the documentation. (`LEGACY_KV` is a
/// binding, not a text, and belongs to the shell.)
pub const SETTINGS: &[SettingDoc] = &[
    plain("ENVIRONMENT", "`development` or `production`", Some("production")),
    required(
        "JWT_SECRET",
        "one HS256 secret, or a list `kid:secret,kid:secret` of at most 4; 32 to 512 bytes each",
        Required::OneOfTokenKeys,
        true,
    ),
    required(
        "JWKS_URL",
        "https URL of a JWK set; http only on a loopback host",
        Required::OneOfTokenKeys,
        false,
    ),
    required(
        "JWKS",
        "a JWK set itself (RFC 7517), at most 32 keys and 64 KiB",
        Required::OneOfTokenKeys,
        false,
    ),
    required(
        "JWT_ISSUER",
        "comma list of accepted `iss`, compared as plain strings",
        Required::InProduction,
        false,
    ),
    required(
        "JWT_AUDIENCE",
        "comma list of accepted `aud`; `@customerId` and `@keyId` stand for that claim of the same token",
        Required::InProduction,
        false,
    ),
    plain("JWT_MAX_TTL_SECONDS", "integer, 60 to 604800", Some("86400")),
    plain(
        "ADMIN_CLAIM",
        "a claim that must be `true`, or `claim=value` for a string or a list of strings",
        Some("isSuperAdmin"),
    ),
    plain("SUPER_ADMIN_EMAILS", "comma list of e-mail addresses", None),
    required(
        "SERVICE_API_KEYS",
        "comma list of 32 to 512 visible characters each; the first is current",
        Required::Always,
        true,
    ),
    plain(
        "ALLOWED_ORIGINS",
        "comma list of exact origins, `scheme://host[:port]`",
        None,
    ),
    required(
        "MASTER_KEYS",
        "list `kid:base64(32 bytes)`, kid a positive integer; the first is active",
        Required::Always,
        true,
    ),
    required("INDEX_KEY", "base64 of 32 bytes", Required::Always, true),
    required(
        "SIGNING_KEYS",
        "list `kid:base64(32-byte Ed25519 seed)`; the first is active",
        Required::Always,
        true,
    ),
    plain(
        "RATE_LIMITS",
        "JSON by plan: `{\"<plan>\": [{\"name\", \"q\", \"w\", \"burst\"?, \"unit\"?}]}`; a plan left out keeps its default",
        Some(super::DEFAULT_RATE_LIMITS),
    ),
    plain(
        "RESPONSE_ENCRYPTION",
        "`on-request`, `required` or `off`",
        Some("on-request"),
    ),
    plain("LEGACY_API_KEYS", "`on` or `off`", Some("off")),
    plain("ERASURE_GRACE_DAYS", "integer, 0 to 365", Some("7")),
    plain("AUDIT_RETENTION_DAYS", "integer, 30 to 36500", Some("730")),
    plain(
        "DIRECTORY_SHARDS",
        "integer, 1 to 1024; fixed once customers exist",
        Some("16"),
    ),
    plain("OBJECT_DEADLINE_MS", "integer, 100 to 60000", Some("10000")),
];
