//! Carrying out one command for a caller that may give it. Every refusal leaves before anything is written.

use crate::caller::{Caller, User};
use crate::customer::account::{self, Prepared};
use crate::customer::admin_edit::{AdminEdit, Edited};
use crate::customer::command::Command;
use crate::customer::entry::changes;
use crate::customer::limits::Policy;
use crate::customer::memory::Memory;
use crate::customer::preferences::{self, PreferencesEdit};
use crate::customer::profile::Record;
use crate::customer::request::{Reply, Request};
use crate::customer::status::{By, StatusEdit, StatusOperation};
use crate::customer::tokens::Target;
use crate::customer::turn::Turn;
use crate::customer::usage;
use crate::customer::users::{self, UserEdit, UserRecord};
use crate::email::Email;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::types::{Condition, CustomerId, Timestamp, Version, serialize_rfc3339, serialize_rfc3339_option};
use serde::Serialize;
use serde_json::{Map, Value, json};

mod audit;
pub use audit::execute as read_log;
mod erasure;
mod export;
mod keys;

/// What carrying out a command came to, and what the log is to say of it beyond the usual.
pub struct Done {
    /// The answer.
    pub reply: Reply,
    /// The fields that changed, with before and after.
    pub changed: Map<String, Value>,
}

/// Carries out the command.
///
/// # Errors
/// A refusal that has written nothing, or a fault.
pub fn execute(turn: &mut Turn<'_>, memory: &mut Memory, request: &Request) -> Result<Done> {
    let condition = &request.condition;
    match &request.command {
        Command::Create(_) if matches!(request.caller, Caller::Service(_)) => {
            Ok(Done::read(created(turn.id, false)?))
        }
        Command::ReadCustomer => Done::versioned(condition, &memory.record.version, || {
            memory.record.to_json(turn.id)
        }),
        Command::ReadStatus => Done::versioned(condition, &memory.record.version, || {
            json::to_bytes(&memory.record.status_view()?)
        }),
        Command::WriteCustomer(edit) => {
            let profile = memory
                .record
                .profile()
                .and_then(|before| edit.clone().apply(before));
            write_customer(turn, memory, condition, |record| {
                Ok(Edited {
                    plan: record.plan,
                    features: record.features.clone(),
                    profile: profile?,
                })
            })
        }
        Command::EditCustomer(edit) => edit_customer(turn, memory, request, edit),
        Command::SetStatus(edit) => set_status(turn, memory, condition, edit),
        Command::ReadUsage => read_usage(turn, memory),
        Command::RevokeTokens(target) => {
            // A token may have been issued before the clock went back. One that is named must stay dead as long as
            // it may live, so no moment before the log's last is believed; what was issued "before now" is a matter
            // of the clock as it is.
            let at = match target {
                Target::Jti(_) => turn.now.max(memory.head.at),
                Target::All | Target::NotBefore(_) => turn.now,
            };
            memory.revocations.revoke(turn.sql, target, &request.caller, at)?;
            Ok(Done::read(Reply::Done))
        }
        Command::ReadLimits => limits(memory, request.as_admin),
        Command::ListAudit(_) | Command::ReadAudit(_) | Command::ReadAuditHead(_) => {
            audit::execute(turn, memory, request)
        }
        Command::RequestErasure(_) | Command::WithdrawErasure | Command::ReadErasure => {
            erasure::execute(turn, memory, request)
        }
        Command::Export => export::execute(turn, memory, request),
        Command::WriteLimits(policies) => write_limits(turn, memory, policies),
        Command::WriteOwnLimits(policies) => write_own_limits(turn, memory, policies),
        Command::Invalid { error, .. } => Err(error.clone()),
        _ => match &request.caller {
            Caller::User(user) if !request.as_admin => execute_for_user(turn, memory, request, user),
            _ => Err(Error::new(Code::Forbidden, Code::Forbidden.title())),
        },
    }
}

