//! The customer's own record: its fields, who may change which, and its row.

mod edit;
mod new;

use crate::crypto::dek::unavailable;
use crate::crypto::{Column, FieldKeys};
use crate::customer::admin_edit::Edited;
use crate::customer::key;
use crate::customer::status::{By, Status, StatusView};
use crate::entropy::Entropy;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::order;
use crate::sql::{Row, Sql, Value};
use crate::types::{CustomerId, Timestamp, Version, serialize_rfc3339, serialize_rfc3339_option};
use serde::{Deserialize, Serialize};

pub use edit::{ProfileEdit, email, merge_entries};
pub use new::NewCustomer;

/// Most keys of `metadata`.
pub const MAX_METADATA_KEYS: usize = 50;
/// Longest key of `metadata`, in characters.
pub const MAX_METADATA_KEY_CHARS: usize = 40;
/// Longest value of `metadata`, in characters.
pub const MAX_METADATA_VALUE_CHARS: usize = 500;
/// Longest `name` and `companyName`, in characters.
pub const MAX_NAME_CHARS: usize = 200;
/// Longest `displayName`, in characters.
pub const MAX_DISPLAY_NAME_CHARS: usize = 100;
/// Most keys of `features`.
pub const MAX_FEATURES: usize = 100;

/// The one row, in the additional data of its seals.
pub(super) const ROW: &str = "1";

/// What the customer pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Plan {
    Free,
    Starter,
    Pro,
    Enterprise,
}

impl Plan {
    /// The plan with that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Free, Self::Starter, Self::Pro, Self::Enterprise]
            .into_iter()
            .find(|plan| plan.as_str() == name)
    }

    /// The plan's name, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Starter => "starter",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }
}

/// The personal fields, stored together as one document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Profile {
    pub email: Option<String>,
    pub name: Option<String>,
    pub company_name: Option<String>,
    pub display_name: Option<String>,
    pub metadata: order::Map<String, String>,
}

/// The whole record of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Record {
    pub version: Version,
    pub status: Status,
    /// Or why it cannot be read.
    pub status_reason: Result<Option<String>>,
    pub status_changed_at: Timestamp,
    pub plan: Plan,
    pub features: order::Map<String, bool>,
    /// Or why it cannot be read.
    pub profile: Result<Profile>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
}

/// The resource `/customer/me`.
#[derive(Serialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Customer")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerView<'a> {
    customer_id: &'a CustomerId,
    email: &'a Option<String>,
    name: &'a Option<String>,
    company_name: &'a Option<String>,
    display_name: &'a Option<String>,
    plan: Plan,
    #[serde(flatten)]
    status: StatusView<'a>,
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "std::collections::BTreeMap<String, bool>")
    )]
    features: &'a order::Map<String, bool>,
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "std::collections::BTreeMap<String, String>")
    )]
    metadata: &'a order::Map<String, String>,
    #[serde(serialize_with = "serialize_rfc3339")]
    created_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339")]
    updated_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339_option")]
    last_seen_at: Option<Timestamp>,
}

