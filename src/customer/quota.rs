//! The limits of one customer as they are in force, and what has been spent of them.

use crate::customer::api_keys::{KeyRecord, Keys};
use crate::customer::limits::policy::{KEY_PREFIX, list_from_stored, within_plan};
use crate::customer::limits::{Charge, Consume, LeaseId, Limiter, Outcome, Policy, QuotaUnit, Reserve};
use crate::entropy::Entropy;
use crate::error::{Error, Fault, Result};
use crate::order;
use crate::sql::{Sql, Value};
use crate::types::{KeyId, Timestamp};

/// Largest state that rides in an audit entry, in bytes; two dozen policies fit, many leases do not.
const MAX_RIDING_BYTES: usize = 256;

/// The policies and their state.
#[derive(Debug)]
pub struct Quota {
    plan: Vec<Policy>,
    /// What an administrator set: in place of the plan's policy of that name, or beside the plan.
    own: Vec<Policy>,
    /// What the customer set, beside all of these.
    by_customer: Vec<Policy>,
    /// Of each key that works and has a limit: the policy of its family.
    keys: order::Map<KeyId, Policy>,
    limiter: Limiter,
    /// Up to which moment the stored state is.
    stored_at: Timestamp,
    /// Whether the state stands in its own table.
    is_apart: bool,
}

