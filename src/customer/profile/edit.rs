//! A change of the profile by its customer.

use super::{
    MAX_DISPLAY_NAME_CHARS, MAX_METADATA_KEY_CHARS, MAX_METADATA_KEYS, MAX_METADATA_VALUE_CHARS,
    MAX_NAME_CHARS, Profile,
};
use crate::error::{Error, Fault, Result};
use crate::json;
use crate::order;
use crate::validate::{Edit, Fields, line};
use std::borrow::Cow;

/// A change of the record that a user may make.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ProfileEdit {
    pub name: Edit<String>,
    pub company_name: Edit<String>,
    pub display_name: Edit<String>,
    pub metadata: Edit<order::Map<String, Option<String>>>,
    /// True for PUT: what is not mentioned goes, also within `metadata`.
    pub replaces: bool,
}

/// Fields that a customer has but a user may not change.
const READ_ONLY: &[&str] = &[
    "customerId",
    "email",
    "plan",
    "status",
    "statusReason",
    "statusChangedAt",
    "features",
    "createdAt",
    "updatedAt",
    "lastSeenAt",
];

impl ProfileEdit {
    /// Reads the body of PUT (`replaces`) or PATCH `/customer/me`.
    ///
    /// # Errors
    /// `malformed_body`, `validation_failed` or `field_not_writable`.
    pub fn parse(body: &[u8], replaces: bool) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let edit = Self {
            name: fields.line("name", MAX_NAME_CHARS),
            company_name: fields.line("companyName", MAX_NAME_CHARS),
            display_name: fields.line("displayName", MAX_DISPLAY_NAME_CHARS),
            metadata: fields.entries("metadata", !replaces, MAX_METADATA_KEY_CHARS, |value| {
                line(value, MAX_METADATA_VALUE_CHARS)
            }),
            replaces,
        };
        fields.finish(READ_ONLY)?;
        Ok(edit)
    }

    /// The profile after the edit.
    ///
    /// # Errors
    /// `validation_failed` if `metadata` would have too many keys.
    pub fn apply(self, before: &Profile) -> Result<Profile> {
        let of = |edit: Edit<String>, before: &Option<String>| {
            if self.replaces {
                edit.or_clear().apply(None)
            } else {
                edit.apply(before.clone())
            }
        };
        Ok(Profile {
            email: before.email.clone(),
            name: of(self.name, &before.name),
            company_name: of(self.company_name, &before.company_name),
            display_name: of(self.display_name, &before.display_name),
            metadata: merge_entries(
                "metadata",
                self.metadata,
                &before.metadata,
                self.replaces,
                MAX_METADATA_KEYS,
            )?,
        })
    }
}

/// The entries of an object field after an edit: merged key by key, or replaced.
///
/// # Errors
/// `validation_failed` if there would be more than `max_keys`.
pub fn merge_entries<T: Clone>(
    field: &str,
    edit: Edit<order::Map<String, Option<T>>>,
    before: &order::Map<String, T>,
    replaces: bool,
    max_keys: usize,
) -> Result<order::Map<String, T>> {
    let mut entries = if replaces {
        order::Map::new()
    } else {
        before.clone()
    };
    match edit {
        Edit::Keep => {}
        Edit::Clear => entries.clear(),
        Edit::Set(changes) => {
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        entries.insert(key, value);
                    }
                    None => {
                        entries.remove(&key);
                    }
                }
            }
        }
    }
    if entries.len() > max_keys {
        let detail = format!("Must have at most {max_keys} keys after the change.").into();
        return Err(Error::validation(vec![Fault {
            pointer: format!("#/{field}"),
            detail,
        }]));
    }
    Ok(entries)
}

/// An e-mail address of a body, in the form in which addresses are compared.
///
/// # Errors
/// A sentence about what is wrong.
pub fn email(value: serde_json::Value) -> std::result::Result<String, Cow<'static, str>> {
    let email = value.as_str().and_then(crate::email::Email::parse);
    email
        .map(|email| email.as_str().to_owned())
        .ok_or("Must be an e-mail address.".into())
}
