//! How a customer's object comes by its data key, which its vault holds: what it must ask before it can decide, and
//! what it makes of the answer. Pure; whoever holds the object carries the errands between the two.
//!
//! 1. A key is made only for a customer that is about to be made, while there is no row; the decision itself looks
//!    again. A creation that ended between vault and row leaves a key that the next one finds and uses, or replaces
//!    where its master key is gone.
//! 2. Whoever exists is asked for by [`Errand::Look`]; the key must have the fingerprint that stands in the row. A
//!    vault that is empty or holds another key is 503 `key_unavailable`, and never a new key: it would seal what is
//!    written from now on, and hide that all before is lost.
//! 3. Where there is no customer, or an erased one, no vault is asked.
//! 4. No decision on a customer is made without the key, but for [`Customer::decides_without_key`]:
//!    [`Turn`](crate::customer::turn::Turn) has no other way to its fields. So it does no harm that other requests
//!    arrive while the vault is asked.
//! 5. A key that is wrapped under an older master key is wrapped anew. That this fails is no reason to refuse: the
//!    next wake-up tries again.

use crate::crypto::FieldKeys;
use crate::crypto::dek::unavailable;
use crate::customer::Customer;
use crate::customer::command::Command;
use crate::customer::request::Request;
use crate::customer::status::Status;
use crate::entropy::{Entropy, random};
use crate::error::{Code, Result};
use crate::sql::{Sql, is_initialised};
use crate::vault::{Errand, Held};

/// Whose key it is, as far as the row tells.
enum Owner {
    /// There is no customer.
    Nobody,
    /// There was one.
    Erased,
    /// A customer whose key has this fingerprint.
    Customer(Vec<u8>),
}

impl Customer {
    /// Whether the key is in memory.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.fields.is_some()
    }

    /// What must be asked of the vault before the next decision; `None` if nothing. `creates` says that the decision
    /// may make the customer.
    ///
    /// # Errors
    /// Only faults.
    pub fn key_errand(
        &self,
        sql: &dyn Sql,
        creates: bool,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<Errand>> {
        if self.has_key() {
            return Ok(None);
        }
        match owner(sql)? {
            Owner::Customer(_) => Ok(Some(Errand::Look)),
            Owner::Nobody if creates => {
                let minted = self.config.master_keys.mint(&self.id, entropy)?;
                Ok(Some(Errand::Create(minted)))
            }
            Owner::Nobody | Owner::Erased => Ok(None),
        }
    }

    /// Whether this request is decided although the vault has no key, or none that fits: what an administrator has to
    /// say of the erasure. Who lost the key cannot undo it, and the person's right to be erased does not depend on
    /// it. The log gets its entry without a detail.
    #[must_use]
    pub const fn decides_without_key(&self, request: &Request) -> bool {
        self.is_key_lost
            && request.as_admin
            // What is answered to a repetition is sealed.
            && request.repeat.is_none()
            && matches!(
                request.command,
                Command::RequestErasure(_) | Command::WithdrawErasure | Command::ReadErasure
            )
    }

    /// Takes in what the vault answered; returns what to ask next, if anything.
    ///
    /// # Errors
    /// `key_unavailable` if it is not the key of this customer, or a fault.
    pub fn key_answer(
        &mut self,
        sql: &dyn Sql,
        held: &Held,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<Errand>> {
        let had_key = self.has_key();
        let next = self.take_key(sql, held, entropy);
        self.is_key_lost = next
            .as_ref()
            .is_err_and(|error| error.code == Code::KeyUnavailable);
        if self.has_key() && !had_key {
            // What was read without it has no API keys.
            self.memory = None;
        }
        next
    }

    fn take_key(&mut self, sql: &dyn Sql, held: &Held, entropy: &mut dyn Entropy) -> Result<Option<Errand>> {
        if self.has_key() {
            return Ok(None);
        }
        let owner = owner(sql)?;
        if matches!(owner, Owner::Erased) {
            return Ok(None);
        }
        let wrapped = held
            .wrapped
            .as_ref()
            .ok_or_else(|| unavailable("the vault is empty"))?;
        let unwrapped = self.config.master_keys.unwrap(&self.id, wrapped);
        if unwrapped.is_err() && matches!(owner, Owner::Nobody) {
            // Left by a creation that ended before its row, under a master key that is gone since: nothing was ever
            // sealed under it.
            return Ok(Some(Errand::Rewrap {
                from: wrapped.clone(),
                to: self.config.master_keys.mint(&self.id, entropy)?,
            }));
        }
        let (dek, is_current) = unwrapped?;
        let fields = FieldKeys::derive(&self.id, &dek)?;
        if let Owner::Customer(fingerprint) = &owner {
            verify(&fields, fingerprint)?;
        }
        self.fields = Some(fields);
        if is_current {
            return Ok(None);
        }
        let anew = self.config.master_keys.wrap(&self.id, &dek, random(entropy)?)?;
        Ok(Some(Errand::Rewrap {
            from: wrapped.clone(),
            to: anew,
        }))
    }

    /// What must be asked of the vault so that the key is wrapped under the active master key, given what it holds;
    /// `None` if it is, or if there is no customer.
    ///
    /// # Errors
    /// `key_unavailable` if it is not the key of this customer, or a fault.
    pub fn renewal(&self, sql: &dyn Sql, held: &Held, entropy: &mut dyn Entropy) -> Result<Option<Errand>> {
        let Owner::Customer(fingerprint) = owner(sql)? else {
            return Ok(None);
        };
        let wrapped = held
            .wrapped
            .as_ref()
            .ok_or_else(|| unavailable("the vault is empty"))?;
        let (dek, is_current) = self.config.master_keys.unwrap(&self.id, wrapped)?;
        verify(&FieldKeys::derive(&self.id, &dek)?, &fingerprint)?;
        if is_current {
            return Ok(None);
        }
        let anew = self.config.master_keys.wrap(&self.id, &dek, random(entropy)?)?;
        Ok(Some(Errand::Rewrap {
            from: wrapped.clone(),
            to: anew,
        }))
    }

    /// Forgets the key, so that the next decision asks the vault again.
    pub fn forget_key(&mut self) {
        self.fields = None;
        self.memory = None;
    }
}

/// Whether these are the keys of the customer whose row has that fingerprint.
///
/// # Errors
/// `key_unavailable` if they are another's.
pub(super) fn verify(fields: &FieldKeys, fingerprint: &[u8]) -> Result<()> {
    if fields.fingerprint().as_bytes() == fingerprint {
        return Ok(());
    }
    Err(unavailable(
        "the vault holds another key than the data was sealed under",
    ))
}

fn owner(sql: &dyn Sql) -> Result<Owner> {
    if !is_initialised(sql)? {
        return Ok(Owner::Nobody);
    }
    let rows = sql.exec("SELECT status, key_fingerprint FROM customer WHERE one = 1", &[])?;
    let Some(row) = rows.first() else {
        return Ok(Owner::Nobody);
    };
    if Status::parse(row.text(0)?) == Some(Status::Erased) {
        return Ok(Owner::Erased);
    }
    Ok(Owner::Customer(row.blob(1)?.to_vec()))
}
