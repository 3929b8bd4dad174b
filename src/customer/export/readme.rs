//! `README.txt` of an export, for somebody who has never heard of this service.

use crate::types::{CustomerId, Timestamp};

/// The text. Lines end as every system's editor can show them.
#[must_use]
pub fn text(customer_id: &CustomerId, made_at: Timestamp, entries: i64, is_for_operator: bool) -> Vec<u8> {
    let note = if is_for_operator {
        "It was made for the operator of the service and holds the details of every entry."
    } else {
        "Entries of the operator's staff and of its other services are in the log, without their details: where \
         those people and machines were is not the customer's data. GET /customer/me/audit shows what they changed."
    };
    format!(
        "\
Your data
=========

This archive holds what the service keeps about the customer
{customer_id}, as it was at {made_at} (UTC).

customer.json      the customer: names, e-mail, plan, status, metadata
users.json         the people who sign in for this customer
preferences.json   their preferences
api-keys.json      the customer's API keys: names, scopes, dates; never the keys themselves
limits.json        the rate limits that hold for the customer
legacy.json        what came along from an older service and has no place of its own here
audit.csv          the audit log for a spreadsheet: who did what, when; one line an entry
audit.ndjson       the same log for a program, with what proves it; {entries} entries
manifest.json      what is in this archive: sizes and SHA-256 digests of the files above
manifest.json.sig  the service's signature of the manifest

All text is UTF-8. In audit.csv an apostrophe stands in front of a value that a spreadsheet could take for a
formula. Details of old entries are no longer kept; their entries stay.

What the service could not open, because it is damaged, is empty here (null) and named under \"unreadable\" beside it;
in audit.csv the column \"details\" says so. manifest.json counts how many there are.

{note}

How to check that nothing was changed
-------------------------------------

With the service's companion program and its public keys (https://<the service>/.well-known/jwks.json):

    user-api verify <this archive> --jwks keys.json

It says which file or which entry is wrong, if one is.
",
        made_at = made_at.to_rfc3339(),
    )
    .replace('\n', "\r\n")
    .into_bytes()
}