/// The commands that only a user of the customer gives.
fn execute_for_user(
    turn: &mut Turn<'_>,
    memory: &mut Memory,
    request: &Request,
    user: &User,
) -> Result<Done> {
    let condition = &request.condition;
    match &request.command {
        Command::ReadSession => session(turn, memory, user),
        Command::ReadUser => {
            let record = UserRecord::load(turn.sql, turn.fields()?, memory.user_id(user)?)?;
            let version = record.version(&memory.record.version.incarnation);
            Done::versioned(condition, &version, || record.to_json(turn.id))
        }
        Command::WriteUser(edit) => write_user(turn, memory, condition, edit, user),
        Command::ReadPreferences => {
            let user_id = memory.user_id(user)?;
            let (preferences, number) = preferences::load(turn.sql, turn.fields()?, user_id)?;
            let version = users::version(&memory.record.version.incarnation, user_id, number);
            Done::versioned(condition, &version, || json::to_bytes(&preferences))
        }
        Command::WritePreferences(edit) => write_preferences(turn, memory, condition, edit, user),
        _ => keys::execute(turn, memory, request),
    }
}

fn read_usage(turn: &Turn<'_>, memory: &mut Memory) -> Result<Done> {
    let standing = memory.quota.standing(turn.now)?;
    let policies: Vec<_> = standing
        .iter()
        .map(|policy| usage::policy(policy, turn.now))
        .collect();
    let counts = usage::summary(&memory.counters.totals(turn.sql)?, turn.now);
    shown(&json!({
        "policies": policies, "today": counts.today, "last30Days": counts.last_30_days,
    }))
}

fn limits(memory: &Memory, as_admin: bool) -> Result<Done> {
    let quota = &memory.quota;
    if as_admin {
        return shown(&json!({
            "policies": quota.effective(), "own": quota.own(), "byCustomer": quota.by_customer(),
        }));
    }
    shown(&json!({"policies": quota.effective(), "own": quota.by_customer()}))
}

fn write_limits(turn: &Turn<'_>, memory: &mut Memory, policies: &[Policy]) -> Result<Done> {
    let before = json!({"own": memory.quota.own()});
    memory
        .quota
        .set_own(turn.sql, policies.to_vec(), &memory.keys, turn.now)?;
    let changed = changes(&before, &json!({"own": memory.quota.own()}));
    Ok(Done {
        changed,
        ..limits(memory, true)?
    })
}

fn write_own_limits(turn: &Turn<'_>, memory: &mut Memory, policies: &[Policy]) -> Result<Done> {
    let before = json!({"byCustomer": memory.quota.by_customer()});
    memory
        .quota
        .set_by_customer(turn.sql, policies.to_vec(), &memory.keys, turn.now)?;
    let changed = changes(&before, &json!({"byCustomer": memory.quota.by_customer()}));
    Ok(Done {
        changed,
        ..limits(memory, false)?
    })
}

/// An answer that has no version.
fn shown(body: &Value) -> Result<Done> {
    Ok(Done::read(Reply::Content {
        body: json::to_bytes(body)?,
        version: None,
        created: false,
    }))
}

/// Applies an edit, of a user or of an administrator. A new plan's limits hold from the next request on.
fn write_customer(
    turn: &mut Turn<'_>,
    memory: &mut Memory,
    condition: &Condition,
    apply: impl FnOnce(&Record) -> Result<Edited>,
) -> Result<Done> {
    let record = &mut memory.record;
    unchanged_since(condition, &record.version)?;
    let before = logged(record)?;
    let plan = record.plan;
    let edited = apply(record)?;
    record.write(turn.sql, turn.fields()?, edited, turn.now, turn.entropy)?;
    let done = Done {
        changed: changes(&before, &logged(record)?),
        reply: content(record.to_json(turn.id)?, record.version.clone()),
    };
    if record.plan != plan {
        let policies = turn.config.limits.of(record.plan);
        memory.quota.set_plan(policies, &memory.keys, turn.now)?;
        account::relist(turn, memory)?;
    }
    Ok(done)
}

