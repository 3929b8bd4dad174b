//! Which records of the older store are a customer's: what an erasure deletes there. Some keys say so by the
//! customer's id. Others are made of an e-mail, a display name or an API key, which only other records of the customer
//! tell: a [`Trail`] gathers what they do.

use super::key::{Key, read};
use super::outcome::Outcome;
use super::{Facts, Line, Parsed, Record, customer_id, wanted};
use crate::order;
use crate::types::CustomerId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is known of where a customer's records may lie. Grows with every record of it that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    id: CustomerId,
    /// The ids that it had there: its own, and such as have not our form.
    ids: order::Map<String, ()>,
    /// Keys that hold none of them, some more than once.
    keys: Vec<String>,
}

/// One thing to do on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Delete what lies under this key, if its value says that it is the customer's.
    Foreign(String),
    /// Delete all keys that begin so and are this id's.
    Prefix {
        /// How they begin.
        prefix: String,
        /// Whose they must be, as the store has the id.
        id: String,
    },
    /// Delete what lies under this key, unless its value says that it is another customer's.
    Own(String),
}

/// How far one has come on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Position {
    /// The stop that is next.
    pub stop: usize,
    /// Of how many. On a way of another length one begins anew.
    pub of: usize,
    /// Where the store goes on with the stop's keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Trail {
    /// What the id alone tells.
    #[must_use]
    pub fn new(id: &CustomerId) -> Self {
        Self {
            id: id.clone(),
            ids: [(id.to_string(), ())].into_iter().collect(),
            keys: Vec::new(),
        }
    }

    /// An address of the customer's.
    pub fn email(&mut self, email: &str) {
        self.keys.extend(wanted::index(email));
    }

    /// A name that the customer has, had or reserved.
    pub fn display_name(&mut self, name: &str) {
        // The store has them in lower case; of the older form that is not certain.
        for name in [name.trim().to_lowercase(), name.to_owned()] {
            if !name.is_empty() {
                self.keys.extend([
                    format!("customer:displayname:{name}"),
                    format!("displayname_{name}"),
                ]);
            }
        }
    }

    /// An API key of it, by its hash.
    pub fn api_key(&mut self, hash: &str) {
        self.keys.push(format!("auth:apikey:{hash}"));
    }

    /// What the records of the customer itself say.
    pub fn facts(&mut self, facts: &Facts) {
        for hash in facts.email_hashes() {
            self.keys.extend(wanted::index_of(&hash));
        }
        if let Some(email) = facts.text("email") {
            self.email(email);
        }
        let raw = facts
            .other
            .get("displayName")
            .and_then(|said| said.value.as_str());
        for name in facts.text("displayName").into_iter().chain(raw) {
            self.display_name(name);
        }
    }

    /// What its preferences say.
    pub fn preferences(&mut self, document: &Value) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let current = document.pointer("/displayName/current").and_then(text);
        let previous = document
            .pointer("/displayName/previousNames")
            .and_then(Value::as_array);
        let previous = previous.into_iter().flatten();
        let previous = previous.filter_map(|one| one.get("name").and_then(text).or_else(|| text(one)));
        for name in current.into_iter().chain(previous) {
            self.display_name(&name);
        }
    }

    /// What any other document of it says: under which id it was known there, and which name it reserved.
    pub fn document(&mut self, document: &Value) {
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        for id in [text("customerId"), text("userId")].into_iter().flatten() {
            if customer_id(id).as_ref() == Some(&self.id) {
                self.ids.insert(id.to_owned(), ());
            }
        }
        if text("reservedAt").or_else(|| text("reserved")).is_some() {
            for name in [text("reserved"), text("name")].into_iter().flatten() {
                self.display_name(name);
            }
        }
    }

    /// What a record of it says.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Customer { facts } => self.facts(facts),
            Record::Preferences { document, .. } => self.preferences(document),
            Record::DisplayName { document } | Record::AuditDay { document, .. } => self.document(document),
            Record::ApiKey(key) => {
                self.api_key(&key.hash);
                self.document(&key.document);
            }
            Record::Index { .. } | Record::Denied { .. } => {}
        }
    }

    /// The keys that hold one of its ids and nothing else: what lies there tells of the others.
    #[must_use]
    pub fn own(&self) -> Vec<String> {
        self.ids.keys().flat_map(|id| keys(id)).collect()
    }

    /// All stops, in their order: what tells of the others comes last.
    #[must_use]
    pub fn stops(&self) -> Vec<Stop> {
        let mut keys = self.keys.clone();
        order::sort_distinct(&mut keys);
        let foreign = keys.into_iter().map(Stop::Foreign);
        let prefixes = self.ids.keys().flat_map(|id| {
            let stop = move |prefix| Stop::Prefix {
                prefix,
                id: id.clone(),
            };
            prefixes(id).into_iter().map(stop)
        });
        let own = self.own().into_iter().map(Stop::Own);
        foreign.chain(prefixes).chain(own).collect()
    }
}

