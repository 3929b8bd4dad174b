//! From the value of each kind to a record. A field of a wrong type costs that field its place, not the record.

use super::facts::{Facts, MAX_FIELD_BYTES, MAX_FIELD_NAME_BYTES, MAX_OTHER_FIELDS, STATUS, Said};
use super::outcome::Word;
use super::text::{canonical, is_sha256_hex, sha256_hex, time, time_of};
use super::{ApiKey, Record, customer_id};
use crate::email::Email;
use crate::order;
use crate::types::Timestamp;
use crate::validate;
use serde_json::{Map, Value};

/// Most flags that `features` may have; the same as `customer::profile::MAX_FEATURES`.
pub const MAX_FEATURES: usize = 100;
/// Most scopes and most origins that are read of one API key.
pub const MAX_KEY_LIST: usize = 50;

/// A record, and whose it is under the id that it has there.
pub struct Read {
    pub id: String,
    pub record: Record,
    pub notes: Vec<Word>,
}

/// Whether an object under the oldest form of key is a customer at all.
pub fn looks_like_customer(object: &Map<String, Value>) -> bool {
    object.contains_key("customerId") || object.contains_key("email")
}

/// The same for preferences.
pub fn looks_like_preferences(object: &Map<String, Value>) -> bool {
    object.contains_key("emailVisibility") || object.contains_key("displayName")
}

/// A customer. `loose` ids may lack the `cust_` that the value has.
pub fn customer(id: &str, object: Map<String, Value>, loose: bool) -> Result<Read, Word> {
    let mut id = id.to_owned();
    if let Some(Value::String(own)) = object.get("customerId") {
        let (here, there) = (customer_id(&id), customer_id(own));
        if loose && there.is_some() && there == customer_id(&format!("cust_{id}")) {
            id.clone_from(own);
        } else if here != there {
            return Err(Word::OtherId);
        }
    }
    let mut notes = Vec::new();
    let facts = facts(object, &mut notes);
    Ok(Read {
        id,
        record: Record::Customer { facts },
        notes,
    })
}

fn facts(object: Map<String, Value>, notes: &mut Vec<Word>) -> Facts {
    let created_at = time_of(&object, "createdAt");
    let updated_at = time_of(&object, "updatedAt");
    let at = updated_at.or(created_at).unwrap_or(Timestamp::from_millis(0));
    let whole = Value::Object(object);
    let tie: String = sha256_hex(&canonical(&whole)).chars().take(16).collect();
    let Value::Object(object) = whole else {
        return Facts::default();
    };
    let said = |value| Said {
        at,
        tie: tie.clone(),
        value,
    };
    let mut facts = Facts {
        created_at: created_at.or(updated_at),
        updated_at,
        last_login: time_of(&object, "lastLogin"),
        ..Facts::default()
    };
    for (name, value) in object {
        if value.is_null() || name == "customerId" {
            continue;
        }
        if is_time(&name) && time(&value).is_some() {
            continue;
        }
        let ours = ours(&name, &value);
        if matches!(ours, Ours::Wrong) && name != STATUS || is_time(&name) {
            notes.push(Word::TypesOdd);
        }
        let is_raw = match ours {
            Ours::Is(mapped) => {
                // `pending` is but another word for it.
                let is_same = mapped == value || name == STATUS;
                facts.ours.insert(name.clone(), said(mapped));
                !is_same
            }
            Ours::Wrong if name == STATUS => {
                notes.push(Word::StatusUnknown);
                facts.ours.insert(name.clone(), said(Value::from("suspended")));
                true
            }
            Ours::Wrong | Ours::Other => true,
        };
        if is_raw && (name.len() > MAX_FIELD_NAME_BYTES || canonical(&value).len() > MAX_FIELD_BYTES) {
            notes.push(Word::TooLarge);
        } else if is_raw {
            facts.other.insert(name, said(value));
        }
    }
    while facts.other.len() > MAX_OTHER_FIELDS {
        facts.other.pop_last();
        notes.push(Word::TooLarge);
    }
    if !facts.ours.contains_key("email") {
        notes.push(Word::NoEmail);
    }
    facts
}

fn is_time(name: &str) -> bool {
    matches!(name, "createdAt" | "updatedAt" | "lastLogin")
}

