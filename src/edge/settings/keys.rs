//! The forms of the settings that hold secret keys.

use super::reader::{Form, list};
use super::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The most HS256 secrets at once. A token without `kid` is tried against each of them, so this bounds its cost.
pub const MAX_JWT_SECRETS: usize = 4;
/// The most entries of a `kid:key` list; rotation needs two.
pub const MAX_KEYS: usize = 16;
/// The shortest HS256 secret in bytes: the size of the hash's output (RFC 7518 section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;
/// The longest secret or service key in bytes.
pub const MAX_SECRET_BYTES: usize = 512;
/// The longest key id in bytes.
pub const MAX_KID_BYTES: usize = 64;

/// One HS256 secret.
#[derive(Debug, Clone)]
pub struct JwtSecret {
    /// The `kid` by which tokens name it; None where the setting is one bare secret.
    pub kid: Option<String>,
    /// The HMAC key, the bytes of the text as they stand.
    pub secret: Secret<Vec<u8>>,
}

/// One key by id: `N` is the type of the id.
#[derive(Debug, Clone)]
pub struct NamedKey<N> {
    /// The key's id.
    pub kid: N,
    /// 32 bytes.
    pub key: Secret<[u8; 32]>,
}

// Entries are the same when their ids are: that is what a list must not repeat.
impl PartialEq for JwtSecret {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid
    }
}

impl<N: PartialEq> PartialEq for NamedKey<N> {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid
    }
}

/// `JWT_SECRET`: one secret, or a list `kid:secret,kid:secret`.
///
/// It is a list when every comma-separated part starts with a key id and a colon, and one secret when no part
/// does. Where only some do, it is a fault: guessing would sign people out, or accept half a secret.
pub fn jwt_secrets(text: &str) -> Form<Vec<JwtSecret>> {
    let parts = text.split(',').count();
    let named = text
        .split(',')
        .filter(|part| split_kid(part.trim()).is_some())
        .count();
    if named == 0 {
        return Ok(vec![JwtSecret {
            kid: None,
            secret: secret(text)?,
        }]);
    }
    if named < parts {
        return Err("mixes `kid:secret` entries with entries that have no kid".into());
    }
    list(text, MAX_JWT_SECRETS, |part| {
        let (kid, rest) = split_kid(part).ok_or("must be `kid:secret`")?;
        Ok(JwtSecret {
            kid: Some(kid.to_owned()),
            secret: secret(rest)?,
        })
    })
}

fn secret(text: &str) -> Form<Secret<Vec<u8>>> {
    match text.len() {
        ..MIN_SECRET_BYTES => Err(format!("must hold at least {MIN_SECRET_BYTES} bytes").into()),
        MIN_SECRET_BYTES..=MAX_SECRET_BYTES => Ok(Secret::new(text.as_bytes().to_vec())),
        _ => Err(format!("must hold at most {MAX_SECRET_BYTES} bytes").into()),
    }
}

/// `SERVICE_API_KEYS`: a comma list of keys, each of 32 to 512 visible ASCII characters; the first is current.
pub fn service_keys(text: &str) -> Form<Vec<Secret<String>>> {
    list(text, MAX_KEYS, |key| {
        let sound = (MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&key.len());
        if !sound || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must be 32 to 512 visible ASCII characters".into());
        }
        Ok(Secret::new(key.to_owned()))
    })
}

/// `MASTER_KEYS`: a list `kid:base64(32 bytes)`, the first active; the kid is a positive decimal u32, which is
/// stored with everything sealed under it.
pub fn master_keys(text: &str) -> Form<Vec<NamedKey<u32>>> {
    list(text, MAX_KEYS, |part| {
        let (kid, key) = part.split_once(':').ok_or("must be `kid:key`")?;
        let canonical = !kid.starts_with(['0', '+']);
        let kid = kid.parse::<u32>().ok().filter(|_| canonical);
        Ok(NamedKey {
            kid: kid.ok_or("must have a positive decimal kid")?,
            key: key32(key)?,
        })
    })
}

/// `SIGNING_KEYS`: a list `kid:base64(32-byte Ed25519 seed)` (RFC 8032 section 5.1.5), the first active.
pub fn signing_keys(text: &str) -> Form<Vec<NamedKey<String>>> {
    list(text, MAX_KEYS, |part| {
        let (kid, key) = split_kid(part).ok_or("must be `kid:key`, the kid of A-Z a-z 0-9 . _ -")?;
        Ok(NamedKey {
            kid: kid.to_owned(),
            key: key32(key)?,
        })
    })
}

/// `INDEX_KEY`: base64 (RFC 4648 section 4, padded) of 32 bytes.
pub fn key32(text: &str) -> Form<Secret<[u8; 32]>> {
    let bytes = STANDARD.decode(text.trim()).ok();
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    key.map(Secret::new)
        .ok_or_else(|| "must hold padded base64 of exactly 32 bytes".into())
}

fn split_kid(part: &str) -> Option<(&str, &str)> {
    let (kid, rest) = part.split_once(':')?;
    let sound = (1..=MAX_KID_BYTES).contains(&kid.len())
        && kid
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    sound.then_some((kid, rest))
}
