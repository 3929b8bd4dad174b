//! `POST /internal/rewrap`: has a page of customers' objects wrap their keys under the active master key.

use crate::customer::errand::{self as customer, By};
use crate::edge::reply::{Answer, Caching};
use crate::edge::{customers, rewrap};
use crate::error::Result;
use crate::operator::errand::Act;
use crate::shell::admin::{MAX_PARALLEL, note, pages};
use crate::shell::host::Site;
use crate::shell::object;
use futures_util::{StreamExt, stream};
use worker::Env;

/// One page: who could not be done is told and does not stop the others.
///
/// # Errors
/// What is wrong with the body, or `unavailable` where the list cannot be read or the page not be noted.
pub async fn page(env: &Env, site: &Site, by: &By, body: &[u8]) -> Result<Answer> {
    let index = &site.customers.index;
    let asked = rewrap::parse(body, index)?;
    let listed = pages(env, &site.settings, &asked.shard).await?;
    let (rows, has_more) = customers::merge(listed, asked.limit);
    let deadline_ms = site.settings.object_deadline_ms;
    let answers: Vec<_> = stream::iter(&rows)
        .map(|row| async move {
            let errand = customer::Errand {
                customer: row.customer_id.clone(),
                what: customer::What::Rewrap,
            };
            (
                &row.customer_id,
                object::ask_customer(env, &errand, deadline_ms).await,
            )
        })
        .buffered(MAX_PARALLEL)
        .collect()
        .await;
    let mut report = rewrap::Report::default();
    for (customer, answer) in answers {
        report.add(customer, answer);
    }
    note(env, site, by, Act::Rewrap, None, report.told()).await?;
    let body = report.page(&rows, has_more, index)?;
    Ok(Answer::document(200, "application/json", body, Caching::Never))
}
