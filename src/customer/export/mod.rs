//! The export: everything about one customer, as it was at one moment, as a ZIP that proves itself
//! (`docs/FORMATS.md`, "Export archive"). Made piece by piece, each in a turn of its own, so that it needs little
//! memory and nobody waits for it; what changes between two pieces is not in it.

mod csv;
mod readme;
pub mod running;
mod turns;

use crate::crypto::{FieldKeys, SigningKeys};
use crate::customer::audit::view::is_staff;
use crate::customer::audit::{Actor, Head, checkpoint, read_detail};
use crate::customer::preferences;
use crate::customer::users::UserRecord;
use crate::error::{Error, Result};
use crate::json;
use crate::sql::{Row, Sql};
use crate::types::{CustomerId, RequestId, Timestamp};
use crate::verify::manifest::{DESCRIBED, FORMAT, File, MEMBERS, MadeBy, Manifest, REGIME, Signature};
use crate::verify::zip::{self, Sum, Written};
use crate::verify::{chain, log, manifest};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// From this size on a piece is handed out, in bytes.
pub const PIECE_BYTES: usize = 128 * 1024;
/// Entries, and users, that are read at once.
const CHUNK_ROWS: i64 = 32;

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
    /// Whether it is for an administrator.
    pub is_for_operator: bool,
    /// Where the audit log ended.
    pub head: Head,
    /// The moment of which it tells.
    pub made_at: Timestamp,
    /// `customer.json`, `api-keys.json` and `limits.json`.
    pub documents: [Vec<u8>; 3],
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
    /// The last entry of the file so far.
    seq: i64,
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
            plan,
            member: 0,
            is_begun: false,
            user: String::new(),
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
            6 | 7 => self.entries(source),
            8 => self.manifest(source),
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
            out.extend(if self.user.is_empty() { b"[\n" } else { b",\n" });
            let user = UserRecord::from_row(row)?;
            if self.member == 2 {
                out.extend(user.to_json(&self.plan.customer_id)?);
            } else {
                let preferences = preferences::from_stored(row.integer(6)?, row.blob_or_null(7)?)?;
                out.extend(json::to_bytes(
                    &json!({"userId": user.user_id, "preferences": preferences}),
                )?);
            }
            self.user = user.user_id.to_string();
        }
        let is_last = (rows.len() as i64) < CHUNK_ROWS;
        if is_last {
            out.extend(if self.user.is_empty() {
                b"[]\n".as_slice()
            } else {
                b"\n]\n"
            });
        }
        Ok((out, is_last))
    }

    /// `audit.ndjson` and `audit.csv`, up to where the log ended.
    fn entries(&mut self, source: &Source<'_>) -> Result<(Vec<u8>, bool)> {
        let rows = source.sql.exec(
            "SELECT seq, header, detail, hash FROM audit WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            &[self.seq.into(), self.plan.head.seq.into(), CHUNK_ROWS.into()],
        )?;
        let mut out = Vec::new();
        if self.member == 7 && !self.is_begun {
            out.extend(csv::BEGIN.bytes());
        }
        for row in &rows {
            self.seq = row.integer(0)?;
            self.entry(source, row, &mut out)?;
        }
        if rows.is_empty() && self.seq < self.plan.head.seq {
            return Err(Error::fault("the audit log has a gap"));
        }
        Ok((out, self.seq >= self.plan.head.seq))
    }

    fn entry(&self, source: &Source<'_>, row: &Row, out: &mut Vec<u8>) -> Result<()> {
        let text = row.text(1)?;
        let header: Value = json::from_stored(text.as_bytes(), "audit header")?;
        let hash = row.blob(3)?.try_into();
        let hash = hash.map_err(|_| Error::fault("an audit hash is unreadable"))?;
        let kind = header.pointer("/actor/kind").and_then(Value::as_str);
        let is_shown = self.plan.is_for_operator || !is_staff(kind);
        let detail = match row.blob_or_null(2)?.filter(|_| is_shown) {
            Some(stored) => Some(read_detail(source.fields, self.seq, stored)?),
            None => None,
        };
        if self.member == 6 {
            let detail = detail
                .as_ref()
                .map(|detail| (&detail.salt, detail.text.as_slice()));
            out.extend(log::line(text, &hash, detail));
            return Ok(());
        }
        let detail = match &detail {
            Some(detail) => json::from_stored(&detail.text, "audit detail")?,
            None => Map::new(),
        };
        csv::line(out, &header, &detail, &chain::hex(&hash));
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
        };
        self.manifest = json::to_canonical_bytes(&manifest)?;
        Ok((self.manifest.clone(), true))
    }
}
