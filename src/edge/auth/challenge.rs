//! What a 401 says about how to authenticate.

use crate::error::{Code, Error};

/// The `WWW-Authenticate` value for an error of status 401 or a lacking scope, None for any other (RFC 6750
/// section 3).
///
/// `resource_metadata_url` is the absolute URL of our `/.well-known/oauth-protected-resource` (RFC 9728
/// section 5.1). `error` is left out where no token was sent, as RFC 6750 section 3.1 asks.
#[must_use]
pub fn www_authenticate(error: &Error, resource_metadata_url: &str) -> Option<String> {
    let word = match error.code {
        Code::InsufficientScope => Some("insufficient_scope"),
        code if code.status() != 401 => return None,
        Code::AuthenticationRequired | Code::InvalidServiceKey => None,
        _ => Some("invalid_token"),
    };
    let mut value = format!(
        "Bearer realm=\"user-api\", resource_metadata={}",
        quoted(resource_metadata_url)
    );
    if let Some(word) = word {
        let description = quoted(&error.public);
        value.push_str(&format!(", error=\"{word}\", error_description={description}"));
    }
    Some(value)
}

/// A quoted-string (RFC 9110 section 5.6.4) of the characters that RFC 6750 section 3 allows in one; the others,
/// quotes and backslashes too, become apostrophes, since a receiver need not understand escapes there.
fn quoted(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    let inner: String = text.chars().map(|c| if allowed(c) { c } else { '\'' }).collect();
    format!("\"{inner}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_token_is_called_invalid() {
        let none = Error::new(Code::AuthenticationRequired, "x");
        let url = "https://api.example/.well-known/oauth-protected-resource";
        assert_eq!(
            www_authenticate(&none, url).as_deref(),
            Some(
                "Bearer realm=\"user-api\", resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\""
            )
        );
        let service = Error::new(Code::InvalidServiceKey, "x");
        assert!(!www_authenticate(&service, url).is_some_and(|value| value.contains("error")));
        for code in [
            Code::InvalidToken,
            Code::TokenExpired,
            Code::TokenNotYetValid,
            Code::InvalidApiKey,
            Code::TokenRevoked,
        ] {
            let value = www_authenticate(&Error::new(code, "The token is wrong."), url);
            let end = ", error=\"invalid_token\", error_description=\"The token is wrong.\"";
            assert!(value.is_some_and(|value| value.ends_with(end)));
        }
        let lacking = www_authenticate(&Error::new(Code::InsufficientScope, "x"), url);
        let end = ", error=\"insufficient_scope\", error_description=\"x\"";
        assert!(lacking.is_some_and(|value| value.ends_with(end)));
        for code in [Code::CsrfFailed, Code::OriginNotAllowed] {
            assert_eq!(www_authenticate(&Error::new(code, "x"), url), None);
        }
    }

    #[test]
    fn nothing_breaks_out_of_the_quotes() {
        let error = Error::new(Code::InvalidToken, "a\"b\\c\r\nd\u{fc}");
        let value = www_authenticate(&error, "https://x/\"\r\nSet-Cookie: a").unwrap_or_default();
        assert_eq!(value.matches('"').count(), 8);
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !value.contains('\\'));
    }
}
