//! Erasing a customer: asking for it, withdrawing it, and what is told of it. What is done is in [`run`].
//!
//! 1. An erasure is asked for by the owner or an administrator, and is due after a grace. Until then nothing of the
//!    customer changes, neither its status, and it can be withdrawn. Asking again changes nothing, except that an
//!    administrator may bring it forward.
//! 2. Once it is due, the alarm or the next request, whichever is first, makes the customer erased in one commit.
//!    From then on it is gone for everybody, for ever.
//! 3. Then everything is destroyed, in bounded steps that may be repeated and cut off anywhere.
//! 4. When nothing is left, a signed certificate says so. It is kept, and returned to whoever may ask. An administrator
//!    can still read the log, without its details.

pub mod run;
mod trail;

use crate::caller::Caller;
use crate::customer::api_keys::unknown_key;
use crate::customer::audit::Actor;
use crate::customer::command::Command;
use crate::customer::config::Config;
use crate::customer::entry::changes;
use crate::customer::execute::read_log;
use crate::customer::memory::Memory;
use crate::customer::request::{Answered, Elsewhere, Reply, Request};
use crate::customer::status::MAX_REASON_CHARS;
use crate::customer::turn::Turn;
use crate::customer::usage::DAY_MS;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::sql::{Row, Sql};
use crate::types::Timestamp;
use crate::validate::Fields;
use crate::verify::certificate::AskedBy;
use run::Progress;
use serde_json::{Map, Value, json};

/// The longest grace, in days.
pub const MAX_GRACE_DAYS: i64 = 365;

/// The body of `POST …/erasure`. The reason is for the audit log, whose details go with the erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRequest {
    /// Why.
    pub reason: Option<String>,
    /// Another grace than the deployment's, in days.
    pub grace_days: Option<i64>,
}

impl ErasureRequest {
    /// Reads the body. An administrator gives a reason, and may set the grace; no body at all is `{}`.
    ///
    /// # Errors
    /// `malformed_body`, `validation_failed` or `field_not_writable`.
    pub fn parse(body: &[u8], as_admin: bool) -> Result<Self> {
        let body: &[u8] = if body.is_empty() { b"{}" } else { body };
        let mut fields = Fields::new(json::parse_object(body)?);
        let reason = fields.line("reason", MAX_REASON_CHARS);
        if !as_admin {
            fields.finish(&["graceDays"])?;
            return Ok(Self {
                reason: reason.apply(None),
                grace_days: None,
            });
        }
        let reason = fields.required("reason", reason);
        let grace_days = fields.integer("graceDays", 0..=MAX_GRACE_DAYS);
        let grace_days = fields.not_null("graceDays", grace_days);
        fields.finish(&[])?;
        Ok(Self { reason, grace_days })
    }
}

/// The row of table `erasure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Who asked first.
    pub asked_by: AskedBy,
    /// Whether an administrator asked for it, first or after somebody else: then only one withdraws it.
    pub by_admin: bool,
    /// When.
    pub requested_at: Timestamp,
    /// From when on it cannot be withdrawn.
    pub due_at: Timestamp,
    /// How it went on; None while it can be withdrawn.
    pub erased: Option<Erased>,
}

/// What came of an erasure that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// When the customer was gone for everybody.
    pub at: Timestamp,
    /// How far the destruction is.
    pub progress: Progress,
    /// The signed document, once there is nothing left.
    pub certificate: Option<String>,
}

impl Erasure {
    /// The stored one.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or the row is unreadable.
    pub fn load(sql: &dyn Sql) -> Result<Option<Self>> {
        let rows = sql.exec(
            "SELECT asked_by, requested_at, due_at, erased_at, progress, certificate, by_admin FROM erasure \
             WHERE one = 1",
            &[],
        )?;
        rows.first().map(Self::from_row).transpose()
    }

