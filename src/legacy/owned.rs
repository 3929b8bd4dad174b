//! Which records of the older store are a customer's, as far as their keys say so by its id: what an erasure deletes.

use super::key::{Key, read};
use crate::types::CustomerId;

/// The keys that hold its id and nothing else. Of forms that other things may have as well, only those of ids that
/// say what they are.
#[must_use]
pub fn keys(id: &CustomerId) -> Vec<String> {
    let mut keys = vec![
        format!("customer:customer:{id}"),
        format!("auth:customer:{id}"),
        format!("customer:preferences:{id}"),
        format!("auth:preferences:{id}"),
    ];
    if id.as_str().starts_with("cust_") {
        keys.extend([
            format!("customer:customer:cust_{id}"),
            format!("customer_{id}"),
            format!("customer_{id}_preferences"),
            format!("preferences_{id}"),
        ]);
    }
    keys
}

/// How further keys of its own may begin; [`is_of`] says which of those that begin so are.
#[must_use]
pub fn prefixes(id: &CustomerId) -> Vec<String> {
    let mut prefixes = vec![format!("audit_{id}_"), format!("otp-auth:jwt-denylist:{id}_")];
    if let Some(rest) = id.as_str().strip_prefix("cust_") {
        prefixes.push(format!("cust_{rest}_blacklist_"));
    }
    prefixes.push(format!("cust_{id}_blacklist_"));
    prefixes
}

/// Whether the key is one of this customer's: the id of another may begin with this one.
#[must_use]
pub fn is_of(key: &str, id: &CustomerId) -> bool {
    let id = id.as_str();
    match read(key) {
        Key::AuditDay { id: of, .. }
        | Key::Denied {
            id: of, older: false, ..
        } => of == id,
        Key::Denied {
            id: of, older: true, ..
        } => of == id || id.strip_prefix("cust_") == Some(of),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_this_customer_and_of_nobody_whose_id_begins_so() {
        let id = CustomerId::parse("cust_a").unwrap();
        for key in keys(&id) {
            assert!(
                matches!(read(&key), Key::Customer { id, .. } | Key::Preferences { id, .. } if id.ends_with("cust_a")),
                "{key}"
            );
        }
        let hash = "a".repeat(64);
        for (key, is_own) in [
            ("audit_cust_a_2025-01-31".to_owned(), true),
            ("audit_cust_a_b_2025-01-31".to_owned(), false),
            (format!("otp-auth:jwt-denylist:cust_a_{hash}"), true),
            (format!("otp-auth:jwt-denylist:cust_a_b_{hash}"), false),
            (format!("cust_a_blacklist_{hash}"), true),
            (format!("cust_cust_a_blacklist_{hash}"), true),
            (format!("cust_a_b_blacklist_{hash}"), false),
        ] {
            assert_eq!(is_of(&key, &id), is_own, "{key}");
            let begins = prefixes(&id).iter().any(|prefix| key.starts_with(prefix));
            assert!(begins || !is_own, "{key}");
        }
        let other = CustomerId::parse("template").unwrap();
        assert!(keys(&other).iter().all(|key| !key.starts_with("customer_")));
    }
}