/// What a field is to us.
enum Ours {
    /// A field of ours, in our form.
    Is(Value),
    /// It has the name of one, but not its form.
    Wrong,
    /// None of ours.
    Other,
}

fn ours(name: &str, value: &Value) -> Ours {
    let text = value.as_str().map(str::trim);
    let of = |known: Option<Value>| known.map_or(Ours::Wrong, Ours::Is);
    match name {
        "email" => of(text
            .and_then(Email::parse)
            .map(|email| String::from(email).into())),
        "name" | "companyName" => of(text.and_then(|text| line(text, 200))),
        "displayName" => of(text.and_then(|text| line(text, 100))),
        // `tier` is newer than `plan` and has other words for the same.
        "plan" => of(text
            .filter(|plan| ["free", "starter", "pro", "enterprise"].contains(plan))
            .map(Value::from)),
        "tier" => of(match text {
            Some("free") => Some("free".into()),
            Some("basic") => Some("starter".into()),
            Some("premium") => Some("pro".into()),
            Some("enterprise") => Some("enterprise".into()),
            _ => None,
        }),
        STATUS => of(match text {
            Some("pending" | "pending_verification") => Some("pending_verification".into()),
            Some(known @ ("active" | "suspended" | "cancelled")) => Some(known.into()),
            _ => None,
        }),
        "features" => of(value.as_object().map(|object| {
            let flags = object
                .iter()
                .filter(|(name, flag)| flag.is_boolean() && validate::is_key(name, 40));
            let flags = flags.take(MAX_FEATURES);
            let mut kept = Map::new();
            kept.extend(flags.map(|(name, flag)| (name.clone(), flag.clone())));
            Value::Object(kept)
        })),
        _ => Ours::Other,
    }
}

/// A line of text as our fields want it: in NFC, without what they forbid, cut off at their length.
fn line(text: &str, max_chars: usize) -> Option<Value> {
    let text = validate::tidy_line(text, max_chars);
    (!text.is_empty()).then_some(Value::String(text))
}

/// Preferences: all of them are kept, and the moment of the last change of the display name is the only one they have.
pub fn preferences(id: &str, object: Map<String, Value>) -> Read {
    let at = object
        .get("displayName")
        .and_then(Value::as_object)
        .and_then(|name| time_of(name, "lastChangedAt"));
    Read {
        id: id.to_owned(),
        record: Record::Preferences {
            at: at.unwrap_or(Timestamp::from_millis(0)),
            document: Value::Object(object),
        },
        notes: Vec::new(),
    }
}

/// A reserved display name, which its value says whose it is.
pub fn display_name(name: &str, mut object: Map<String, Value>) -> Result<Read, Word> {
    let Some(Value::String(owner)) = object.get("userId") else {
        return Err(Word::BadId);
    };
    let id = owner.clone();
    object.insert("reserved".to_owned(), name.into());
    Ok(Read {
        id,
        record: Record::DisplayName {
            document: Value::Object(object),
        },
        notes: Vec::new(),
    })
}

/// An e-mail's index, whose value is the id, bare or as JSON.
pub fn index(hash: &str, value: &Value) -> Result<Read, Word> {
    if !is_sha256_hex(hash) {
        return Err(Word::BadHash);
    }
    let text = value.as_str().ok_or(Word::ValueType)?.trim();
    let id = serde_json::from_slice::<String>(text.as_bytes()).unwrap_or_else(|_| text.to_owned());
    Ok(Read {
        id,
        record: Record::Index {
            hash: hash.to_ascii_lowercase(),
        },
        notes: Vec::new(),
    })
}