    fn from_row(row: &Row) -> Result<Self> {
        let erased = match (row.integer_or_null(3)?, row.text_or_null(4)?) {
            (Some(at), Some(progress)) => Some(Erased {
                at: Timestamp::from_millis(at),
                progress: json::from_stored(progress.as_bytes(), "progress")?,
                certificate: row.text_or_null(5)?.map(str::to_owned),
            }),
            _ => None,
        };
        Ok(Self {
            asked_by: json::from_stored(row.text(0)?.as_bytes(), "asked_by")?,
            by_admin: row.integer(6)? != 0,
            requested_at: Timestamp::from_millis(row.integer(1)?),
            due_at: Timestamp::from_millis(row.integer(2)?),
            erased,
        })
    }

    /// Writes down one that is not carried out yet.
    fn save(&self, sql: &dyn Sql) -> Result<()> {
        let asked_by = String::from_utf8(json::to_bytes(&self.asked_by)?);
        sql.exec(
            "INSERT INTO erasure (one, asked_by, by_admin, requested_at, due_at) VALUES (1, ?, ?, ?, ?) \
             ON CONFLICT (one) DO UPDATE SET by_admin = excluded.by_admin, due_at = excluded.due_at",
            &[
                asked_by
                    .map_err(|_| Error::fault("who asked is not UTF-8"))?
                    .into(),
                i64::from(self.by_admin).into(),
                self.requested_at.as_millis().into(),
                self.due_at.as_millis().into(),
            ],
        )?;
        Ok(())
    }

    /// Whether the moment has come to make the customer erased.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.erased.is_none() && self.due_at <= now
    }

    /// When the alarm has something to do for it. `is_telling` says that others have not heard everything yet.
    #[must_use]
    pub fn due(&self, is_telling: bool) -> Option<Timestamp> {
        match &self.erased {
            None => Some(self.due_at),
            Some(erased) if erased.certificate.is_some() => None,
            Some(erased) if erased.progress.is_empty && is_telling => None,
            Some(erased) => Some(erased.at),
        }
    }

    /// Who asked, as far as it decides who may withdraw it.
    #[must_use]
    pub const fn requested_by(&self) -> &'static str {
        if self.by_admin {
            "administrator"
        } else {
            "customer"
        }
    }

    /// The resource `…/erasure`.
    #[must_use]
    pub fn view(&self) -> Value {
        let mut view = json!({
            "status": "scheduled",
            "requestedAt": self.requested_at.to_rfc3339(),
            "dueAt": self.due_at.to_rfc3339(),
            "requestedBy": self.requested_by(),
        });
        if let (Some(erased), Some(view)) = (&self.erased, view.as_object_mut()) {
            view.insert("status".to_owned(), "erased".into());
            view.insert("erasedAt".to_owned(), erased.at.to_rfc3339().into());
            view.insert("certificate".to_owned(), json!(erased.certificate));
        }
        view
    }
}

/// Asks for the erasure, as the customer or as an administrator. Only an administrator brings forward one that was
/// asked for already, and whatever an administrator asked for is an administrator's from then on.
///
/// # Errors
/// `internal_error` from the engine.
pub fn request(
    sql: &dyn Sql,
    memory: &mut Memory,
    wanted: &ErasureRequest,
    (actor, as_admin): (&Actor, bool),
    config: &Config,
    now: Timestamp,
) -> Result<Map<String, Value>> {
    let days = wanted
        .grace_days
        .unwrap_or_else(|| i64::from(config.erasure_grace_days));
    let due_at = Timestamp::from_millis(now.as_millis().saturating_add(days.saturating_mul(DAY_MS)));
    let mut changed = Map::new();
    if let Some(reason) = &wanted.reason {
        changed.insert("reason".to_owned(), json!({"before": null, "after": reason}));
    }
    let before = memory.erasure.take();
    let erasure = match &before {
        // Who asked first did ask.
        Some(before) => Erasure {
            by_admin: before.by_admin || as_admin,
            due_at: match wanted.grace_days {
                Some(_) => before.due_at.min(due_at).max(before.requested_at),
                None => before.due_at,
            },
            ..before.clone()
        },
        None => Erasure {
            asked_by: AskedBy {
                kind: actor.kind.to_owned(),
                id: actor.id.clone(),
            },
            by_admin: as_admin,
            requested_at: now,
            due_at,
            erased: None,
        },
    };
    if before.as_ref() != Some(&erasure) {
        let view = |erasure: Option<&Erasure>| match erasure {
            Some(erasure) => json!({
                "dueAt": erasure.due_at.to_rfc3339(), "requestedBy": erasure.requested_by(),
            }),
            None => Value::Null,
        };
        changed.extend(changes(&view(before.as_ref()), &view(Some(&erasure))));
        erasure.save(sql)?;
    }
    memory.erasure = Some(erasure);
    Ok(changed)
}

