//! A user's preferences: one document with a default for every field.

use crate::crypto::{Column, FieldKeys};
use crate::customer::profile::merge_entries;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::json;
use crate::order;
use crate::sql::Sql;
use crate::types::UserId;
use crate::validate::{Edit, Fields, boolean, language_tag, line, time_zone};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// Most keys of `custom`.
pub const MAX_CUSTOM_KEYS: usize = 50;
/// Longest key of `custom`, in characters.
pub const MAX_CUSTOM_KEY_CHARS: usize = 40;
/// Longest text in `custom`, in characters.
pub const MAX_CUSTOM_VALUE_CHARS: usize = 500;

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $text:literal),* } default $default:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)]
        pub enum $name { $($variant),* }

        impl $name {
            /// The value with that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        }
    };
}

choice! {
    /// How pages look.
    Theme { System "system", Light "light", Dark "dark" } default System
}

choice! {
    /// Who sees the user's e-mail.
    EmailVisibility { Private "private", Public "public" } default Private
}

/// Which messages the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[allow(missing_docs)]
pub struct Notifications {
    pub email: bool,
    pub product: bool,
    pub security: bool,
}

impl Default for Notifications {
    /// Wanted is what one asked for (mail, security); advertising must be chosen.
    fn default() -> Self {
        Self {
            email: true,
            product: false,
            security: true,
        }
    }
}

/// A value under `custom`: a scalar.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[allow(missing_docs)]
pub enum Custom {
    Bool(bool),
    Number(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "f64"))] serde_json::Number),
    Text(String),
}

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(value) => Ok(Self::Bool(value)),
            Value::Number(value) => Ok(Self::Number(value)),
            Value::String(value) => Ok(Self::Text(value)),
            _ => Err(D::Error::custom("not a scalar")),
        }
    }
}

/// The resource `/user/me/preferences`, and the document that is stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Preferences {
    pub theme: Theme,
    pub language: Option<String>,
    pub time_zone: Option<String>,
    pub email_visibility: EmailVisibility,
    pub notifications: Notifications,
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "std::collections::BTreeMap<String, Custom>")
    )]
    pub custom: order::Map<String, Custom>,
}

/// A change of the preferences. A field that is cleared has its default again.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct PreferencesEdit {
    pub theme: Edit<Theme>,
    pub language: Edit<String>,
    pub time_zone: Edit<String>,
    pub email_visibility: Edit<EmailVisibility>,
    pub notifications: Edit<NotificationsEdit>,
    pub custom: Edit<order::Map<String, Option<Custom>>>,
    /// True for PUT: what is not mentioned has its default again.
    pub replaces: bool,
}

/// A change of [`Notifications`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NotificationsEdit {
    pub email: Edit<bool>,
    pub product: Edit<bool>,
    pub security: Edit<bool>,
}

impl PreferencesEdit {
    /// Reads the body of PUT (`replaces`) or PATCH `/user/me/preferences`.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse(body: &[u8], replaces: bool) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let edit = Self {
            theme: fields.one_of("theme", "system, light, dark", Theme::parse),
            language: fields.field("language", language_tag),
            time_zone: fields.field("timeZone", time_zone),
            email_visibility: fields.one_of("emailVisibility", "private, public", EmailVisibility::parse),
            notifications: fields.object("notifications", |inner| NotificationsEdit {
                email: inner.field("email", boolean),
                product: inner.field("product", boolean),
                security: inner.field("security", boolean),
            }),
            custom: fields.entries("custom", !replaces, MAX_CUSTOM_KEY_CHARS, scalar),
            replaces,
        };
        fields.finish(&[])?;
        Ok(edit)
    }

    /// The preferences after the edit.
    ///
    /// # Errors
    /// `validation_failed` if `custom` would have too many keys.
    pub fn apply(self, before: &Preferences) -> Result<Preferences> {
        let defaults = Preferences::default();
        let before = if self.replaces { &defaults } else { before };
        let notifications = match self.notifications {
            Edit::Keep => before.notifications,
            Edit::Clear => Notifications::default(),
            Edit::Set(edit) => edit.apply(before.notifications),
        };
        Ok(Preferences {
            theme: self.theme.apply(Some(before.theme)).unwrap_or_default(),
            language: self.language.apply(before.language.clone()),
            time_zone: self.time_zone.apply(before.time_zone.clone()),
            email_visibility: self
                .email_visibility
                .apply(Some(before.email_visibility))
                .unwrap_or_default(),
            notifications,
            custom: merge_entries(
                "custom",
                self.custom,
                &before.custom,
                self.replaces,
                MAX_CUSTOM_KEYS,
            )?,
        })
    }
}

impl NotificationsEdit {
    fn apply(self, before: Notifications) -> Notifications {
        let default = Notifications::default();
        Notifications {
            email: self.email.apply(Some(before.email)).unwrap_or(default.email),
            product: self
                .product
                .apply(Some(before.product))
                .unwrap_or(default.product),
            security: self
                .security
                .apply(Some(before.security))
                .unwrap_or(default.security),
        }
    }
}

fn scalar(value: serde_json::Value) -> Result<Custom, Cow<'static, str>> {
    match value {
        serde_json::Value::Bool(value) => Ok(Custom::Bool(value)),
        serde_json::Value::Number(value) => Ok(Custom::Number(value)),
        value @ serde_json::Value::String(_) => line(value, MAX_CUSTOM_VALUE_CHARS).map(Custom::Text),
        _ => Err("Must be a string, a number, true or false.".into()),
    }
}

/// A user's preferences and their version number; the defaults and 0 while nothing was ever set.
///
/// # Errors
/// `sealed_data_unreadable`; `internal_error` if the engine fails or the row is missing.
pub fn load(sql: &dyn Sql, fields: &FieldKeys, user_id: &UserId) -> Result<(Preferences, i64)> {
    let rows = sql.exec(
        "SELECT preferences_version, preferences FROM users WHERE user_id = ?",
        &[user_id.as_str().into()],
    )?;
    let row = rows.first().ok_or_else(|| Error::fault("a user's row is gone"))?;
    let number = row.integer(0)?;
    Ok((
        from_stored(fields, user_id, number, row.blob_or_null(1)?)?,
        number,
    ))
}

/// The preferences of version `number` as they are stored; nothing is, before they were first set.
///
/// # Errors
/// `sealed_data_unreadable`; `internal_error` if they are missing.
pub fn from_stored(
    fields: &FieldKeys,
    user_id: &UserId,
    number: i64,
    stored: Option<&[u8]>,
) -> Result<Preferences> {
    match stored {
        Some(stored) if number > 0 => fields.open_json(Column::UserPreferences, user_id.as_str(), stored),
        None if number > 0 => Err(Error::fault("preferences are missing")),
        _ => Ok(Preferences::default()),
    }
}

/// Stores the preferences as version `number`.
///
/// # Errors
/// `internal_error` from the engine.
pub fn store(
    sql: &dyn Sql,
    fields: &FieldKeys,
    user_id: &UserId,
    preferences: &Preferences,
    number: i64,
    entropy: &mut dyn Entropy,
) -> Result<()> {
    let sealed = fields.seal_json(Column::UserPreferences, user_id.as_str(), preferences, entropy)?;
    sql.exec(
        "UPDATE users SET preferences_version = ?, preferences = ? WHERE user_id = ?",
        &[number.into(), sealed.into(), user_id.as_str().into()],
    )?;
    Ok(())
}
