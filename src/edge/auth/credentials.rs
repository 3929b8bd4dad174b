//! Which credential a request presents. It must be one: of two, an attacker would choose which is looked at.

use super::api_key;
use super::reason::Reason;

/// The cookie that holds a token.
pub const COOKIE_NAME: &str = "auth_token";
/// The largest `Cookie` header in bytes.
const MAX_COOKIE_BYTES: usize = 32_768;

/// The headers of a request that matter here, as the platform joins them (two of one name arrive with `, `
/// between them), and whether its method is unsafe (RFC 9110 section 9.2.1: all but GET, HEAD, OPTIONS, TRACE).
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// `Cookie`.
    pub cookie: Option<&'a str>,
    /// `X-CSRF-Token`.
    pub csrf_header: Option<&'a str>,
    /// `X-Service-Key`.
    pub service_key: Option<&'a str>,
    /// `X-API-Key`.
    pub api_key: Option<&'a str>,
    /// `X-Customer-Id`, which matters only beside an API key.
    pub customer_id: Option<&'a str>,
    /// `Origin` (RFC 6454 section 7), which matters only beside an API key.
    pub origin: Option<&'a str>,
    /// True for a method that may change something.
    pub unsafe_method: bool,
}

/// The one credential that counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented<'a> {
    /// A token in the `Authorization` header.
    Header(&'a str),
    /// A token in the cookie, which a browser sends whether its user meant it or not.
    Cookie(String),
    /// A service's key.
    ServiceKey(&'a str),
    /// An integration's key, in either header.
    ApiKey(&'a str),
}

impl<'a> Credentials<'a> {
    /// The text of the credential as the caller holds it; None where there is none, or more than one.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        Some(match self.presented().ok()? {
            Presented::Header(text) | Presented::ServiceKey(text) | Presented::ApiKey(text) => {
                text.to_owned()
            }
            Presented::Cookie(text) => text,
        })
    }

    /// Whether it is the cookie's token that counts.
    #[must_use]
    pub fn is_by_cookie(&self) -> bool {
        matches!(self.presented(), Ok(Presented::Cookie(_)))
    }

    /// The header wins over the cookie, even where the header is wrong, and so do the keys, since browsers add
    /// cookies by themselves. Of `Authorization`, `X-Service-Key` and `X-API-Key` two together are refused.
    pub(super) fn presented(&self) -> Result<Presented<'a>, Reason> {
        match (self.authorization, self.service_key, self.api_key) {
            (None, Some(key), None) => Ok(Presented::ServiceKey(key)),
            (None, None, Some(key)) if key.contains(',') => Err(Reason::SeveralCredentials),
            (None, None, Some(key)) => Ok(Presented::ApiKey(key.trim())),
            (Some(header), None, None) => {
                let token = bearer(header)?;
                let presented = if api_key::is_one(token) {
                    Presented::ApiKey
                } else {
                    Presented::Header
                };
                Ok(presented(token))
            }
            (None, None, None) => match cookie(self.cookie.unwrap_or_default())? {
                Some(token) => Ok(Presented::Cookie(token)),
                None => Err(Reason::NoCredential),
            },
            _ => Err(Reason::SeveralCredentials),
        }
    }
}

/// RFC 6750 section 2.1; the scheme's name has no case (RFC 9110 section 11.1).
fn bearer(header: &str) -> Result<&str, Reason> {
    if header.contains(',') {
        return Err(Reason::SeveralCredentials);
    }
    let (scheme, token) = header.trim().split_once(' ').ok_or(Reason::WrongScheme)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Reason::WrongScheme);
    }
    Ok(token.trim_start_matches(' '))
}

/// The token in the cookie; an empty one is how a page signs out.
fn cookie(header: &str) -> Result<Option<String>, Reason> {
    if header.len() > MAX_COOKIE_BYTES {
        return Err(Reason::TokenTooLarge);
    }
    // RFC 6265 section 4.2.1. By hand: the reader of a crate reads what a server sends too, with its dates.
    let mut tokens = header.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == COOKIE_NAME).then(|| unquoted(value.trim()))
    });
    let token = tokens.next().map(str::to_owned);
    // A second one may have been planted from a sibling domain; which of them comes first is the browser's whim.
    if tokens.next().is_some() {
        return Err(Reason::SeveralCredentials);
    }
    Ok(token.filter(|token| !token.is_empty()))
}

/// A value may stand between double quotes.
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inner.unwrap_or(value)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a reader of cookies of another library finds.
    fn theirs(header: &str) -> Vec<String> {
        let all = cookie::Cookie::split_parse(header).flatten();
        all.filter(|cookie| cookie.name() == COOKIE_NAME)
            .map(|cookie| cookie.value_trimmed().to_owned())
            .collect()
    }

    proptest! {
        #[test]
        fn cookies_are_read_as_another_library_reads_them(
            header in "((auth_token|auth_tokens|Auth_token|a b|)( ?=[ \"]?[a-c=.,]{0,3}[ \"]?)?(; ?|;;| |)){0,4}",
        ) {
            let wanted = match theirs(&header).as_slice() {
                [] => Ok(None),
                [one] => Ok(Some(one.clone()).filter(|token| !token.is_empty())),
                _ => Err(Reason::SeveralCredentials),
            };
            prop_assert_eq!(cookie(&header), wanted);
        }
    }
}
