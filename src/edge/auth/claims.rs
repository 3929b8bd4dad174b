//! The claims of a token whose signature holds, judged by the policy: API.md, "Who is calling".

use super::reason::Reason;
use crate::caller::{Caller, Service, User};
use crate::edge::settings::{Audience, TokenPolicy};
use crate::email::Email;
use crate::types::{CustomerId, Timestamp};
use crate::verify::chain::hex;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The skew in seconds that `nbf` and `iat` may have. `exp` has none: late is late.
pub const MAX_SKEW_SECS: i64 = 60;
/// The longest `sub` and `jti` in characters.
pub const MAX_ID_CHARS: usize = 255;

type Claims = Map<String, Value>;

/// When a token holds, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    issued_at: i64,
    expires_at: i64,
    not_before: Option<i64>,
}

/// The caller that the claims make, the `csrf` claim for a request by cookie, and when the token holds.
///
/// The order: what the token is, whom it is from and for, and only then its times, so that `token_expired` is
/// said only of a token for which getting a new one helps.
///
/// # Errors
/// The first thing that is wrong.
pub fn judge(
    claims: &Claims,
    policy: &TokenPolicy,
    now: Timestamp,
) -> Result<(Caller, Option<String>, Times), Reason> {
    refuse_id_token(claims)?;
    let subject = subject(claims)?;
    let customer = customer(claims, &subject)?;
    check_issuer(claims, policy)?;
    check_audience(claims, policy, customer.as_ref())?;
    let times = Times::of(claims)?;
    times.check(policy, now)?;
    let Times {
        issued_at,
        expires_at,
        ..
    } = times;
    let jti = text(claims, "jti", Reason::BadJti)?.filter(|jti| !jti.is_empty());
    if jti
        .as_ref()
        .is_some_and(|jti| jti.chars().count() > MAX_ID_CHARS || jti.chars().any(char::is_control))
    {
        return Err(Reason::BadJti);
    }
    let scopes = text(claims, "scope", Reason::BadScope)?.unwrap_or_default();
    let scopes: Vec<String> = scopes
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    let csrf = text(claims, "csrf", Reason::BadCsrf)?.filter(|csrf| !csrf.is_empty());
    if scopes.iter().any(|scope| scope == "service") {
        return Ok((
            Caller::Service(Service {
                id: service_id(&subject),
                jti,
                issued_at: Some(issued_at),
            }),
            csrf,
            times,
        ));
    }
    // An address that is none, or is not there, has not been verified, whatever the token says.
    let email = claims.get("email").and_then(Value::as_str).and_then(Email::parse);
    let email_verified = email.is_some() && claims.get("email_verified") == Some(&Value::Bool(true));
    let is_admin = has_admin_claim(claims, policy)
        || email
            .as_ref()
            .is_some_and(|email| email_verified && policy.super_admin_emails.contains(email));
    let user = User {
        customer,
        subject,
        email: email.map(String::from),
        email_verified,
        is_admin,
        scopes,
        jti,
        issued_at,
        expires_at,
        csrf: csrf.clone(),
        legacy_hashes: Vec::new(),
    };
    Ok((Caller::User(Box::new(user)), csrf, times))
}

/// OpenID Connect Core section 2 puts these claims into ID tokens; access tokens have no use for them
/// (RFC 9068 section 2.2). Cognito says it by `token_use`, Keycloak by a `typ` claim.
fn refuse_id_token(claims: &Claims) -> Result<(), Reason> {
    let of_id_tokens = ["nonce", "at_hash", "c_hash", "s_hash"];
    let said = |name: &str, word: &str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(|value| value.eq_ignore_ascii_case(word))
    };
    if of_id_tokens.iter().any(|name| claims.contains_key(*name))
        || said("token_use", "id")
        || said("typ", "ID")
    {
        return Err(Reason::IdToken);
    }
    Ok(())
}

fn subject(claims: &Claims) -> Result<String, Reason> {
    let subject = claims.get("sub").and_then(Value::as_str).ok_or(Reason::BadSub)?;
    let sound =
        (1..=MAX_ID_CHARS).contains(&subject.chars().count()) && !subject.chars().any(char::is_control);
    if sound {
        Ok(subject.to_owned())
    } else {
        Err(Reason::BadSub)
    }
}

/// The `customerId` claim: a string must be an id, null is none; where it is absent, `sub` stands in if it is an
/// id and not of a user's form.
fn customer(claims: &Claims, subject: &str) -> Result<Option<CustomerId>, Reason> {
    match claims.get("customerId") {
        Some(Value::String(id)) => CustomerId::parse(id).map(Some).ok_or(Reason::BadCustomerId),
        Some(Value::Null) => Ok(None),
        Some(_) => Err(Reason::BadCustomerId),
        None if subject.starts_with("user_") => Ok(None),
        None => Ok(CustomerId::parse(subject)),
    }
}

