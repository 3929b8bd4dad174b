//! What an API key may do.

use crate::error::{Error, Result};
use serde::{Serialize, Serializer};

macro_rules! scopes {
    ($($variant:ident $name:literal;)*) => {
        /// One thing that a key may do; a scope-token of RFC 6749 section 3.3.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Scope { $($variant,)* }

        impl Scope {
            /// All scopes.
            pub const ALL: &'static [Scope] = &[$(Scope::$variant,)*];

            /// The scope's name, as stored, sent and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The scope with that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

scopes! {
    CustomerRead "customer:read";
    CustomerWrite "customer:write";
    UsersRead "users:read";
    PreferencesWrite "preferences:write";
    AuditRead "audit:read";
    LimitsConsume "limits:consume";
    UsageRead "usage:read";
}

/// All names, for the sentence that says so.
pub(super) const NAMES: &str =
    "customer:read, customer:write, users:read, preferences:write, audit:read, limits:consume, usage:read";

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The names with a space between them (RFC 6749 section 3.3).
pub(super) fn join(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    names.join(" ")
}

/// What [`join`] wrote.
///
/// # Errors
/// `internal_error` if a name is none of ours.
pub(super) fn split(text: &str) -> Result<Vec<Scope>> {
    text.split(' ')
        .filter(|name| !name.is_empty())
        .map(|name| Scope::parse(name).ok_or_else(|| Error::fault("a stored scope is unknown")))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_agree() {
        assert_eq!(NAMES, join(Scope::ALL).replace(' ', ", "));
        assert_eq!(split(&join(Scope::ALL)).unwrap(), Scope::ALL);
        assert_eq!(split("").unwrap(), []);
        assert!(split("customer:read customer:Read").is_err());
    }
}
