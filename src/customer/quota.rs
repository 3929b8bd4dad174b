//! The limits of one customer as they are in force, and what has been spent of them.

use crate::customer::api_keys::{KeyRecord, Keys};
use crate::customer::limits::policy::list_from_stored;
use crate::customer::limits::{Charge, Consume, Limiter, Outcome, Policy, QuotaUnit};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::sql::{Sql, Value};
use crate::types::Timestamp;

/// Largest state that rides in an audit entry, in bytes; two dozen policies fit, many leases do not.
const MAX_RIDING_BYTES: usize = 256;

/// The policies and their state.
#[derive(Debug)]
pub struct Quota {
    plan: Vec<Policy>,
    /// What an administrator set: in place of the plan's policy of that name, or beside the plan.
    own: Vec<Policy>,
    limiter: Limiter,
    /// Whether the state stands in its own table.
    is_apart: bool,
}

impl Quota {
    /// Reads it.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or what is stored is unreadable: never a state in which nothing is spent.
    pub fn load(sql: &dyn Sql, plan: &[Policy]) -> Result<Self> {
        let own = sql.exec("SELECT policies FROM limits WHERE one = 1", &[])?;
        let own = own
            .first()
            .map(|row| list_from_stored(row.text(0)?.as_bytes()))
            .transpose()?
            .unwrap_or_default();
        let apart = sql.exec("SELECT state FROM limiter WHERE one = 1", &[])?;
        let riding = sql.exec("SELECT limiter FROM audit ORDER BY seq DESC LIMIT 1", &[])?;
        let state = match (apart.first(), riding.first().map(|row| row.0.first())) {
            (_, Some(Some(Value::Blob(state)))) => Some(state.as_slice()),
            (Some(row), _) => Some(row.blob(0)?),
            _ => None,
        };
        let limiter = state.map(Limiter::decode).transpose()?.unwrap_or_default();
        Ok(Self {
            plan: plan.to_vec(),
            own,
            limiter,
            is_apart: !apart.is_empty(),
        })
    }

    /// What an administrator set.
    #[must_use]
    pub fn own(&self) -> &[Policy] {
        &self.own
    }

    /// Every policy of the customer: the plan's, some in the administrator's form, and the administrator's further
    /// ones.
    #[must_use]
    pub fn effective(&self) -> Vec<Policy> {
        let mut policies = self.charged();
        let beside = self
            .own
            .iter()
            .filter(|own| !self.plan.iter().any(|plan| plan.name() == own.name()));
        policies.extend(beside.cloned());
        policies
    }

    /// The policies that every request is charged to.
    fn charged(&self) -> Vec<Policy> {
        let in_force = |plan: &Policy| {
            let own = self.own.iter().find(|own| own.name() == plan.name());
            own.unwrap_or(plan).clone()
        };
        self.plan
            .iter()
            .map(in_force)
            .filter(|policy| policy.unit() == QuotaUnit::Requests)
            .collect()
    }

    /// Charges one request to the plan's policies, and to the key's own.
    ///
    /// # Errors
    /// `internal_error`, with nothing spent.
    pub fn charge(
        &mut self,
        key: Option<&KeyRecord>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Outcome> {
        let mut policies = self.charged();
        policies.extend(key.and_then(key_policy));
        let charges: Vec<_> = policies.iter().map(|policy| Charge { policy, cost: 1 }).collect();
        self.limiter.check(&charges, now, entropy)
    }

    /// Spends what an integration asks for.
    ///
    /// # Errors
    /// `validation_failed` for a policy that does not exist, or `internal_error`; nothing is spent.
    pub fn consume(
        &mut self,
        wanted: &Consume,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Outcome> {
        let policies = self.effective();
        self.limiter.check(&wanted.charges(&policies)?, now, entropy)
    }

    /// Gives a lease back; one that is unknown or has lapsed is no fault.
    pub fn release(&mut self, lease: crate::customer::limits::LeaseId, now: Timestamp) {
        self.limiter.release(lease, now);
    }

    /// What is left of every policy of the customer.
    ///
    /// # Errors
    /// `internal_error`.
    pub fn standing(&mut self, now: Timestamp) -> Result<Vec<crate::customer::limits::PolicyOutcome>> {
        let policies = self.effective();
        self.limiter.usage(&policies, now)
    }

    /// Makes the policies that are in force the only ones of which anything is remembered. To be called after waking
    /// up, since a deployment may have changed the plans, and whenever policies or keys have changed.
    ///
    /// # Errors
    /// `internal_error`.
    pub fn adopt(&mut self, keys: &Keys, now: Timestamp) -> Result<()> {
        let mut all = self.effective();
        all.extend(keys.iter().filter(|key| key.is_live(now)).filter_map(key_policy));
        self.limiter.adopt(&all, now)
    }

    /// Sets what differs from the plan. What was spent of a policy stays spent.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn set_own(&mut self, sql: &dyn Sql, own: Vec<Policy>, keys: &Keys, now: Timestamp) -> Result<()> {
        let stored = serde_json::to_string(&own).map_err(|_| Error::fault("policies do not serialise"))?;
        sql.exec(
            "INSERT OR REPLACE INTO limits (one, policies) VALUES (1, ?)",
            &[stored.into()],
        )?;
        self.own = own;
        self.adopt(keys, now)
    }

    /// Takes over the policies of another plan. What was spent of a policy of the same name stays spent.
    ///
    /// # Errors
    /// `internal_error`.
    pub fn set_plan(&mut self, plan: &[Policy], keys: &Keys, now: Timestamp) -> Result<()> {
        self.plan = plan.to_vec();
        self.adopt(keys, now)
    }

    /// The state to be stored with the request's audit entry. A large one is written to its own table instead.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn store(&mut self, sql: &dyn Sql, now: Timestamp) -> Result<Option<Vec<u8>>> {
        // Brought to now, so that the bytes do not depend on whether the object has slept meanwhile.
        self.limiter.usage(&[], now)?;
        let state = self.limiter.encode();
        if state.len() <= MAX_RIDING_BYTES {
            if self.is_apart {
                sql.exec("DELETE FROM limiter", &[])?;
                self.is_apart = false;
            }
            return Ok(Some(state));
        }
        sql.exec(
            "INSERT OR REPLACE INTO limiter (one, state) VALUES (1, ?)",
            &[state.into()],
        )?;
        self.is_apart = true;
        Ok(None)
    }
}

/// The policy that an API key has of its own, under a name that no other has.
fn key_policy(key: &KeyRecord) -> Option<Policy> {
    let id = key.key_id.as_str();
    let tail = id.get(id.len().saturating_sub(12)..)?;
    let limit = key.limit?;
    Policy::requests(
        &format!("key-{tail}"),
        u64::try_from(limit.q).ok()?,
        u64::try_from(limit.w).ok()?,
        None,
    )
}