impl Quota {
    /// Reads it.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or what is stored is unreadable: never a state in which nothing is spent.
    pub fn load(sql: &dyn Sql, plan: &[Policy]) -> Result<Self> {
        let lists = sql.exec("SELECT policies, by_customer FROM limits WHERE one = 1", &[])?;
        let list = |column: usize| match lists.first() {
            Some(row) => list_from_stored(row.text(column)?.as_bytes()),
            None => Ok(Vec::new()),
        };
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
            own: list(0)?,
            by_customer: list(1)?,
            keys: order::Map::new(),
            stored_at: limiter.at(),
            limiter,
            is_apart: !apart.is_empty(),
        })
    }

    /// What an administrator set.
    #[must_use]
    pub fn own(&self) -> &[Policy] {
        &self.own
    }

    /// What the customer set, in force or not.
    #[must_use]
    pub fn by_customer(&self) -> &[Policy] {
        &self.by_customer
    }

    /// Every policy of the customer: the plan's, some in the administrator's form, the administrator's further
    /// ones, and the customer's.
    #[must_use]
    pub fn effective(&self) -> Vec<Policy> {
        let mut policies = self.granted();
        let beside = self
            .own
            .iter()
            .filter(|own| !self.plan.iter().any(|plan| plan.name() == own.name()));
        policies.extend(beside.cloned());
        let bounds = self.granted();
        let fits = |policy: &&Policy| self.check_bounds(std::slice::from_ref(policy), &bounds).is_ok();
        policies.extend(self.by_customer.iter().filter(fits).cloned());
        policies
    }

    /// The plan's policies, some of them in the administrator's form.
    fn granted(&self) -> Vec<Policy> {
        let in_force = |plan: &Policy| {
            let own = self.own.iter().find(|own| own.name() == plan.name());
            own.unwrap_or(plan).clone()
        };
        self.plan.iter().map(in_force).collect()
    }

    /// The policies that every request is charged to.
    fn charged(&self) -> Vec<Policy> {
        let mut granted = self.granted();
        granted.retain(|policy| policy.unit() == QuotaUnit::Requests);
        granted
    }

    /// Whether a customer may have policies of its own like these, beside what it is granted.
    fn check_bounds(&self, wanted: &[Policy], granted: &[Policy]) -> Result<()> {
        let mut faults = match within_plan(wanted, granted) {
            Ok(()) => Vec::new(),
            Err(error) => error.faults.clone(),
        };
        for (index, policy) in wanted.iter().enumerate() {
            let is_granted = granted.iter().any(|other| other.name() == policy.name());
            if !is_granted && self.own.iter().any(|own| own.name() == policy.name()) {
                faults.push(Fault {
                    pointer: format!("#/{index}/name"),
                    detail: "A policy that an administrator set has this name.".into(),
                });
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::validation(faults))
        }
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
        policies.extend(key.and_then(|key| match self.keys.get(&key.key_id) {
            Some(policy) => Some(policy.clone()),
            None => key_policy(key, &key.key_id),
        }));
        let charges: Vec<_> = policies.iter().map(|policy| Charge { policy, cost: 1 }).collect();
        self.limiter.check(&charges, now, entropy)
    }

    /// Charges one request to a reserve alone.
    ///
    /// # Errors
    /// `internal_error`, with nothing spent.
    pub fn draw(&mut self, from: Reserve, now: Timestamp, entropy: &mut dyn Entropy) -> Result<Outcome> {
        let policy = &from.policy()?;
        self.limiter.check(&[Charge { policy, cost: 1 }], now, entropy)
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

    /// Gives a lease back; false, and no fault, if it is unknown or has lapsed.
    pub fn release(&mut self, lease: LeaseId, now: Timestamp) -> bool {
        self.limiter.release(lease, now)
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
        self.keys = families(keys, now);
        let mut all = self.effective();
        for policy in self.keys.values() {
            if !all.iter().any(|known| known.name() == policy.name()) {
                all.push(policy.clone());
            }
        }
        for reserve in Reserve::ALL {
            all.push(reserve.policy()?);
        }
        self.limiter.adopt(&all, now)
    }

    /// Sets what differs from the plan. What was spent of a policy stays spent.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn set_own(&mut self, sql: &dyn Sql, own: Vec<Policy>, keys: &Keys, now: Timestamp) -> Result<()> {
        store_lists(sql, &own, &self.by_customer)?;
        self.own = own;
        self.adopt(keys, now)
    }

    /// Sets the customer's own policies, which may allow no more than what it is granted.
    ///
    /// # Errors
    /// `validation_failed` with a pointer to every policy that goes beyond, or `internal_error` from the engine.
    pub fn set_by_customer(
        &mut self,
        sql: &dyn Sql,
        wanted: Vec<Policy>,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<()> {
        self.check_bounds(&wanted, &self.granted())?;
        store_lists(sql, &self.own, &wanted)?;
        self.by_customer = wanted;
        self.adopt(keys, now)
    }

    /// Whether the clock shows an earlier moment than the stored state. Such a state must be stored anew, even for
    /// a request that leaves no trace else: after a restart the time up to the stored moment would restore nothing,
    /// and whoever waited as told would be refused again.
    #[must_use]
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        now < self.stored_at
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
        self.stored_at = now;
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

fn store_lists(sql: &dyn Sql, own: &[Policy], by_customer: &[Policy]) -> Result<()> {
    let text =
        |list: &[Policy]| serde_json::to_string(list).map_err(|_| Error::fault("policies do not serialise"));
    sql.exec(
        "INSERT OR REPLACE INTO limits (one, policies, by_customer) VALUES (1, ?, ?)",
        &[text(own)?.into(), text(by_customer)?.into()],
    )?;
    Ok(())
}

/// The policies of all keys that work and have a limit. A key and those that replaced it are one family with one
/// policy, so that neither a rotation nor its grace hands a limit out twice; the newest says what the limit is.
fn families(keys: &Keys, now: Timestamp) -> order::Map<KeyId, Policy> {
    let replaced: order::Map<_, _> = keys
        .iter()
        .filter_map(|key| Some((&key.key_id, key.rotated_from.as_ref()?)))
        .collect();
    let known: order::Map<_, _> = keys.iter().map(|key| (&key.key_id, ())).collect();
    let first_of = |key: &KeyRecord| {
        let mut first = key.key_id.clone();
        // No chain is longer than there are keys.
        for _ in 0..known.len() {
            match replaced.get(&first).filter(|before| known.contains_key(*before)) {
                Some(before) => first.clone_from(before),
                None => break,
            }
        }
        first
    };
    let mut by_family: order::Map<_, _> = order::Map::new();
    let mut by_key = order::Map::new();
    for key in keys.iter().filter(|key| key.limit.is_some()) {
        let first = first_of(key);
        let policy = by_family
            .entry(first.clone())
            .or_insert_with(|| key_policy(key, &first));
        if let (Some(policy), true) = (policy, key.is_live(now)) {
            by_key.insert(key.key_id.clone(), policy.clone());
        }
    }
    by_key
}

/// The policy that an API key has of its own, under the name of its family, which no other policy can have.
fn key_policy(key: &KeyRecord, family: &KeyId) -> Option<Policy> {
    let id = family.as_str();
    let tail = id.get(id.len().saturating_sub(12)..)?;
    let limit = key.limit?;
    Policy::requests(
        &format!("{KEY_PREFIX}{tail}"),
        u64::try_from(limit.q).ok()?,
        u64::try_from(limit.w).ok()?,
        None,
    )
}