impl Record {
    /// The resource `/customer/me` as JSON.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn to_json(&self, customer_id: &CustomerId) -> Result<Vec<u8>> {
        let profile = self.profile()?;
        json::to_bytes(&CustomerView {
            customer_id,
            email: &profile.email,
            name: &profile.name,
            company_name: &profile.company_name,
            display_name: &profile.display_name,
            plan: self.plan,
            status: self.status_view()?,
            features: &self.features,
            metadata: &profile.metadata,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_seen_at: self.last_seen_at,
        })
    }

    /// The personal fields.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn profile(&self) -> Result<&Profile> {
        self.profile.as_ref().map_err(Clone::clone)
    }

    /// The resource `/customer/me/status`.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn status_view(&self) -> Result<StatusView<'_>> {
        let reason = self.status_reason.as_ref().map_err(Clone::clone)?;
        Ok(StatusView {
            status: self.status,
            status_reason: reason.as_deref(),
            status_changed_at: self.status_changed_at,
        })
    }

    /// The record of this object, if there is one; where the key is lost, without what is sealed.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or the row is unreadable; `key_unavailable` if the keys are not those of
    /// this customer, or are not there and not lost.
    pub fn load(sql: &dyn Sql, fields: Option<&FieldKeys>, is_key_lost: bool) -> Result<Option<Self>> {
        let rows = sql.exec(
            "SELECT incarnation, version, status, status_reason, status_changed_at, plan, features, profile, \
             created_at, updated_at, last_seen_at, key_fingerprint FROM customer WHERE one = 1",
            &[],
        )?;
        rows.first()
            .map(|row| Self::from_row(row, fields, is_key_lost))
            .transpose()
    }

    fn from_row(row: &Row, fields: Option<&FieldKeys>, is_key_lost: bool) -> Result<Self> {
        let status = Status::parse(row.text(2)?);
        let (status_reason, profile) = if status == Some(Status::Erased) {
            let erased = || Error::new(Code::CustomerErased, Code::CustomerErased.title());
            (Ok(None), Err(erased()))
        } else if fields.is_none() && is_key_lost {
            let lost = || unavailable("the key is lost");
            (Err(lost()), Err(lost()))
        } else {
            let fields = fields.ok_or_else(|| unavailable("the vault was not asked"))?;
            key::verify(fields, row.blob(11)?)?;
            let reason = row.blob_or_null(3)?;
            let reason = reason.map(|sealed| fields.open_json(Column::CustomerStatusReason, ROW, sealed));
            let profile = fields.open_json(Column::CustomerProfile, ROW, row.blob(7)?);
            (reason.transpose(), profile)
        };
        let unknown = |what| Error::fault(format!("stored customer has an unknown {what}"));
        Ok(Self {
            version: Version {
                incarnation: row.text(0)?.to_owned(),
                number: row.integer(1)?,
            },
            status: status.ok_or_else(|| unknown("status"))?,
            status_reason,
            status_changed_at: Timestamp::from_millis(row.integer(4)?),
            plan: Plan::parse(row.text(5)?).ok_or_else(|| unknown("plan"))?,
            features: json::from_stored(row.text(6)?.as_bytes(), "features")?,
            profile,
            created_at: Timestamp::from_millis(row.integer(8)?),
            updated_at: Timestamp::from_millis(row.integer(9)?),
            last_seen_at: row.integer_or_null(10)?.map(Timestamp::from_millis),
        })
    }

    /// Writes the row of a new customer.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn insert(
        &self,
        sql: &dyn Sql,
        customer_id: &CustomerId,
        fields: &FieldKeys,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        sql.exec(
            "INSERT INTO customer (one, customer_id, incarnation, version, status, status_reason, status_changed_at, \
             plan, features, profile, created_at, updated_at, last_seen_at, key_fingerprint) \
             VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            &[
                customer_id.as_str().into(),
                self.version.incarnation.as_str().into(),
                self.version.number.into(),
                self.status.as_str().into(),
                self.sealed_reason(fields, entropy)?,
                self.status_changed_at.as_millis().into(),
                self.plan.as_str().into(),
                features_text(&self.features)?,
                self.sealed_profile(fields, entropy)?,
                self.created_at.as_millis().into(),
                self.updated_at.as_millis().into(),
                self.last_seen_at.map(Timestamp::as_millis).into(),
                fields.fingerprint().as_bytes().into(),
            ],
        )?;
        Ok(())
    }

    fn sealed_profile(&self, fields: &FieldKeys, entropy: &mut dyn Entropy) -> Result<Value> {
        let sealed = fields.seal_json(Column::CustomerProfile, ROW, self.profile()?, entropy)?;
        Ok(sealed.into())
    }

    fn sealed_reason(&self, fields: &FieldKeys, entropy: &mut dyn Entropy) -> Result<Value> {
        match self.status_view()?.status_reason {
            Some(reason) => {
                let sealed = fields.seal_json(Column::CustomerStatusReason, ROW, &reason, entropy)?;
                Ok(sealed.into())
            }
            None => Ok(Value::Null),
        }
    }

    /// Takes over what an edit made of it as the next version, here and in the row. Nothing happens if it is the same.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn write(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        edited: Edited,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        let Edited {
            plan,
            features,
            profile,
        } = edited;
        if plan == self.plan && features == self.features && profile == *self.profile()? {
            return Ok(());
        }
        self.next_version(now);
        self.plan = plan;
        self.features = features;
        self.profile = Ok(profile);
        sql.exec(
            "UPDATE customer SET version = ?, plan = ?, features = ?, profile = ?, updated_at = ? WHERE one = 1",
            &[
                self.version.number.into(),
                self.plan.as_str().into(),
                features_text(&self.features)?,
                self.sealed_profile(fields, entropy)?,
                self.updated_at.as_millis().into(),
            ],
        )?;
        Ok(())
    }

    /// Writes everything that an import may have changed, as the next version. Its moments are the records' own.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn write_moved(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        self.version.number = self.version.number.saturating_add(1);
        sql.exec(
            "UPDATE customer SET version = ?, status = ?, status_reason = ?, status_changed_at = ?, plan = ?, \
             features = ?, profile = ?, created_at = ?, updated_at = ?, last_seen_at = ? WHERE one = 1",
            &[
                self.version.number.into(),
                self.status.as_str().into(),
                self.sealed_reason(fields, entropy)?,
                self.status_changed_at.as_millis().into(),
                self.plan.as_str().into(),
                features_text(&self.features)?,
                self.sealed_profile(fields, entropy)?,
                self.created_at.as_millis().into(),
                self.updated_at.as_millis().into(),
                self.last_seen_at.map(Timestamp::as_millis).into(),
            ],
        )?;
        Ok(())
    }

    /// Moves to a status that the table allows, as the next version. The same status again changes at most the
    /// reason, and only where one is given: the moment of the change stays.
    ///
    /// # Errors
    /// `status_transition_not_allowed` with nothing changed, or `internal_error` from the engine.
    pub fn move_to(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        to: (Status, Option<String>),
        by: By,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        let (to, reason) = to;
        self.status.may_become(to, by)?;
        if self.status == to {
            if reason.is_none() || self.status_reason.as_ref() == Ok(&reason) {
                return Ok(());
            }
        } else {
            self.status = to;
            self.status_changed_at = now;
        }
        self.status_reason = Ok(reason);
        self.next_version(now);
        sql.exec(
            "UPDATE customer SET version = ?, status = ?, status_reason = ?, status_changed_at = ?, updated_at = ? \
             WHERE one = 1",
            &[
                self.version.number.into(),
                self.status.as_str().into(),
                self.sealed_reason(fields, entropy)?,
                self.status_changed_at.as_millis().into(),
                self.updated_at.as_millis().into(),
            ],
        )?;
        Ok(())
    }

    fn next_version(&mut self, now: Timestamp) {
        self.version.number = self.version.number.saturating_add(1);
        self.updated_at = self.updated_at.max(now);
    }

    /// Notes that a user of the customer was here, to the hour, and so at most one write an hour. No new version.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn touch(&mut self, sql: &dyn Sql, now: Timestamp) -> Result<()> {
        if self.last_seen_at >= Some(now.hour()) {
            return Ok(());
        }
        self.last_seen_at = Some(now.hour());
        sql.exec(
            "UPDATE customer SET last_seen_at = ? WHERE one = 1",
            &[now.hour().as_millis().into()],
        )?;
        Ok(())
    }
}

fn features_text(features: &order::Map<String, bool>) -> Result<Value> {
    serde_json::to_string(features)
        .map(Value::Text)
        .map_err(|_| Error::fault("features do not serialise"))
}
