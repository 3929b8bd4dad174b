//! The forms that keys of the older store have.

use super::text::is_sha256_hex;

/// What a key says that its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    /// A customer of this id.
    Customer {
        /// The id as the key has it.
        id: &'a str,
        /// True for the oldest form, which other things may have as well: then the value must look like a customer.
        loose: bool,
    },
    /// The preferences of this customer.
    Preferences {
        /// The id as the key has it.
        id: &'a str,
        /// As above.
        loose: bool,
    },
    /// The reservation of this display name.
    DisplayName(&'a str),
    /// The index of the e-mail of this hash.
    Index(&'a str),
    /// The API key of this hash.
    ApiKey(&'a str),
    /// The revocation of the token of this hash.
    Denied {
        /// Whose token, as the key has it.
        id: &'a str,
        /// The token's hash.
        hash: &'a str,
        /// True for the older form, in which the id may lack its `cust_`.
        older: bool,
    },
    /// A day of the audit log.
    AuditDay {
        /// Whose.
        id: &'a str,
        /// Which, `YYYY-MM-DD`.
        date: &'a str,
    },
    /// Not ours.
    Foreign,
}

/// What the key says.
#[must_use]
pub fn read(key: &str) -> Key<'_> {
    current(key).or_else(|| older(key)).unwrap_or(Key::Foreign)
}

fn current(key: &str) -> Option<Key<'_>> {
    let behind = |prefixes: [&str; 2]| prefixes.into_iter().find_map(|prefix| key.strip_prefix(prefix));
    if let Some(id) = behind(["customer:customer:", "auth:customer:"]) {
        return Some(Key::Customer { id, loose: false });
    }
    if let Some(id) = behind(["customer:preferences:", "auth:preferences:"]) {
        return Some(Key::Preferences { id, loose: false });
    }
    if let Some(hash) = behind(["idx:customer:email-to-customer:", "idx:auth:email-to-customer:"]) {
        return Some(Key::Index(hash));
    }
    if let Some(name) = key.strip_prefix("customer:displayname:") {
        return Some(Key::DisplayName(name));
    }
    if let Some(hash) = key.strip_prefix("auth:apikey:") {
        return Some(Key::ApiKey(hash));
    }
    let (id, hash) = key.strip_prefix("otp-auth:jwt-denylist:")?.rsplit_once('_')?;
    Some(Key::Denied {
        id,
        hash,
        older: false,
    })
}

fn older(key: &str) -> Option<Key<'_>> {
    for prefix in ["email_to_customer_", "email_"] {
        // `email_template` and the like are somebody else's.
        if let Some(hash) = key.strip_prefix(prefix).filter(|hash| is_sha256_hex(hash)) {
            return Some(Key::Index(hash));
        }
    }
    if let Some((id, hash)) = key
        .strip_prefix("cust_")
        .and_then(|rest| rest.rsplit_once("_blacklist_"))
    {
        return Some(Key::Denied {
            id,
            hash,
            older: true,
        });
    }
    if let Some((id, date)) = key.strip_prefix("audit_").and_then(|rest| rest.rsplit_once('_'))
        && is_date(date)
    {
        return Some(Key::AuditDay { id, date });
    }
    if let Some(rest) = key.strip_prefix("customer_") {
        let loose = !rest.starts_with("cust_");
        return Some(match rest.strip_suffix("_preferences") {
            Some(id) => Key::Preferences { id, loose },
            None => Key::Customer { id: rest, loose },
        });
    }
    if let Some(id) = key.strip_prefix("preferences_") {
        let loose = !id.starts_with("cust_");
        return Some(Key::Preferences { id, loose });
    }
    key.strip_prefix("displayname_").map(Key::DisplayName)
}

/// `YYYY-MM-DD`, as far as digits go.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_key_is_known_and_nothing_else() {
        let hash = "a".repeat(64);
        let hash = hash.as_str();
        let customer = |id, loose| Key::Customer { id, loose };
        let preferences = |id, loose| Key::Preferences { id, loose };
        for (key, known) in [
            (
                "customer:customer:cust_0123456789ab",
                customer("cust_0123456789ab", false),
            ),
            ("auth:customer:x y", customer("x y", false)),
            ("customer_cust_0123456789ab", customer("cust_0123456789ab", false)),
            ("customer_acme", customer("acme", true)),
            (
                "customer:customer:cust_cust_0123456789ab",
                customer("cust_cust_0123456789ab", false),
            ),
            ("customer:preferences:c", preferences("c", false)),
            ("auth:preferences:c", preferences("c", false)),
            ("customer_c_preferences", preferences("c", true)),
            ("customer_cust_c_preferences", preferences("cust_c", false)),
            ("preferences_cust_c", preferences("cust_c", false)),
            ("customer:displayname:zoë", Key::DisplayName("zoë")),
            ("displayname_zoë", Key::DisplayName("zoë")),
            (
                "audit_cust_c_2025-01-31",
                Key::AuditDay {
                    id: "cust_c",
                    date: "2025-01-31",
                },
            ),
        ] {
            assert_eq!(read(key), known, "{key}");
        }
        for prefix in [
            "idx:customer:email-to-customer:",
            "idx:auth:email-to-customer:",
            "email_to_customer_",
            "email_",
        ] {
            assert_eq!(read(&format!("{prefix}{hash}")), Key::Index(hash), "{prefix}");
        }
        assert_eq!(read(&format!("auth:apikey:{hash}")), Key::ApiKey(hash));
        let denied = |id, older| Key::Denied { id, hash, older };
        assert_eq!(
            read(&format!("otp-auth:jwt-denylist:cust_a_b_{hash}")),
            denied("cust_a_b", false)
        );
        assert_eq!(
            read(&format!("cust_cust_ab_blacklist_{hash}")),
            denied("cust_ab", true)
        );
        for foreign in [
            "",
            "session:1",
            "email_template",
            "audit_cust_c_yesterday",
            "customer",
            "idx:other:x",
            "otp-auth:jwt-denylist:nothing",
            "\u{0}",
        ] {
            assert_eq!(read(foreign), Key::Foreign, "{foreign}");
        }
    }
}
