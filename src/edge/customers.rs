//! The list of customers as administrators ask for it: its query, its cursor, and one page made of those of all
//! shards.

use crate::crypto::IndexKeys;
use crate::customer::errand::Shown;
use crate::customer::profile::Plan;
use crate::customer::status::Status;
use crate::directory::list::{Listing, Page, Place, Query as ShardQuery};
use crate::edge::query::Query;
use crate::email::Email;
use crate::error::{Error, Result};
use crate::json;
use crate::order;
use crate::types::{CustomerId, Timestamp};
use serde_json::{Map, Value, json};

/// Most items of a page.
pub const MAX_LIMIT: i64 = 100;
/// Items of a page whose request names no number.
const DEFAULT_LIMIT: i64 = 20;
/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Most items of the page.
    pub limit: u32,
    /// What each shard is asked: one row more than the page has, to know whether there are more.
    pub shard: ShardQuery,
    /// The names and values of the filters, for the log. No e-mail: that it was asked by one is told, not which.
    pub told: Map<String, Value>,
    /// What a cursor is bound to.
    scope: String,
    /// The query without the cursor, for the address of the next page.
    query: String,
}

/// What came of asking a customer's own object for its item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// What it says.
    Is(Shown),
    /// The customer was erased since.
    Gone,
    /// It does not answer, or cannot open anything.
    Failed,
}

/// What an item names that could not be opened.
const UNREADABLE: &[&str] = &["email", "displayName"];

/// Reads the query of `GET /admin/customers`.
///
/// # Errors
/// `validation_failed`, `malformed_request` or `invalid_cursor`.
pub fn parse(text: &str, index: &IndexKeys) -> Result<Asked> {
    let mut query = Query::parse(text)?;
    let limit = query.integer("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let limit = u32::try_from(limit).map_err(|_| Error::fault("a limit out of range"))?;
    let cursor = query.take("cursor");
    let statuses = "one of pending_verification, active, suspended, cancelled";
    let status = query.field("status", statuses, |text| {
        Status::parse(text).filter(|status| *status != Status::Erased)
    })?;
    let plan = query.field("plan", "one of free, starter, pro, enterprise", Plan::parse)?;
    let email = query.field("email", "an e-mail address", Email::parse)?;
    let created_after = query.time("createdAfter")?;
    let created_before = query.time("createdBefore")?;
    query.finish()?;
    let email_index = match &email {
        Some(email) => Some(index.email(email.as_str())?),
        None => None,
    };
    let filters = json!([
        status,
        plan,
        email_index,
        created_after.map(Timestamp::as_millis),
        created_before.map(Timestamp::as_millis)
    ]);
    let scope = format!("customers|{filters}");
    let start = created_before.map_or_else(Place::start, |before| Place {
        created_at: before,
        customer_id: None,
    });
    let after = match cursor {
        Some(cursor) => place(&index.cursors().read(&scope, &cursor)?)?,
        None => start,
    };
    let from = created_after.map_or(0, |after| after.as_millis().saturating_add(1));
    let mut told = Map::new();
    let mut tell = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told.insert(name.to_owned(), value);
        }
    };
    tell("limit", Some(limit.into()));
    tell("status", status.map(|status| status.as_str().into()));
    tell("plan", plan.map(|plan| plan.as_str().into()));
    tell("email", email.is_some().then(|| "given".into()));
    tell("createdAfter", created_after.map(|at| at.to_rfc3339().into()));
    tell("createdBefore", created_before.map(|at| at.to_rfc3339().into()));
    let kept: Vec<_> = text
        .split('&')
        .filter(|part| !part.is_empty() && part.split('=').next() != Some("cursor"))
        .collect();
    Ok(Asked {
        limit,
        shard: ShardQuery {
            status,
            plan,
            email_index,
            from: Timestamp::from_millis(from),
            after,
            limit: limit.saturating_add(1),
        },
        told,
        scope,
        query: kept.join("&"),
    })
}

/// The rows of one page of the whole list, newest first, from those of all its shards, and whether there are more.
#[must_use]
pub fn merge(pages: Vec<Page>, limit: u32) -> (Vec<Listing>, bool) {
    let mut rows: Vec<_> = pages.into_iter().flat_map(|page| page.rows).collect();
    order::sort_by(&mut rows, |a, b| place_of(b).cmp(&place_of(a)));
    let limit = limit as usize;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    (rows, has_more)
}

fn place_of(row: &Listing) -> (Option<i64>, &str) {
    let created_at = row.shown.as_ref().map(|shown| shown.created_at.as_millis());
    (created_at, row.customer_id.as_str())
}

