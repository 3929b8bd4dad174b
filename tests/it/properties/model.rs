//! What the service should be, in the simplest words: JSON documents, RFC 7396, and a counter a document.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A document that is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Customer,
    User,
    Preferences,
}

/// One resource: what was said of it, and how often that changed what is seen.
#[derive(Debug, Clone)]
pub struct Document {
    said: Value,
    unsaid: Value,
    pub version: i64,
    pub updated_at: i64,
}

/// A whole customer.
#[derive(Debug, Clone)]
pub struct Model {
    pub customer: Document,
    pub users: BTreeMap<&'static str, (Document, Document)>,
}

/// RFC 7396 section 2.
fn merge(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut merged = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            merged.remove(name);
        } else {
            let before = merged.get(name).cloned().unwrap_or(Value::Null);
            merged.insert(name.clone(), merge(&before, value));
        }
    }
    Value::Object(merged)
}

impl Document {
    fn new(unsaid: Value, version: i64, now: i64) -> Self {
        let said = Value::Object(Map::new());
        Self {
            said,
            unsaid,
            version,
            updated_at: now,
        }
    }

    /// What is seen: what was said, over what holds where nothing was.
    pub fn seen(&self) -> Value {
        let mut seen = self.unsaid.as_object().cloned().unwrap_or_default();
        for (name, value) in self.said.as_object().unwrap() {
            let merged = merge(&seen[name], value);
            seen.insert(name.clone(), merged);
        }
        Value::Object(seen)
    }

    /// A PATCH, or a PUT, which is a patch of nothing.
    pub fn write(&mut self, body: &Value, replaces: bool, now: i64) {
        let before = self.seen();
        let from = if replaces { json!({}) } else { self.said.clone() };
        self.said = merge(&from, body);
        if self.seen() != before {
            self.version += 1;
            self.updated_at = self.updated_at.max(now);
        }
    }
}

impl Model {
    pub fn new(name: &str, now: i64) -> Self {
        let unsaid = json!({"name": null, "companyName": null, "displayName": null, "metadata": {}});
        let mut customer = Document::new(unsaid, 1, now);
        customer.said = json!({"name": name});
        Self {
            customer,
            users: BTreeMap::new(),
        }
    }

    /// The user is there from its first request on.
    pub fn meet(&mut self, who: &'static str, now: i64) {
        self.users.entry(who).or_insert_with(|| {
            let user = json!({"displayName": null, "locale": null, "timeZone": null});
            let preferences = json!({
                "theme": "system", "language": null, "timeZone": null, "emailVisibility": "private",
                "notifications": {"email": true, "product": false, "security": true}, "custom": {},
            });
            (Document::new(user, 1, now), Document::new(preferences, 0, now))
        });
    }

    pub fn document(&mut self, who: &str, resource: Resource) -> &mut Document {
        match resource {
            Resource::Customer => &mut self.customer,
            Resource::User => &mut self.users.get_mut(who).unwrap().0,
            Resource::Preferences => &mut self.users.get_mut(who).unwrap().1,
        }
    }
}