/// Withdraws it. What an administrator asked for only an administrator withdraws.
///
/// # Errors
/// `erasure_not_found`, `forbidden`, or `internal_error` from the engine.
pub fn withdraw(sql: &dyn Sql, memory: &mut Memory, as_admin: bool) -> Result<Map<String, Value>> {
    let erasure = memory.erasure.as_ref().ok_or_else(not_found)?;
    if !as_admin && erasure.by_admin {
        let told = "An administrator asked for this erasure; only an administrator withdraws it.";
        return Err(Error::new(Code::Forbidden, told));
    }
    let mut changed = Map::new();
    changed.insert(
        "dueAt".to_owned(),
        json!({"before": erasure.due_at.to_rfc3339(), "after": null}),
    );
    sql.exec("DELETE FROM erasure WHERE one = 1", &[])?;
    memory.erasure = None;
    Ok(changed)
}

/// What is answered where none was asked for.
#[must_use]
pub fn not_found() -> Error {
    Error::new(
        Code::ErasureNotFound,
        "Nobody asked for the erasure of this customer.",
    )
}

/// The answer to any request to an erased customer: that it is gone, with the certificate once there is one. Only an
/// administrator reads what is left: the erasure itself, as a resource, and the log without its details.
///
/// # Errors
/// Only faults.
pub fn gone(turn: &Turn<'_>, memory: &Memory, request: &Request) -> Result<Answered> {
    match (&request.command, &request.caller) {
        // A key of the older form carries no proof that anybody ever had it, and all that knew it is gone.
        (_, Caller::Integration(key)) if key.legacy => return Ok(Reply::Refused(unknown_key()).into()),
        (command, Caller::User(_)) if request.as_admin => {
            if let Some(left) = left(turn, memory, request, command)? {
                return Ok(Answered {
                    elsewhere: Some(Elsewhere::Erased),
                    ..left.into()
                });
            }
        }
        _ => {}
    }
    let mut error = Error::new(Code::CustomerErased, Code::CustomerErased.title());
    let erased = memory
        .erasure
        .as_ref()
        .and_then(|erasure| erasure.erased.as_ref());
    if let Some(certificate) = erased.and_then(|erased| erased.certificate.as_ref()) {
        error
            .members
            .insert("certificate".to_owned(), certificate.as_str().into());
    }
    Ok(Reply::Refused(error).into())
}

/// What is left of an erased customer for an administrator to read.
fn left(turn: &Turn<'_>, memory: &Memory, request: &Request, command: &Command) -> Result<Option<Reply>> {
    match (command, &memory.erasure) {
        (Command::ReadErasure, Some(erasure)) => Ok(Some(Reply::Content {
            body: json::to_bytes(&erasure.view())?,
            version: None,
            created: false,
        })),
        (Command::ListAudit(_) | Command::ReadAudit(_) | Command::ReadAuditHead(_), _) => {
            match read_log(turn, memory, request) {
                Ok(done) => Ok(Some(done.reply)),
                Err(refusal) if refusal.is_refusal() => Ok(Some(Reply::Refused(refusal))),
                Err(fault) => Err(fault),
            }
        }
        _ => Ok(None),
    }
}
