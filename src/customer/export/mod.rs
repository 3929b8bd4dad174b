//! The export: everything about one customer, as it was at one moment, as a ZIP that proves itself
//! (`docs/FORMATS.md`, "Export archive"). Made piece by piece, each in a turn of its own, so that it needs little
//! memory and nobody waits for it; what changes between two pieces is not in it.

mod csv;
pub mod documents;
mod entries;
mod readme;
pub mod running;
mod turns;

use crate::crypto::{FieldKeys, SigningKeys};
use crate::customer::audit::view::is_staff;
use crate::customer::audit::{Actor, Head, checkpoint, read_detail};
use crate::customer::errand::By;
use crate::customer::users::UserRecord;
use crate::error::{Error, Result};
use crate::json;
use crate::sql::Sql;
use crate::types::{CustomerId, RequestId, Timestamp};
use crate::verify::log::Told;
use crate::verify::manifest::{DESCRIBED, FORMAT, File, MEMBERS, MadeBy, Manifest, REGIME, Signature};
use crate::verify::zip::{self, Sum, Written};
use crate::verify::{chain, log, manifest};
use documents::{Opened, if_readable};
use entries::Stored;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// From this size on a piece is handed out, in bytes.
pub const PIECE_BYTES: usize = 256 * 1024;
/// Users that are read at once.
const CHUNK_ROWS: i64 = 32;
/// Documents of an older service that are read at once, each of at most 256 KiB.
const CHUNK_DOCUMENTS: i64 = 4;

/// What an export was begun with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// Whose data.
    pub customer_id: CustomerId,
    /// Who asked.
    pub actor: Actor,
    /// In which request.
    pub request_id: RequestId,
    /// By which credential, which must go on working.
    pub by: By,
    /// Whether it is for an administrator.
    pub is_for_operator: bool,
    /// Where the audit log ended.
    pub head: Head,
    /// The moment of which it tells.
    pub made_at: Timestamp,
    /// `customer.json`, `api-keys.json` and `limits.json`.
    pub documents: [Vec<u8>; 3],
    /// Fields of those that could not be opened.
    pub unreadable: u64,
}

/// What making a piece takes.
#[allow(missing_debug_implementations)]
pub struct Source<'a> {
    /// The object's storage.
    pub sql: &'a dyn Sql,
    /// The keys of sealed fields.
    pub fields: &'a FieldKeys,
    /// What signs the manifest.
    pub signing: &'a SigningKeys,
}

/// An export under way.
#[derive(Debug, Clone)]
pub struct Export {
    plan: Plan,
    /// Which of the files is being written.
    member: usize,
    is_begun: bool,
    /// The last user of the file so far.
    user: String,
    /// Kind and key of the last document of the file so far.
    document: (String, String),
    /// Whether the file has one so far.
    has_items: bool,
    /// The last entry of the file so far.
    seq: i64,
    /// Fields and details that could not be opened.
    unreadable: u64,
    sum: Sum,
    digest: Sha256,
    written: Vec<Written>,
    files: Vec<File>,
    manifest: Vec<u8>,
    total: u64,
}

