//! `POST /internal/rewrap`: one page of customers whose data keys are to be wrapped under the active master key.

use crate::crypto::IndexKeys;
use crate::customer::errand::Answer;
use crate::directory::list::{Listing, Place, Query};
use crate::edge::customers::{cursor_of, place};
use crate::error::{Code, Result};
use crate::json;
use crate::types::{CustomerId, Timestamp};
use crate::validate::Fields;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Most customers of one page.
pub const MAX_REWRAP_PAGE: i64 = 100;
/// What a cursor of this list is bound to.
const SCOPE: &str = "rewrap";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Most customers of the page.
    pub limit: u32,
    /// What each shard is asked: one row more than the page has, to know whether there are more.
    pub shard: Query,
}

/// Reads the body: `{after?, limit?}`.
///
/// # Errors
/// `malformed_body`, `validation_failed` or `invalid_cursor`.
pub fn parse(body: &[u8], index: &IndexKeys) -> Result<Asked> {
    let mut fields = Fields::new(json::parse_object(body)?);
    let limit = fields.integer("limit", 1..=MAX_REWRAP_PAGE);
    let limit = fields.not_null("limit", limit).unwrap_or(MAX_REWRAP_PAGE);
    let after = fields.field("after", |value| match value {
        Value::String(cursor) => Ok(cursor),
        _ => Err(Cow::Borrowed("Must be the `next` of the page before.")),
    });
    let after = after.apply(None);
    fields.finish(&[])?;
    let after = match after {
        Some(cursor) => place(&index.cursors().read(SCOPE, &cursor)?)?,
        None => Place::start(),
    };
    let limit = u32::try_from(limit).unwrap_or(1);
    Ok(Asked {
        limit,
        shard: Query {
            status: None,
            plan: None,
            email_index: None,
            from: Timestamp::from_millis(0),
            after,
            limit: limit.saturating_add(1),
        },
    })
}

/// What became of a page.
#[derive(Debug, Default)]
pub struct Report {
    wrapped: u32,
    gone: u32,
    failed: Vec<(CustomerId, Code)>,
}

impl Report {
    /// Takes in what a customer's object answered.
    pub fn add(&mut self, customer: &CustomerId, answer: Result<Answer>) {
        match answer {
            Ok(Answer::Noted) => self.wrapped = self.wrapped.saturating_add(1),
            // It was erased since it was listed: there is no key any more.
            Ok(_) => self.gone = self.gone.saturating_add(1),
            Err(error) => self.failed.push((customer.clone(), error.code)),
        }
    }

    /// What the operators' log tells of it.
    #[must_use]
    pub fn told(&self) -> Map<String, Value> {
        [
            ("wrapped", self.wrapped),
            ("gone", self.gone),
            ("failed", self.failures()),
        ]
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect()
    }

    fn failures(&self) -> u32 {
        u32::try_from(self.failed.len()).unwrap_or(u32::MAX)
    }

    /// The answer, as JSON.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn page(&self, rows: &[Listing], has_more: bool, index: &IndexKeys) -> Result<Vec<u8>> {
        let next = rows
            .last()
            .filter(|_| has_more)
            .and_then(|last| cursor_of(SCOPE, last, index));
        let failed: Vec<_> = self
            .failed
            .iter()
            .map(|(customer, code)| json!({"customerId": customer, "code": code.as_str()}))
            .collect();
        json::to_bytes(&json!({
            "wrapped": self.wrapped, "gone": self.gone, "failed": failed, "next": next,
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::customer::errand::Standing;
    use crate::error::Error;

    fn keys() -> IndexKeys {
        IndexKeys::derive(&[7; 32]).unwrap()
    }

    fn listing(id: &str, created_at: i64) -> Listing {
        Listing {
            customer_id: CustomerId::parse(id).unwrap(),
            rev: 1,
            shown: Some(crate::directory::list::Shown {
                created_at: Timestamp::from_millis(created_at),
                status: crate::customer::status::Status::Active,
                plan: crate::customer::profile::Plan::Free,
                email_index: None,
            }),
        }
    }

    #[test]
    fn a_page_goes_on_where_the_one_before_ended() {
        let first = parse(b"{}", &keys()).unwrap();
        assert_eq!((first.limit, first.shard.limit), (100, 101));
        assert_eq!(first.shard.after, Place::start());
        let rows = [listing("cust_b", 20), listing("cust_a", 10)];
        let page = Report::default().page(&rows, true, &keys()).unwrap();
        let page: Value = serde_json::from_slice(&page).unwrap();
        let body = json!({"after": page["next"], "limit": 3}).to_string();
        let second = parse(body.as_bytes(), &keys()).unwrap();
        assert_eq!((second.limit, second.shard.limit), (3, 4));
        assert_eq!(second.shard.after.created_at.as_millis(), 10);
        assert_eq!(second.shard.after.customer_id, CustomerId::parse("cust_a"));
        let page = Report::default().page(&rows, false, &keys()).unwrap();
        let page: Value = serde_json::from_slice(&page).unwrap();
        assert_eq!(page["next"], Value::Null);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (body, code) in [
            (&b"["[..], Code::MalformedBody),
            (br#"{"limit": 0}"#, Code::ValidationFailed),
            (br#"{"limit": 101}"#, Code::ValidationFailed),
            (br#"{"limit": null}"#, Code::ValidationFailed),
            (br#"{"after": 5}"#, Code::ValidationFailed),
            (br#"{"until": "x"}"#, Code::ValidationFailed),
            (br#"{"after": "made up"}"#, Code::InvalidCursor),
        ] {
            assert_eq!(parse(body, &keys()).unwrap_err().code, code);
        }
    }

    #[test]
    fn each_customer_counts_as_what_became_of_it() {
        let mut report = Report::default();
        let id = CustomerId::parse("cust_a").unwrap();
        report.add(&id, Ok(Answer::Noted));
        report.add(&id, Ok(Answer::Noted));
        report.add(&id, Ok(Answer::Is(Standing::Erased)));
        report.add(&id, Err(Error::new(Code::KeyUnavailable, "x")));
        assert_eq!(
            Value::Object(report.told()),
            json!({"wrapped": 2, "gone": 1, "failed": 1})
        );
        let page: Value = serde_json::from_slice(&report.page(&[], false, &keys()).unwrap()).unwrap();
        assert_eq!(
            page,
            json!({"wrapped": 2, "gone": 1, "failed": [{"customerId": "cust_a", "code": "key_unavailable"}], "next": null})
        );
    }
}
