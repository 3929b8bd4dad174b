//! The claims of one token (RFC 7519 section 4), as the service's contract names them.

use super::failure::{Failure, Result};
use super::random;
use super::settings::Settings;
use super::token::Args;
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// How long before its `exp` a token that is expired from the start pretends to have been issued.
const EXPIRED_TOKEN_LIFE_SECS: i64 = 3600;

/// The claims that the arguments and settings ask for, issued now.
///
/// # Errors
/// The time of expiry is out of range, or a setting is wrong or needs a claim that nothing gives.
pub fn of(args: &Args, settings: &Settings) -> Result<Map<String, Value>> {
    let out_of_range = || Failure::usage("--ttl: the time of expiry is out of range");
    let now = now()?;
    let exp = now.checked_add(args.ttl).ok_or_else(out_of_range)?;
    // A token whose iat lay after its exp would be refused as nonsense before it is refused as expired.
    let iat = if args.ttl > 0 {
        Some(now)
    } else {
        exp.checked_sub(EXPIRED_TOKEN_LIFE_SECS)
    };
    let iat = iat.filter(|iat| *iat >= 0).ok_or_else(out_of_range)?;

    let sub = match &args.sub {
        Some(sub) => sub.clone(),
        None => format!("user_{}", random::hex::<6>()?),
    };
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    set("sub", sub.into());
    set("iat", iat.into());
    set("exp", exp.into());
    set("jti", random::base64url::<16>()?.into());
    set("csrf", random::base64url::<16>()?.into());
    for (name, value) in [
        ("customerId", args.customer.clone()),
        ("email", args.email.clone().map(Value::from)),
        ("email_verified", args.email_verified.then_some(json!(true))),
        ("isSuperAdmin", args.admin.then_some(json!(true))),
        ("scope", args.scope.clone().map(Value::from)),
        ("iss", settings.first_of("JWT_ISSUER")?.map(Value::from)),
    ] {
        if let Some(value) = value {
            set(name, value);
        }
    }
    claims.extend(args.claims.iter().cloned());
    if !claims.contains_key("aud")
        && let Some(audience) = settings.first_of("JWT_AUDIENCE")?
    {
        let audience = resolve_audience(audience, &claims)?;
        claims.insert("aud".to_owned(), audience.into());
    }
    Ok(claims)
}

/// `JWT_AUDIENCE` may name a claim, `@customerId` or `@keyId`, whose value the audience then is.
fn resolve_audience(audience: String, claims: &Map<String, Value>) -> Result<String> {
    let (name, how) = match audience.as_str() {
        "@customerId" => ("customerId", "--customer ID"),
        "@keyId" => ("keyId", "--claim keyId='\"…\"'"),
        other if other.starts_with('@') => {
            return Err(Failure::failed(
                "JWT_AUDIENCE: only @customerId and @keyId can follow an @",
            ));
        }
        _ => return Ok(audience),
    };
    claims
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| {
            Failure::usage(format!(
                "JWT_AUDIENCE is {audience}: give {how}, or the audience with --claim aud=…"
            ))
        })
}

fn now() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .ok_or_else(|| Failure::failed("the system's clock is before 1970"))
}