/// An administrator's edit. Another e-mail takes effect only once its claim is held, together with all the rest. So
/// does the one that the customer has already without its claim, as one that moved in may; but a PUT, which may only
/// repeat what was read, goes without it where another customer holds it still.
fn edit_customer(
    turn: &mut Turn<'_>,
    memory: &mut Memory,
    request: &Request,
    edit: &AdminEdit,
) -> Result<Done> {
    let condition = &request.condition;
    let apply = |record: &Record| edit.clone().apply(record);
    let current = memory.record.profile()?.email.clone();
    let email = edit.email.as_deref().and_then(Email::parse);
    let is_kept = edit.email == current;
    let Some(email) = email.filter(|_| !is_kept || !memory.account.email_claimed) else {
        return write_customer(turn, memory, condition, apply);
    };
    // Everything else is checked before the first word about the e-mail is written.
    unchanged_since(condition, &memory.record.version)?;
    apply(&memory.record)?;
    match account::prepare(turn, memory, &email, request.claimed.as_ref()) {
        Ok(Prepared::Keep) => write_customer(turn, memory, condition, apply),
        Ok(Prepared::Wait(wanted)) => Ok(Done::read(Reply::Claim(wanted))),
        Ok(Prepared::Take(wanted)) => {
            account::take(turn, memory, &wanted)?;
            let mut done = write_customer(turn, memory, condition, apply)?;
            if is_kept {
                let claimed = |is_claimed: bool| json!({"emailClaimed": is_claimed});
                done.changed.extend(changes(&claimed(false), &claimed(true)));
            }
            Ok(done)
        }
        Err(error) if error.code == Code::EmailTaken && is_kept && edit.profile.replaces => {
            write_customer(turn, memory, condition, apply)
        }
        Err(error) => Err(error),
    }
}

/// What the audit log compares of a record that was edited.
fn logged(record: &Record) -> Result<Value> {
    let mut fields = json!(record.profile()?);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("plan".to_owned(), json!(record.plan));
        fields.insert("features".to_owned(), json!(record.features));
    }
    Ok(fields)
}

fn set_status(
    turn: &mut Turn<'_>,
    memory: &mut Memory,
    condition: &Condition,
    edit: &StatusEdit,
) -> Result<Done> {
    let record = &mut memory.record;
    unchanged_since(condition, &record.version)?;
    // Of a reason that cannot be read the log cannot say what it was; a customer must be suspended all the same.
    let before = record.status_view().map_or(Value::Null, |view| json!(view));
    let status = record.status;
    let to = (edit.to, edit.reason.clone());
    record.move_to(turn.sql, turn.fields()?, to, By::Admin, turn.now, turn.entropy)?;
    let body = match edit.operation {
        StatusOperation::Put => json::to_bytes(&record.status_view()?)?,
        StatusOperation::Suspend | StatusOperation::Activate => record.to_json(turn.id)?,
    };
    let done = Done {
        changed: changes(&before, &json!(record.status_view()?)),
        reply: content(body, record.version.clone()),
    };
    if record.status != status {
        account::relist(turn, memory)?;
    }
    Ok(done)
}

fn write_user(
    turn: &mut Turn<'_>,
    memory: &Memory,
    condition: &Condition,
    edit: &UserEdit,
    user: &User,
) -> Result<Done> {
    let incarnation = &memory.record.version.incarnation;
    let mut record = UserRecord::load(turn.sql, turn.fields()?, memory.user_id(user)?)?;
    unchanged_since(condition, &record.version(incarnation))?;
    let before = record.profile()?;
    let after = edit.clone().apply(before);
    let changed = changes(&json!(before), &json!(after));
    record.write_profile(turn.sql, turn.fields()?, after, turn.now, turn.entropy)?;
    Ok(Done {
        reply: content(record.to_json(turn.id)?, record.version(incarnation)),
        changed,
    })
}

