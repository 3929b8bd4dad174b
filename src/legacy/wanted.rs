//! Which keys of the older store to look at for a customer that is not here yet.

use super::text::sha256_hex;
use crate::types::CustomerId;

/// The keys under which the customer itself may lie, in every form.
#[must_use]
pub fn customer(id: &CustomerId) -> Vec<String> {
    let mut keys = vec![
        format!("customer:customer:{id}"),
        format!("auth:customer:{id}"),
        format!("customer_{id}"),
    ];
    if id.as_str().starts_with("cust_") {
        keys.push(format!("customer:customer:cust_{id}"));
    }
    keys
}

/// The keys under which its preferences may lie.
#[must_use]
pub fn preferences(id: &CustomerId) -> Vec<String> {
    vec![
        format!("customer:preferences:{id}"),
        format!("auth:preferences:{id}"),
        format!("customer_{id}_preferences"),
        format!("preferences_{id}"),
    ]
}

/// The keys under which the index of an e-mail may lie. The older service hashed an address as it was typed, in lower
/// case: with an internationalised domain in U-labels, or in the A-labels that we have.
#[must_use]
pub fn index(email: &str) -> Vec<String> {
    let email = email.trim().to_lowercase();
    let typed = in_u_labels(&email);
    std::iter::once(email)
        .chain(typed)
        .flat_map(|email| index_of(&sha256_hex(email.as_bytes())))
        .collect()
}

/// The same for the address of this hash.
#[must_use]
pub fn index_of(hash: &str) -> Vec<String> {
    vec![
        format!("idx:customer:email-to-customer:{hash}"),
        format!("idx:auth:email-to-customer:{hash}"),
        format!("email_to_customer_{hash}"),
        format!("email_{hash}"),
    ]
}

/// The address with its domain in U-labels, if that is another one.
fn in_u_labels(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    let (shown, outcome) = idna::domain_to_unicode(domain);
    (outcome.is_ok() && shown != domain).then(|| format!("{local}@{shown}"))
}

/// How the keys of all tokens begin that were revoked for the customer.
#[must_use]
pub fn denylist(id: &CustomerId) -> Vec<String> {
    let mut prefixes = vec![
        format!("otp-auth:jwt-denylist:{id}_"),
        format!("cust_{id}_blacklist_"),
    ];
    if id.as_str().starts_with("cust_") {
        prefixes.push(format!("{id}_blacklist_"));
    }
    prefixes
}

/// The key of an API key.
#[must_use]
pub fn api_key(digest: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold("auth:apikey:".to_owned(), |mut key, byte| {
        let _ = write!(key, "{byte:02x}");
        key
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::key::{Key, read};
    use super::*;

    #[test]
    fn every_key_that_is_looked_at_is_read_as_what_it_is_looked_at_for() {
        let id = CustomerId::parse("cust_0123456789ab").unwrap();
        for key in customer(&id) {
            let Key::Customer { id: found, .. } = read(&key) else {
                assert_eq!(key, "no customer");
                return;
            };
            assert_eq!(super::super::customer_id(found).as_ref(), Some(&id), "{key}");
        }
        for key in preferences(&id) {
            assert!(matches!(read(&key), Key::Preferences { .. }), "{key}");
        }
        for key in index("Ada@Example.com ") {
            assert!(matches!(read(&key), Key::Index(_)), "{key}");
        }
        assert_eq!(index("Ada@Example.com "), index("ada@example.com"));
        assert_eq!(index("ada@example.com").len(), 4);
        let typed = sha256_hex("ada@bücher.example".as_bytes());
        let keys = index("ada@xn--bcher-kva.example");
        assert_eq!(keys.len(), 8);
        assert!(keys.contains(&format!("email_to_customer_{typed}")));
        for prefix in denylist(&id) {
            let key = format!("{prefix}{}", "a".repeat(64));
            assert!(matches!(read(&key), Key::Denied { .. }), "{key}");
        }
        assert!(matches!(read(&api_key(&[255; 32])), Key::ApiKey(_)));
    }
}
