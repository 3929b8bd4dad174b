//! The list of customers: what a shard keeps of each, and its pages, newest first. A page costs its own rows,
//! however many customers there are, however deep it lies and whatever it is filtered by.

pub use crate::customer::listing::{Listing, Shown};
use crate::customer::profile::Plan;
use crate::customer::status::Status;
use crate::email::EmailIndex;
use crate::error::{Error, Result};
use crate::sql::{Row, Sql, Value};
use crate::types::{CustomerId, Timestamp};
use serde::{Deserialize, Serialize};

/// Most rows of one page of a shard: one more than a page of the whole list has.
pub const MAX_PAGE_ROWS: u32 = 101;

/// Which customers are wanted, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// Only those of this status. Erased ones are never listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Only those of this plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// Only those with this e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_index: Option<EmailIndex>,
    /// Only those created at this moment or later.
    pub from: Timestamp,
    /// Only those that come after this place in the order, newest first.
    pub after: Place,
    /// How many rows, at most [`MAX_PAGE_ROWS`].
    pub limit: u32,
}

/// A place in the order of the list: between two customers, or before all that were created at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    /// The moment of creation.
    pub created_at: Timestamp,
    /// The id of the customer just before, which is not listed again; None for the place after all customers
    /// created at that moment, so that only older ones follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
}

impl Place {
    /// Before everybody.
    #[must_use]
    pub const fn start() -> Self {
        Self {
            created_at: Timestamp::MAX,
            customer_id: None,
        }
    }
}

/// A page of one shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Page {
    /// Newest first; of one moment in descending order of ids. Fewer than the limit only at the end.
    pub rows: Vec<Listing>,
}

/// Writes what a customer says of itself, unless something newer is there.
///
/// # Errors
/// `internal_error` from the engine.
pub fn put(sql: &dyn Sql, listing: &Listing) -> Result<()> {
    let shown = listing.shown.as_ref();
    sql.exec(
        "INSERT INTO customers (customer_id, rev, created_at, status, plan, email_index) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (customer_id) DO UPDATE SET rev = excluded.rev, created_at = excluded.created_at, \
         status = excluded.status, plan = excluded.plan, email_index = excluded.email_index \
         WHERE excluded.rev > customers.rev",
        &[
            listing.customer_id.as_str().into(),
            listing.rev.into(),
            shown.map(|shown| shown.created_at.as_millis()).into(),
            shown.map_or(Status::Erased, |shown| shown.status).as_str().into(),
            shown.map(|shown| shown.plan.as_str()).into(),
            shown
                .and_then(|shown| shown.email_index.as_ref())
                .map(|index| index.as_bytes().as_slice())
                .into(),
        ],
    )?;
    Ok(())
}

/// Whether there is a row of this customer, which was not erased.
///
/// # Errors
/// `internal_error` from the engine.
pub fn has(sql: &dyn Sql, customer: &CustomerId) -> Result<bool> {
    let rows = sql.exec(
        "SELECT 1 FROM customers WHERE customer_id = ? AND status <> 'erased'",
        &[customer.as_str().into()],
    )?;
    Ok(!rows.is_empty())
}

/// One page.
///
/// # Errors
/// `internal_error` from the engine.
pub fn page(sql: &dyn Sql, query: &Query) -> Result<Page> {
    if query.status == Some(Status::Erased) {
        return Ok(Page::default());
    }
    // No id sorts before the empty text, so only what is older follows it.
    let after_id = query.after.customer_id.as_ref().map_or("", CustomerId::as_str);
    let mut params: Vec<Value> = vec![
        query.after.created_at.as_millis().into(),
        after_id.into(),
        query.from.as_millis().into(),
        i64::from(query.limit.min(MAX_PAGE_ROWS)).into(),
    ];
    let status = query.status.map(Status::as_str);
    let plan = query.plan.map(Plan::as_str);
    let statement = match (&query.email_index, status, plan) {
        (Some(index), status, plan) => {
            params.extend([index.as_bytes().as_slice().into(), status.into(), plan.into()]);
            BY_EMAIL
        }
        (None, Some(status), Some(plan)) => {
            params.extend([status.into(), plan.into()]);
            BY_STATUS_AND_PLAN
        }
        (None, Some(status), None) => {
            params.push(status.into());
            BY_STATUS
        }
        (None, None, Some(plan)) => {
            params.push(plan.into());
            BY_PLAN
        }
        (None, None, None) => BY_AGE,
    };
    let rows = sql.exec(statement, &params)?;
    Ok(Page {
        rows: rows.iter().map(from_row).collect::<Result<_>>()?,
    })
}

macro_rules! select {
    ($index:literal, $filter:literal) => {
        concat!(
            "SELECT customer_id, rev, created_at, status, plan, email_index FROM customers INDEXED BY ",
            $index,
            " WHERE ",
            $filter,
            "(created_at, customer_id) < (?1, ?2) AND created_at >= ?3 \
             ORDER BY created_at DESC, customer_id DESC LIMIT ?4"
        )
    };
}

const BY_AGE: &str = select!("customers_by_age", "");
const BY_STATUS: &str = select!("customers_by_status", "status = ?5 AND ");
const BY_PLAN: &str = select!("customers_by_plan", "plan = ?5 AND ");
const BY_STATUS_AND_PLAN: &str = select!("customers_by_status_and_plan", "status = ?5 AND plan = ?6 AND ");
/// Several customers have one e-mail only where an import found them so: a filter on top costs a few rows.
const BY_EMAIL: &str = select!(
    "customers_by_email",
    "email_index = ?5 AND (?6 IS NULL OR status = ?6) AND (?7 IS NULL OR plan = ?7) AND "
);

fn from_row(row: &Row) -> Result<Listing> {
    let unreadable = || Error::fault("a row of the list is unreadable");
    let index = match row.0.get(5) {
        Some(Value::Null) => None,
        _ => Some(EmailIndex::from_stored(row.blob(5)?)?),
    };
    Ok(Listing {
        customer_id: CustomerId::parse(row.text(0)?).ok_or_else(unreadable)?,
        rev: row.integer(1)?,
        shown: Some(Shown {
            created_at: Timestamp::from_millis(row.integer(2)?),
            status: Status::parse(row.text(3)?).ok_or_else(unreadable)?,
            plan: Plan::parse(row.text(4)?).ok_or_else(unreadable)?,
            email_index: index,
        }),
    })
}