/// An API key. What is not certain to have worked there does not work here.
pub fn api_key(hash: &str, object: Map<String, Value>) -> Result<Read, Word> {
    let hash = hash.to_ascii_lowercase();
    let is_same = |told: &Value| {
        told.as_str()
            .is_some_and(|told| told.trim().eq_ignore_ascii_case(&hash))
    };
    if !object
        .get("apiKeyHash")
        .is_none_or(|told| told.is_null() || is_same(told))
    {
        return Err(Word::BadHash);
    }
    let Some(Value::String(id)) = object.get("customerId") else {
        return Err(Word::BadId);
    };
    let id = id.clone();
    let mut notes = Vec::new();
    let ended_at = time_of(&object, "revokedAt").or_else(|| time_of(&object, "rotatedAt"));
    let is_active = object.get("status").and_then(Value::as_str) == Some("active");
    let has_ended = ["revokedAt", "rotatedAt", "replacedBy"]
        .iter()
        .any(|name| object.get(*name).is_some_and(|value| !value.is_null()));
    let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
    let record = ApiKey {
        name: validate::tidy_line(name, 100),
        scopes: scopes(object.get("allowedScopes"), &mut notes),
        origins: origins(object.get("allowedOrigins"), &mut notes),
        created_at: time_of(&object, "createdAt"),
        last_used_at: time_of(&object, "lastUsed"),
        ended: !is_active || has_ended,
        ended_at,
        hash,
        document: Value::Object(object),
    };
    Ok(Read {
        id,
        record: Record::ApiKey(Box::new(record)),
        notes,
    })
}

/// A key without a list was never restricted. Of a list, what we know.
fn scopes(value: Option<&Value>, notes: &mut Vec<Word>) -> Option<Vec<String>> {
    let listed = match value {
        None | Some(Value::Null) => return None,
        Some(Value::Array(listed)) => listed.as_slice(),
        Some(_) => {
            notes.push(Word::ScopesUnknown);
            &[]
        }
    };
    let mut scopes = Vec::new();
    for scope in listed.iter().take(MAX_KEY_LIST) {
        match scope.as_str() {
            Some("*" | "all") => return None,
            Some("read") => scopes.extend(["customer:read", "users:read", "usage:read"]),
            Some("write") => scopes.extend(["customer:write", "preferences:write"]),
            Some(
                known @ ("customer:read" | "customer:write" | "users:read" | "preferences:write"
                | "audit:read" | "limits:consume" | "usage:read"),
            ) => scopes.push(known),
            _ => notes.push(Word::ScopesUnknown),
        }
    }
    order::sort_distinct(&mut scopes);
    Some(scopes.into_iter().map(str::to_owned).collect())
}

/// An origin that no browser sends, so that a list of which nothing is left does not open the key to all.
const NO_ORIGIN: &str = "https://none.invalid";

fn origins(value: Option<&Value>, notes: &mut Vec<Word>) -> Vec<String> {
    let listed = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(listed)) => listed.clone(),
        Some(other) => vec![other.clone()],
    };
    let mut origins = Vec::new();
    for origin in listed.iter().take(MAX_KEY_LIST) {
        match origin.as_str().map(str::trim) {
            Some("*") => return Vec::new(),
            Some(text) => match validate::origin(Value::from(text.trim_end_matches('/'))) {
                Ok(origin) => origins.push(origin),
                Err(_) => notes.push(Word::OriginsUnknown),
            },
            None => notes.push(Word::OriginsUnknown),
        }
    }
    order::sort_distinct(&mut origins);
    if origins.is_empty() && !listed.is_empty() {
        origins.push(NO_ORIGIN.to_owned());
    }
    origins
}

/// A token that was revoked. In the older form the id may lack its `cust_`, as the key begins with it.
pub fn denied(
    id: &str,
    hash: &str,
    older: bool,
    object: &Map<String, Value>,
    expires_at: Option<Timestamp>,
) -> Result<Read, Word> {
    let hash = hash.to_ascii_lowercase();
    let other = object.get("token").and_then(Value::as_str).is_some_and(|token| {
        let token = token.trim();
        is_sha256_hex(token) && !token.eq_ignore_ascii_case(&hash)
    });
    if other {
        return Err(Word::BadHash);
    }
    let is_hex = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = if older && is_hex {
        format!("cust_{id}")
    } else {
        id.to_owned()
    };
    Ok(Read {
        id,
        record: Record::Denied {
            hash,
            revoked_at: time_of(object, "revokedAt"),
            expires_at,
        },
        notes: Vec::new(),
    })
}

/// A day of the audit log.
pub fn audit_day(id: &str, date: &str, object: Map<String, Value>) -> Result<Read, Word> {
    if let Some(Value::String(own)) = object.get("customerId")
        && customer_id(own) != customer_id(id)
    {
        return Err(Word::OtherId);
    }
    Ok(Read {
        id: id.to_owned(),
        record: Record::AuditDay {
            date: date.to_owned(),
            document: Value::Object(object),
        },
        notes: Vec::new(),
    })
}