impl Export {
    /// Begins with the first file.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            unreadable: plan.unreadable,
            plan,
            member: 0,
            is_begun: false,
            user: String::new(),
            document: Default::default(),
            has_items: false,
            seq: 0,
            sum: Sum::default(),
            digest: Sha256::new(),
            written: Vec::new(),
            files: Vec::new(),
            manifest: Vec::new(),
            total: 0,
        }
    }

    /// What it was begun with.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether the last piece was made.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.member >= MEMBERS.len()
    }

    /// What the log says of it at its end.
    #[must_use]
    pub fn summary(&self) -> Map<String, Value> {
        let digest = chain::hex(&Sha256::digest(&self.manifest));
        let mut detail = Map::new();
        detail.insert("export".to_owned(), self.plan.id.as_str().into());
        detail.insert("bytes".to_owned(), self.total.into());
        if !self.manifest.is_empty() {
            detail.insert("manifestSha256".to_owned(), digest.into());
        }
        if self.unreadable > 0 {
            detail.insert("unreadable".to_owned(), self.unreadable.into());
        }
        detail
    }

    /// The next piece; never empty before the end.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or something stored is unreadable. The export is then over.
    pub fn next(&mut self, source: &Source<'_>) -> Result<Vec<u8>> {
        let stamp = zip::stamp(&self.plan.made_at.to_rfc3339());
        let mut out = Vec::new();
        while out.len() < PIECE_BYTES {
            let Some((member, media_type)) = MEMBERS.get(self.member).copied() else {
                break;
            };
            if !self.is_begun {
                out.extend(zip::local_header(member, stamp));
            }
            let (bytes, is_last) = self.part(source)?;
            self.is_begun = true;
            self.sum.add(&bytes);
            self.digest.update(&bytes);
            out.extend(bytes);
            if is_last {
                let (sum, digest) = (std::mem::take(&mut self.sum), std::mem::take(&mut self.digest));
                let written = sum.written(member);
                out.extend(zip::descriptor(&written));
                self.written.push(written);
                self.files.push(File {
                    bytes: written.bytes,
                    media_type: media_type.to_owned(),
                    name: member.name.to_owned(),
                    sha256: chain::hex(&digest.finalize()),
                });
                self.member = self.member.saturating_add(1);
                (self.is_begun, self.user, self.seq) = (false, String::new(), 0);
                (self.has_items, self.document) = (false, Default::default());
                if self.is_done() {
                    out.extend(zip::tail(&self.written, stamp));
                }
            }
        }
        self.total = self.total.saturating_add(out.len() as u64);
        Ok(out)
    }

    /// The next bytes of the file, and whether they are its last.
    fn part(&mut self, source: &Source<'_>) -> Result<(Vec<u8>, bool)> {
        let [customer, keys, limits] = &self.plan.documents;
        let whole = |bytes: &Vec<u8>| Ok((bytes.clone(), true));
        match self.member {
            0 => {
                let Plan {
                    customer_id,
                    made_at,
                    head,
                    is_for_operator,
                    ..
                } = &self.plan;
                Ok((
                    readme::text(customer_id, *made_at, head.seq, *is_for_operator),
                    true,
                ))
            }
            1 => whole(customer),
            2 | 3 => self.users(source),
            4 => whole(keys),
            5 => whole(limits),
            6 => self.legacy(source),
            7 | 8 => self.entries(source),
            9 => self.manifest(source),
            _ => {
                let signature = Signature::new(source.signing.kid(), &source.signing.sign(&self.manifest));
                Ok((json::to_canonical_bytes(&signature)?, true))
            }
        }
    }

    /// `users.json` and `preferences.json`, from the copies.
    fn users(&mut self, source: &Source<'_>) -> Result<(Vec<u8>, bool)> {
        let rows = source.sql.exec(
            "SELECT user_id, version, profile, created_at, updated_at, last_seen_at, preferences_version, preferences \
             FROM export_users WHERE export_id = ? AND user_id > ? ORDER BY user_id LIMIT ?",
            &[self.plan.id.as_str().into(), self.user.as_str().into(), CHUNK_ROWS.into()],
        )?;
        let mut out = Vec::new();
        for row in &rows {
            let user = UserRecord::from_row(row, source.fields)?;
            let opened = if self.member == 2 {
                documents::user(&user, &self.plan.customer_id)?
            } else {
                documents::preferences(&user, source.fields, row.integer(6)?, row.blob_or_null(7)?)?
            };
            self.item(&mut out, &opened, self.user.is_empty());
            self.user = user.user_id.to_string();
        }
        let is_last = (rows.len() as i64) < CHUNK_ROWS;
        if is_last {
            close(&mut out, self.user.is_empty());
        }
        Ok((out, is_last))
    }

    /// `legacy.json`, from the list that was made when the export began.
    fn legacy(&mut self, source: &Source<'_>) -> Result<(Vec<u8>, bool)> {
        let (kind, key) = &self.document;
        let rows = source.sql.exec(
            "SELECT e.kind, e.key, coalesce(e.document, l.document) FROM export_legacy e \
             LEFT JOIN legacy l ON l.kind = e.kind AND l.key = e.key \
             WHERE e.export_id = ? AND (e.kind, e.key) > (?, ?) ORDER BY e.kind, e.key LIMIT ?",
            &[
                self.plan.id.as_str().into(),
                kind.as_str().into(),
                key.as_str().into(),
                CHUNK_DOCUMENTS.into(),
            ],
        )?;
        let mut out = Vec::new();
        for row in &rows {
            // A day of the older log that has made room for a later one since is not kept any more.
            if row.blob_or_null(2)?.is_some() {
                let opened = documents::legacy(row, source.fields)?;
                self.item(&mut out, &opened, !self.has_items);
                self.has_items = true;
            }
            self.document = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
        }
        let is_last = (rows.len() as i64) < CHUNK_DOCUMENTS;
        if is_last {
            close(&mut out, !self.has_items);
        }
        Ok((out, is_last))
    }

    /// The next of a list.
    fn item(&mut self, out: &mut Vec<u8>, (bytes, unreadable): &Opened, is_first: bool) {
        out.extend(if is_first { b"[\n" } else { b",\n" });
        out.extend(bytes);
        self.unreadable = self.unreadable.saturating_add(*unreadable);
    }

    /// `audit.ndjson` and `audit.csv`, up to where the log ended.
    fn entries(&mut self, source: &Source<'_>) -> Result<(Vec<u8>, bool)> {
        let text = entries::read(source.sql, self.seq, self.plan.head.seq)?;
        let mut out = Vec::new();
        if self.member == 8 && !self.is_begun {
            out.extend(csv::BEGIN.bytes());
        }
        for line in text.lines() {
            let stored = entries::parse(line)?;
            if stored.seq != self.seq.saturating_add(1) {
                return Err(Error::fault("the audit log has a gap"));
            }
            self.seq = stored.seq;
            self.entry(source, &stored, &mut out)?;
        }
        if text.is_empty() && self.seq < self.plan.head.seq {
            return Err(Error::fault("the audit log has a gap"));
        }
        Ok((out, self.seq >= self.plan.head.seq))
    }

    fn entry(&mut self, source: &Source<'_>, entry: &Stored<'_>, out: &mut Vec<u8>) -> Result<()> {
        let Stored {
            header: text, hash, ..
        } = entry;
        let header: Value = json::from_stored(text.as_bytes(), "audit header")?;
        let kind = header.pointer("/actor/kind").and_then(Value::as_str);
        let is_shown = self.plan.is_for_operator || !is_staff(kind);
        let stored = entry.detail.as_deref().filter(|_| is_shown);
        let detail = match stored {
            Some(stored) => if_readable(read_detail(source.fields, self.seq, stored))?,
            None => None,
        };
        if self.member == 7 {
            let told = match (&detail, stored) {
                (Some(detail), _) => Told::Whole(&detail.salt, &detail.text),
                (None, None) => Told::Nothing,
                (None, Some(_)) => Told::Unreadable,
            };
            self.unreadable = self
                .unreadable
                .saturating_add(u64::from(told == Told::Unreadable));
            out.extend(log::line(text, hash, told));
            return Ok(());
        }
        let (known, word) = match (&detail, stored) {
            (Some(detail), _) => (json::from_stored(&detail.text, "audit detail")?, "shown"),
            (None, None) => (Map::new(), "not shown"),
            (None, Some(_)) => (Map::new(), "unreadable"),
        };
        csv::line(out, &header, &known, word, &chain::hex(hash));
        Ok(())
    }

    fn manifest(&mut self, source: &Source<'_>) -> Result<(Vec<u8>, bool)> {
        let plan = &self.plan;
        let files = self.files.get(..DESCRIBED);
        let manifest = Manifest {
            customer_id: plan.customer_id.to_string(),
            export_id: plan.id.clone(),
            files: files.ok_or_else(|| Error::fault("a file is missing"))?.to_vec(),
            format: FORMAT.to_owned(),
            head: manifest::Head {
                at: plan.head.at.to_rfc3339(),
                checkpoint: checkpoint::checkpoint(
                    &plan.head,
                    &plan.customer_id,
                    source.signing,
                    plan.made_at,
                )?,
                hash: chain::hex(&plan.head.hash),
                seq: u64::try_from(plan.head.seq).map_err(|_| Error::fault("a negative head"))?,
            },
            made_at: plan.made_at.to_rfc3339(),
            made_by: MadeBy {
                id: plan.actor.id.clone(),
                kind: plan.actor.kind.to_owned(),
            },
            regime: REGIME.map(str::to_owned).to_vec(),
            unreadable: self.unreadable,
        };
        self.manifest = json::to_canonical_bytes(&manifest)?;
        Ok((self.manifest.clone(), true))
    }
}

/// Ends a list.
fn close(out: &mut Vec<u8>, is_empty: bool) {
    out.extend(if is_empty { b"[]\n".as_slice() } else { b"\n]\n" });
}