fn write_preferences(
    turn: &mut Turn<'_>,
    memory: &Memory,
    condition: &Condition,
    edit: &PreferencesEdit,
    user: &User,
) -> Result<Done> {
    let incarnation = &memory.record.version.incarnation;
    let user_id = memory.user_id(user)?;
    let (before, mut number) = preferences::load(turn.sql, turn.fields()?, user_id)?;
    unchanged_since(condition, &users::version(incarnation, user_id, number))?;
    let after = edit.clone().apply(&before)?;
    if after != before {
        number = number.saturating_add(1);
        preferences::store(turn.sql, turn.fields()?, user_id, &after, number, turn.entropy)?;
    }
    let reply = content(
        json::to_bytes(&after)?,
        users::version(incarnation, user_id, number),
    );
    Ok(Done {
        reply,
        changed: changes(&json!(before), &json!(after)),
    })
}

/// The resource `/session`.
#[derive(Serialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Session")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionView<'a> {
    customer_id: &'a CustomerId,
    user_id: &'a str,
    is_admin: bool,
    /// Whether the user owns the customer: may export and erase it, and make its keys.
    is_owner: bool,
    csrf: Option<&'a str>,
    #[serde(serialize_with = "serialize_rfc3339")]
    expires_at: Timestamp,
    /// When the whole customer is erased, if that was asked for: a matter of all its users.
    #[serde(serialize_with = "serialize_rfc3339_option")]
    erasure_due_at: Option<Timestamp>,
}

fn session(turn: &Turn<'_>, memory: &Memory, user: &User) -> Result<Done> {
    let body = json::to_bytes(&SessionView {
        customer_id: turn.id,
        user_id: memory.user_id(user)?.as_str(),
        is_admin: user.is_admin,
        is_owner: turn.is_owner(memory, user)?,
        csrf: user.csrf.as_deref(),
        expires_at: Timestamp::from_secs(user.expires_at),
        erasure_due_at: memory.erasure.as_ref().map(|erasure| erasure.due_at),
    })?;
    Ok(Done::read(Reply::Content {
        body,
        version: None,
        created: false,
    }))
}

/// The answer to a service that wants the customer to exist.
///
/// # Errors
/// `internal_error`, in practice never.
pub fn created(id: &CustomerId, created: bool) -> Result<Reply> {
    let body = json::to_bytes(&json!({"customerId": id, "created": created}))?;
    Ok(Reply::Content {
        body,
        version: None,
        created,
    })
}

impl Done {
    pub(super) fn read(reply: Reply) -> Self {
        Self {
            reply,
            changed: Map::new(),
        }
    }

    /// A resource that is read under the request's condition (RFC 9110 section 13.2.2).
    pub(super) fn versioned(
        condition: &Condition,
        version: &Version,
        body: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Self> {
        if condition
            .must_match
            .as_ref()
            .is_some_and(|tags| !tags.matches_strongly(version))
        {
            return Err(stale());
        }
        if condition
            .must_differ
            .as_ref()
            .is_some_and(|tags| tags.matches_weakly(version))
        {
            return Ok(Self::read(Reply::NotModified(version.clone())));
        }
        Ok(Self::read(content(body()?, version.clone())))
    }
}

/// The condition of a change (RFC 9110 section 13.1).
pub(super) fn unchanged_since(condition: &Condition, version: &Version) -> Result<()> {
    let stale_match = condition
        .must_match
        .as_ref()
        .is_some_and(|tags| !tags.matches_strongly(version));
    let exists = condition
        .must_differ
        .as_ref()
        .is_some_and(|tags| tags.matches_weakly(version));
    if stale_match || exists {
        Err(stale())
    } else {
        Ok(())
    }
}

pub(super) fn content(body: Vec<u8>, version: Version) -> Reply {
    Reply::Content {
        body,
        version: Some(version),
        created: false,
    }
}

fn stale() -> Error {
    Error::new(
        Code::StaleVersion,
        "The resource has another version than the condition names.",
    )
}