/// `iss` compares as a plain string (RFC 7519 section 4.1.1): an older issuer has no scheme in it.
fn check_issuer(claims: &Claims, policy: &TokenPolicy) -> Result<(), Reason> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    let trusted = issuer.is_some_and(|issuer| policy.issuers.iter().any(|known| known == issuer));
    if policy.issuers.is_empty() || trusted {
        Ok(())
    } else {
        Err(Reason::WrongIssuer)
    }
}

/// `aud` is a string or a list (RFC 7519 section 4.1.3), and one of its strings must be one of ours.
fn check_audience(
    claims: &Claims,
    policy: &TokenPolicy,
    customer: Option<&CustomerId>,
) -> Result<(), Reason> {
    let key_id = claims
        .get("keyId")
        .and_then(Value::as_str)
        .filter(|key_id| !key_id.is_empty());
    let ours = |audience: &str| {
        policy.audiences.iter().any(|accepted| match accepted {
            Audience::Exact(text) => text == audience,
            Audience::CustomerId => customer.is_some_and(|id| id.as_str() == audience),
            Audience::KeyId => key_id == Some(audience),
        })
    };
    let matched = match claims.get("aud") {
        Some(Value::String(audience)) => ours(audience),
        Some(Value::Array(list)) => {
            list.iter().all(Value::is_string) && list.iter().filter_map(Value::as_str).any(ours)
        }
        _ => false,
    };
    if policy.audiences.is_empty() || matched {
        Ok(())
    } else {
        Err(Reason::WrongAudience)
    }
}

impl Times {
    /// `iat`, `exp` and `nbf`.
    fn of(claims: &Claims) -> Result<Self, Reason> {
        Ok(Self {
            expires_at: claims.get("exp").and_then(numeric_date).ok_or(Reason::BadExp)?,
            issued_at: claims.get("iat").and_then(numeric_date).ok_or(Reason::BadIat)?,
            not_before: match claims.get("nbf") {
                Some(value) => Some(numeric_date(value).ok_or(Reason::BadNbf)?),
                None => None,
            },
        })
    }

    /// Whether the token holds now.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, policy: &TokenPolicy, now: Timestamp) -> Result<(), Reason> {
        let lifetime_secs = self.expires_at.saturating_sub(self.issued_at);
        if lifetime_secs <= 0 {
            return Err(Reason::LifetimeNotPositive);
        }
        if lifetime_secs > i64::from(policy.max_ttl_secs) {
            return Err(Reason::LifetimeTooLong);
        }
        if now.as_secs() >= self.expires_at {
            return Err(Reason::Expired);
        }
        let latest = now.as_secs().saturating_add(MAX_SKEW_SECS);
        if self.not_before.is_some_and(|not_before| not_before > latest) {
            return Err(Reason::NotYetValid);
        }
        if self.issued_at > latest {
            return Err(Reason::IssuedInFuture);
        }
        Ok(())
    }
}

/// Unix seconds from 1970 to 9999; a fraction, which RFC 7519 section 2 allows, is cut off.
fn numeric_date(value: &Value) -> Option<i64> {
    let seconds = value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))?;
    (0..=Timestamp::MAX.as_secs())
        .contains(&seconds)
        .then_some(seconds)
}

/// An optional string; null counts as absent, because serialisers write it for what is not there.
fn text(claims: &Claims, name: &str, wrong: Reason) -> Result<Option<String>, Reason> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong),
    }
}

fn has_admin_claim(claims: &Claims, policy: &TokenPolicy) -> bool {
    let wanted = policy.admin_claim.value.as_deref();
    match (claims.get(&policy.admin_claim.name), wanted) {
        (Some(Value::Bool(value)), None) => *value,
        (Some(Value::String(value)), Some(wanted)) => value == wanted,
        (Some(Value::Array(values)), Some(wanted)) => {
            values.iter().any(|value| value.as_str() == Some(wanted))
        }
        _ => false,
    }
}

/// The id that a service's `sub` gives: itself where it is plain and cannot be taken for an id of ours, else a
/// hash, because the id goes into logs and `sub` may be anything, an e-mail address included.
fn service_id(subject: &str) -> String {
    let ours = subject.starts_with("key_") || subject.starts_with("sub_");
    let plain = subject.len() <= 64
        && subject
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if plain && !ours {
        subject.to_owned()
    } else {
        format!("sub_{}", short_hash(subject.as_bytes()))
    }
}

/// The first 12 hex digits of SHA-256: enough to tell credentials apart in a log, too little to guess from.
pub(super) fn short_hash(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).get(..6).unwrap_or_default())
}
