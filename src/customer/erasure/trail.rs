//! Where the older service's store may have records of an erased customer, as its own rows tell, which stay sealed
//! until that store is done with. The key to them is in memory for this alone.

use super::run;
use super::{Erased, Erasure};
use crate::crypto::{Column, FieldKeys};
use crate::customer::Customer;
use crate::customer::moving;
use crate::customer::profile::{Profile, ROW};
use crate::error::{Code, Error, Result};
use crate::legacy::owned::{Position, Trail};
use crate::sql::Sql;
use crate::vault::Held;

impl Customer {
    /// Where to look in the older service's store, and how far that is already. `held` is what the vault has: a key that
    /// is lost keeps nobody from being erased, and the certificate will say what could not be looked for.
    ///
    /// # Errors
    /// Only faults.
    pub fn legacy_trail(&self, sql: &dyn Sql, held: &Held) -> Result<(Trail, Position)> {
        let mut trail = Trail::new(&self.id);
        let erased = Erasure::load(sql)?.and_then(|erasure| erasure.erased);
        let Some(Erased { progress, .. }) = erased else {
            return Err(Error::fault("the customer is not erased"));
        };
        let is_whole = match self.last_key(held) {
            Ok(fields) => {
                let is_whole = follow_profile(sql, &fields, &mut trail)?;
                moving::trail::follow(sql, &fields, &mut trail)? && is_whole
            }
            Err(error) if error.code == Code::KeyUnavailable => false,
            Err(error) => return Err(error),
        };
        if !is_whole {
            run::is_blind(sql, &progress)?;
        }
        Ok((trail, progress.way))
    }

    fn last_key(&self, held: &Held) -> Result<FieldKeys> {
        let lost = || crate::crypto::dek::unavailable("the vault is empty");
        let wrapped = held.wrapped.as_ref().ok_or_else(lost)?;
        let (dek, _) = self.config.master_keys.unwrap(&self.id, wrapped)?;
        FieldKeys::derive(&self.id, &dek)
    }
}

/// The address and the name that the customer had last. False if they cannot be read.
fn follow_profile(sql: &dyn Sql, fields: &FieldKeys, trail: &mut Trail) -> Result<bool> {
    let rows = sql.exec("SELECT profile FROM erasure WHERE one = 1", &[])?;
    let Some(sealed) = rows.first().map(|row| row.blob_or_null(0)).transpose()?.flatten() else {
        return Ok(true);
    };
    let profile: Profile = match fields.open_json(Column::CustomerProfile, ROW, sealed) {
        Err(error) if error.code == Code::SealedDataUnreadable => return Ok(false),
        opened => opened?,
    };
    if let Some(email) = &profile.email {
        trail.email(email);
    }
    if let Some(name) = &profile.display_name {
        trail.display_name(name);
    }
    Ok(true)
}