impl Stop {
    /// Whether what lies under its key is deleted. The value is as the store has it.
    #[must_use]
    pub fn takes(&self, value: &str, id: &CustomerId) -> bool {
        let (Self::Foreign(key) | Self::Own(key)) = self else {
            return false;
        };
        let line = Line {
            key: key.clone(),
            value: Value::from(value),
            expiration: None,
        };
        match line.read() {
            Parsed::Record { customer, .. } => customer == *id,
            // What cannot be read lies under the customer's own id all the same.
            Parsed::Told(told) => matches!(self, Self::Own(_)) && told.outcome != Outcome::Conflict,
        }
    }
}

/// The keys that hold this id and nothing else. Of forms that other things may have as well, only those of ids that
/// say what they are.
fn keys(id: &str) -> Vec<String> {
    let mut keys = vec![
        format!("customer:customer:{id}"),
        format!("auth:customer:{id}"),
        format!("customer:preferences:{id}"),
        format!("auth:preferences:{id}"),
    ];
    if id.starts_with("cust_") {
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
fn prefixes(id: &str) -> Vec<String> {
    let mut prefixes = vec![format!("audit_{id}_"), format!("otp-auth:jwt-denylist:{id}_")];
    if let Some(rest) = id.strip_prefix("cust_") {
        prefixes.push(format!("cust_{rest}_blacklist_"));
    }
    prefixes.push(format!("cust_{id}_blacklist_"));
    prefixes
}

/// Whether the key is one of this id's: another id may begin with this one.
#[must_use]
pub fn is_of(key: &str, id: &str) -> bool {
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
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::super::text::sha256_hex;
    use super::*;
    use serde_json::json;

    fn id(text: &str) -> CustomerId {
        CustomerId::parse(text).unwrap()
    }

    #[test]
    fn keys_are_those_of_this_customer_and_of_nobody_whose_id_begins_so() {
        for key in keys("cust_a") {
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
            assert_eq!(is_of(&key, "cust_a"), is_own, "{key}");
            let begins = prefixes("cust_a").iter().any(|prefix| key.starts_with(prefix));
            assert!(begins || !is_own, "{key}");
        }
        assert!(keys("template").iter().all(|key| !key.starts_with("customer_")));
    }

    #[test]
    fn a_trail_leads_from_the_customer_s_records_to_every_key_that_does_not_hold_its_id() {
        let read = |key: &str, value: Value| {
            let line = json!({"key": key, "value": value}).to_string();
            match super::super::line::read(line.as_bytes()) {
                Parsed::Record { record, .. } => record,
                Parsed::Told(told) => panic!("{told:?}"),
            }
        };
        let mut trail = Trail::new(&id("cust_a"));
        let document = json!({"email": " Ada@Example.com ", "displayName": "Ada L"});
        trail.record(&read("customer:customer:cust_a", document));
        let names = json!({"displayName": {"current": "Ada", "previousNames": [{"name": "Zoë "}]}});
        trail.record(&read("customer:preferences:cust_a", names));
        let reserved = json!({"userId": "cust_a", "name": "Old", "reservedAt": "2024-01-01T00:00:00Z"});
        trail.record(&read("customer:displayname:old", reserved));
        let hash = sha256_hex(b"key");
        let key = json!({"customerId": "cust_cust_a", "status": "active"});
        trail.record(&read(&format!("auth:apikey:{hash}"), key));
        let stops = trail.stops();
        for key in [
            format!("idx:auth:email-to-customer:{}", sha256_hex(b"ada@example.com")),
            "customer:displayname:ada l".to_owned(),
            "displayname_ada".to_owned(),
            "customer:displayname:zoë".to_owned(),
            "customer:displayname:old".to_owned(),
            format!("auth:apikey:{hash}"),
        ] {
            assert!(stops.contains(&Stop::Foreign(key.clone())), "{key}");
        }
        // A doubled prefix is a form that the store had of this id.
        assert!(stops.contains(&Stop::Own("auth:customer:cust_cust_a".into())));
        assert!(matches!(stops.last(), Some(Stop::Own(_))));
    }

    #[test]
    fn what_another_customer_s_value_says_is_left_where_it_is() {
        let ours = id("cust_a");
        let name = Stop::Foreign("customer:displayname:ada".into());
        let owner = |id: &str| json!({"userId": id, "name": "Ada"}).to_string();
        assert!(name.takes(&owner("cust_a"), &ours));
        assert!(!name.takes(&owner("cust_b"), &ours));
        assert!(!name.takes("{", &ours), "nobody knows whose it is");
        let index = Stop::Foreign(format!("email_{}", "a".repeat(64)));
        assert!(index.takes("cust_a", &ours) && index.takes("\"cust_a\"", &ours));
        assert!(!index.takes("cust_b", &ours));
        let own = Stop::Own("customer:customer:cust_a".into());
        assert!(own.takes(r#"{"customerId": "cust_a"}"#, &ours) && own.takes("{", &ours));
        assert!(!own.takes(r#"{"customerId": "cust_b"}"#, &ours));
    }
}
