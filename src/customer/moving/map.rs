//! From what the older records say together to the customer's record.
//!
//! A field that nobody has changed here since it moved in follows the records. One that was changed here is replaced
//! only by something that the records say anew and that they say of a later moment than the last change here. A
//! customer that was made here, and not by an import, is only filled up where it is empty.

use crate::customer::profile::{Plan, Profile, Record};
use crate::customer::status::Status;
use crate::error::Result;
use crate::legacy::Facts;
use crate::legacy::facts::{STATUS, Said, strictness};
use crate::order;
use crate::types::Timestamp;
use serde_json::Value;

/// The fields of a record that the facts make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The status.
    pub status: Status,
    /// The plan.
    pub plan: Plan,
    /// Flags.
    pub features: order::Map<String, bool>,
    /// The personal fields.
    pub profile: Profile,
    /// When it was created, if a record says so.
    pub created_at: Option<Timestamp>,
    /// When it was changed last, if a record says so.
    pub updated_at: Option<Timestamp>,
    /// When somebody was there last, to the hour.
    pub last_seen_at: Option<Timestamp>,
}

/// What the facts come to. A dump's clock does not move ours: what lies ahead of `now` is now.
#[must_use]
pub fn map(facts: &Facts, now: Timestamp) -> Mapped {
    let text = |name| facts.text(name).map(str::to_owned);
    let features = facts.value("features").and_then(Value::as_object);
    let features = features.into_iter().flatten();
    Mapped {
        status: facts
            .text(STATUS)
            .and_then(Status::parse)
            .unwrap_or(Status::Active),
        plan: plan(facts)
            .and_then(|said| said.value.as_str())
            .and_then(Plan::parse)
            .unwrap_or(Plan::Free),
        features: features
            .filter_map(|(name, flag)| Some((name.clone(), flag.as_bool()?)))
            .collect(),
        profile: Profile {
            email: text("email"),
            name: text("name"),
            company_name: text("companyName"),
            display_name: text("displayName"),
            metadata: order::Map::new(),
        },
        created_at: facts.created_at.map(|at| at.min(now)),
        updated_at: facts.updated_at.map(|at| at.min(now)),
        last_seen_at: facts.last_login.map(|at| at.min(now).hour()),
    }
}

/// When the records said what the status is.
#[must_use]
pub fn status_said_at(facts: &Facts, now: Timestamp) -> Option<Timestamp> {
    facts.ours.get(STATUS).map(|said| said.at.min(now))
}

/// Which of `tier` and `plan` counts: the one that was said later, and `tier` where both were said at once.
fn plan(facts: &Facts) -> Option<&Said> {
    match (facts.ours.get("tier"), facts.ours.get("plan")) {
        (Some(tier), Some(plan)) if plan.at > tier.at => Some(plan),
        (tier, plan) => tier.or(plan),
    }
}

/// What was known before, and what is known now.
pub struct Change<'a> {
    /// What the records said when the customer was last moved in; `None` if it was made here.
    pub before: Option<&'a Facts>,
    /// What they say together now.
    pub after: &'a Facts,
    /// The moment.
    pub now: Timestamp,
}

impl Change<'_> {
    /// Takes over into the record what may be taken over, and says whether anything was.
    ///
    /// # Errors
    /// `sealed_data_unreadable`, before anything is changed: what cannot be read is not overwritten.
    pub fn apply(&self, record: &mut Record) -> Result<bool> {
        let old = record.clone();
        let known = record.profile()?.clone();
        let before = self.before.map(|facts| map(facts, self.now));
        let after = map(self.after, self.now);
        let is_new = record.version.number == 1;
        // The e-mail is not among them: it needs its claim, and `account` changes it.
        let of = |pick: fn(&Profile) -> &Option<String>, name: &str| {
            let (old, new) = (pick(&known), pick(&after.profile));
            let was = before.as_ref().and_then(|before| pick(&before.profile).clone());
            self.decide(record, name, old, &was, new).clone()
        };
        let profile = Profile {
            email: known.email.clone(),
            name: of(|profile| &profile.name, "name"),
            company_name: of(|profile| &profile.company_name, "companyName"),
            display_name: of(|profile| &profile.display_name, "displayName"),
            metadata: known.metadata.clone(),
        };
        let features = {
            let was = before.as_ref().map(|before| before.features.clone());
            let was = was.unwrap_or_default();
            self.decide(record, "features", &record.features, &was, &after.features)
                .clone()
        };
        let was = before.as_ref().map_or(Plan::Free, |before| before.plan);
        let is_chosen = before.is_none() && !is_new;
        let plan = match plan(self.after) {
            Some(_) if !is_chosen && record.plan == was => after.plan,
            Some(said) if said.at > record.updated_at && after.plan != was => after.plan,
            _ => record.plan,
        };
        self.apply_status(record, before.as_ref(), &after);
        record.profile = Ok(profile);
        record.features = features;
        record.plan = plan;
        record.created_at = after
            .created_at
            .map_or(record.created_at, |at| at.min(record.created_at));
        record.updated_at = after
            .updated_at
            .map_or(record.updated_at, |at| at.max(record.updated_at));
        record.last_seen_at = record.last_seen_at.max(after.last_seen_at);
        Ok(*record != old)
    }

    /// The e-mail that the customer should have: another one than it has only by the same rule.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn email(&self, record: &Record) -> Result<Option<String>> {
        let before = self
            .before
            .and_then(|facts| facts.text("email"))
            .map(str::to_owned);
        let after = self.after.text("email").map(str::to_owned);
        let current = &record.profile()?.email;
        Ok(self.decide(record, "email", current, &before, &after).clone())
    }

    fn decide<'v, T: PartialEq + Default>(
        &self,
        record: &Record,
        name: &str,
        current: &'v T,
        before: &T,
        after: &'v T,
    ) -> &'v T {
        let is_newer = self
            .after
            .ours
            .get(name)
            .is_some_and(|said| said.at > record.updated_at);
        // What came with the last import is untouched; so is what is empty in a customer that was made here.
        if current == before || is_newer && after != before {
            after
        } else {
            current
        }
    }

    /// A status only becomes stricter, or, while nobody has touched it here, what its records say of it.
    fn apply_status(&self, record: &mut Record, before: Option<&Mapped>, after: &Mapped) {
        let strict = |status: Status| strictness(&Value::from(status.as_str()));
        let is_untouched = match before {
            Some(before) => record.status == before.status && record.status_reason == Ok(None),
            // Made here by a sign-in: nobody has decided on its status yet.
            None => record.status_changed_at == record.created_at,
        };
        let said = self.after.ours.get(STATUS);
        let at = match said {
            Some(said) => said.at.min(self.now),
            None => after.created_at.unwrap_or(record.status_changed_at),
        };
        let is_newer =
            at > record.status_changed_at && before.is_none_or(|before| before.status != after.status);
        let is_stricter = strict(after.status) > strict(record.status);
        // What the records say together is never less strict than what they said before.
        if before.is_some() && is_untouched || is_stricter && (is_untouched || is_newer) {
            record.status = after.status;
            record.status_changed_at = at;
        }
    }
}