impl Asked {
    /// The page as JSON and the value of `Link` (RFC 8288), given its rows and what the customers' own objects say
    /// of each; one that has gone since is left out, and of one that says nothing there is what the directory knows.
    /// An address that names an e-mail is none that we mint, so a list by e-mail has no `Link`.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn page(
        &self,
        rows: &[Listing],
        has_more: bool,
        looks: Vec<Look>,
        index: &IndexKeys,
    ) -> Result<(Vec<u8>, Option<String>)> {
        let data: Vec<_> = rows
            .iter()
            .zip(looks)
            .filter_map(|(row, look)| item(row, look))
            .collect();
        let next = rows
            .last()
            .filter(|_| has_more)
            .and_then(|last| cursor_of(&self.scope, last, index));
        let by_email = self.shard.email_index.is_some();
        let link = next.as_ref().filter(|_| !by_email).map(|cursor| {
            let and = if self.query.is_empty() { "" } else { "&" };
            format!(
                "</admin/customers?{}{and}cursor={cursor}>; rel=\"next\"",
                self.query
            )
        });
        let body = json::to_bytes(&json!({"data": data, "hasMore": next.is_some(), "nextCursor": next}))?;
        Ok((body, link))
    }
}

/// One customer on the page.
fn item(row: &Listing, look: Look) -> Option<Value> {
    let shown = match look {
        Look::Is(shown) => shown,
        Look::Gone => return None,
        Look::Failed => Shown::of_row(row.shown.as_ref()?),
    };
    let mut item = json!({
        "customerId": row.customer_id, "email": shown.email, "displayName": shown.display_name,
        "plan": shown.plan, "status": shown.status, "createdAt": shown.created_at.to_rfc3339(),
    });
    if let (true, Some(item)) = (shown.unreadable, item.as_object_mut()) {
        item.insert("unreadable".to_owned(), json!(UNREADABLE));
    }
    Some(item)
}

/// The cursor of the page after this row.
pub(super) fn cursor_of(scope: &str, last: &Listing, index: &IndexKeys) -> Option<String> {
    let created_at = last.shown.as_ref()?.created_at.as_millis();
    let position = json!([created_at, last.customer_id]).to_string();
    Some(index.cursors().write(scope, position.as_bytes()))
}

/// The place that a cursor of ours holds.
pub(super) fn place(position: &[u8]) -> Result<Place> {
    let (created_at, customer_id): (i64, CustomerId) = json::from_stored(position, "cursor")?;
    Ok(Place {
        created_at: Timestamp::from_millis(created_at),
        customer_id: Some(customer_id),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn row(id: &str) -> Listing {
        Listing {
            customer_id: CustomerId::parse(id).unwrap(),
            rev: 1,
            shown: Some(crate::directory::list::Shown {
                created_at: Timestamp::from_millis(1),
                status: Status::Suspended,
                plan: Plan::Pro,
                email_index: None,
            }),
        }
    }

    fn shown(unreadable: bool) -> Look {
        Look::Is(Shown {
            email: (!unreadable).then(|| "a@x.example".to_owned()),
            display_name: None,
            plan: Plan::Free,
            status: Status::Active,
            created_at: Timestamp::from_millis(1),
            unreadable,
        })
    }

    #[test]
    fn a_customer_that_cannot_be_opened_is_shown_as_the_directory_knows_it_and_one_that_is_gone_not_at_all() {
        let keys = IndexKeys::derive(&[7; 32]).unwrap();
        let asked = parse("limit=4", &keys).unwrap();
        let rows: Vec<_> = ["a", "b", "c", "d"].map(row).into();
        let looks = vec![shown(false), Look::Failed, Look::Gone, shown(true)];
        let (body, link) = asked.page(&rows, true, looks, &keys).unwrap();
        let page: Value = serde_json::from_slice(&body).unwrap();
        let data = page["data"].as_array().unwrap();
        assert_eq!(data.len(), 3);
        assert_eq!(
            (&data[0]["email"], data[0].get("unreadable")),
            (&json!("a@x.example"), None)
        );
        assert_eq!(
            (&data[1]["customerId"], &data[1]["status"], &data[1]["plan"]),
            (&json!("b"), &json!("suspended"), &json!("pro"))
        );
        for broken in [&data[1], &data[2]] {
            assert_eq!(
                (&broken["email"], &broken["displayName"]),
                (&Value::Null, &Value::Null)
            );
            assert_eq!(broken["unreadable"], json!(["email", "displayName"]));
        }
        assert!(link.unwrap().contains("limit=4&cursor="));
    }

    #[test]
    fn no_address_that_we_mint_names_an_e_mail() {
        let keys = IndexKeys::derive(&[7; 32]).unwrap();
        let asked = parse("email=a%40x.example&limit=1", &keys).unwrap();
        let (body, link) = asked.page(&[row("a")], true, vec![shown(false)], &keys).unwrap();
        assert_eq!(link, None);
        let page: Value = serde_json::from_slice(&body).unwrap();
        let next = page["nextCursor"].as_str().unwrap();
        parse(&format!("email=a%40x.example&limit=1&cursor={next}"), &keys).unwrap();
    }
}
