//! Who may have an e-mail: one id at a time. A claim is taken by whoever comes first and given back by its holder
//! alone, or by somebody whom the holder told that it does not want it.

use crate::email::EmailIndex;
use crate::error::{Error, Result};
use crate::sql::{Row, Sql};
use crate::types::CustomerId;
use serde::{Deserialize, Serialize};

/// Who holds an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claim {
    /// The id that may have it, whether there is such a customer already or not.
    pub holder: CustomerId,
    /// The holder's own count of the times that it claimed an e-mail, which begins with
    /// [`CREATED`](crate::customer::account::CREATED).
    pub attempt: i64,
}

impl Claim {
    fn from_row(row: &Row) -> Result<Self> {
        let holder = CustomerId::parse(row.text(0)?);
        Ok(Self {
            holder: holder.ok_or_else(|| Error::fault("a stored holder is malformed"))?,
            attempt: row.integer(1)?,
        })
    }
}

/// Who holds it.
///
/// # Errors
/// `internal_error` from the engine.
pub fn look(sql: &dyn Sql, index: &EmailIndex) -> Result<Option<Claim>> {
    let rows = sql.exec(
        "SELECT holder, attempt FROM claims WHERE email_index = ?",
        &[index.as_bytes().as_slice().into()],
    )?;
    rows.first().map(Claim::from_row).transpose()
}

/// Takes it for `candidate` if nobody holds it, and says who holds it then. The holder itself renews its claim under
/// the higher attempt.
///
/// # Errors
/// `internal_error` from the engine.
pub fn claim(sql: &dyn Sql, index: &EmailIndex, candidate: &CustomerId, attempt: i64) -> Result<Claim> {
    let claim = match look(sql, index)? {
        Some(claim) if claim.holder != *candidate || claim.attempt >= attempt => return Ok(claim),
        _ => Claim {
            holder: candidate.clone(),
            attempt,
        },
    };
    sql.exec(
        "INSERT INTO claims (email_index, holder, attempt) VALUES (?, ?, ?) \
         ON CONFLICT (email_index) DO UPDATE SET attempt = excluded.attempt",
        &[
            index.as_bytes().as_slice().into(),
            claim.holder.as_str().into(),
            claim.attempt.into(),
        ],
    )?;
    Ok(claim)
}

/// Gives it back, unless somebody else holds it or the holder has claimed it again since.
///
/// # Errors
/// `internal_error` from the engine.
pub fn release(sql: &dyn Sql, index: &EmailIndex, holder: &CustomerId, attempt: i64) -> Result<()> {
    sql.exec(
        "DELETE FROM claims WHERE email_index = ? AND holder = ? AND attempt <= ?",
        &[
            index.as_bytes().as_slice().into(),
            holder.as_str().into(),
            attempt.into(),
        ],
    )?;
    Ok(())
}
