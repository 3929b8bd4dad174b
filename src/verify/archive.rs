//! A whole export: container, signature, digests, and the audit log in it.

use super::chain;
use super::log::Log;
use super::manifest::{DESCRIBED, FORMAT, MAX_MANIFEST_BYTES, MEMBERS, Manifest, Signature, strict};
use super::zip::{self, Member, Source, Sum, Written};
use super::{Checkpoint, Fault, Place, PublicKeys, Result};
use sha2::{Digest, Sha256};

/// Bytes that are read at once.
const CHUNK_BYTES: u64 = 256 * 1024;

/// What a sound export says.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its manifest.
    pub manifest: Manifest,
    /// The key that signed it.
    pub kid: String,
    /// Its audit log.
    pub log: Log,
}

/// Checks an export from its first byte to its last.
///
/// # Errors
/// The first fault.
pub fn verify(source: &mut dyn Source, keys: &PublicKeys, older: Option<Checkpoint>) -> Result<Report> {
    let members: Vec<Member> = MEMBERS.iter().map(|(member, _)| *member).collect();
    let (files, stamp) = zip::directory(source, &members)?;
    let begins = zip::frame(source, &files, stamp)?;
    let placed: Vec<(Written, u64)> = files.iter().copied().zip(begins).collect();
    let (described, own) = placed.split_at_checked(DESCRIBED).unwrap_or_default();
    let [manifest, signature] = own else {
        return Err(Fault::new(Place::Archive, "it has no manifest"));
    };
    let (manifest_bytes, signature_bytes) = (document(source, manifest)?, document(source, signature)?);
    let signature: Signature = strict(&signature_bytes, "manifest.json.sig")?;
    signature.check(&manifest_bytes, keys)?;
    let manifest: Manifest = strict(&manifest_bytes, "manifest.json")?;
    let fault = |what: &str| Fault::new(Place::File("manifest.json"), what);
    if manifest.format != FORMAT {
        return Err(fault("it is of a format that this program does not know"));
    }
    if zip::stamp(&manifest.made_at) != stamp {
        return Err(Fault::new(
            Place::Archive,
            "its files have another time than the manifest",
        ));
    }
    if manifest.files.len() != DESCRIBED {
        return Err(fault("it describes other files than the archive has"));
    }
    let mut log = Log::new(Some(&manifest.customer_id), older);
    for ((placed, (member, media_type)), told) in described.iter().zip(MEMBERS).zip(&manifest.files) {
        if told.name != member.name || told.media_type != media_type {
            return Err(fault("it describes other files than the archive has"));
        }
        let is_log = member.name == "audit.ndjson";
        let digest = content(
            source,
            placed,
            |bytes| if is_log { log.feed(bytes) } else { Ok(()) },
        )?;
        if told.bytes != placed.0.bytes || told.sha256 != digest {
            return Err(Fault::new(
                Place::File(member.name),
                "it is not the file that the manifest describes",
            ));
        }
    }
    log.finish()?;
    head(&manifest, &log, keys)?;
    Ok(Report {
        manifest,
        kid: signature.kid,
        log,
    })
}

/// The log must end where the manifest says, and the checkpoint in it must say the same.
fn head(manifest: &Manifest, log: &Log, keys: &PublicKeys) -> Result<()> {
    let (checkpoint, _) = Checkpoint::open(&manifest.head.checkpoint, keys)?;
    let is_same = manifest.head.seq == log.seq
        && manifest.head.hash == chain::hex(&log.hash())
        && (log.seq == 0 || manifest.head.at == log.at)
        && (checkpoint.seq, checkpoint.hash) == (log.seq, log.hash())
        && checkpoint.customer_id == manifest.customer_id;
    if is_same {
        Ok(())
    } else {
        Err(Fault::new(
            Place::Log,
            "it does not end where the manifest says: entries are missing or were added",
        ))
    }
}

fn document(source: &mut dyn Source, (file, begin): &(Written, u64)) -> Result<Vec<u8>> {
    if file.bytes > MAX_MANIFEST_BYTES {
        return Err(Fault::new(Place::File(file.member.name), "it is too large"));
    }
    let mut whole = Vec::new();
    content(source, &(*file, *begin), |bytes| {
        whole.extend(bytes);
        Ok(())
    })?;
    Ok(whole)
}

/// The SHA-256 of a file, whose CRC-32 must be the one that the container gives.
fn content(
    source: &mut dyn Source,
    (file, begin): &(Written, u64),
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<String> {
    let (mut sum, mut digest) = (Sum::default(), Sha256::new());
    while sum.bytes < file.bytes {
        let count = CHUNK_BYTES.min(file.bytes.saturating_sub(sum.bytes));
        let bytes = zip::read(source, begin.saturating_add(sum.bytes), count)?;
        sum.add(&bytes);
        digest.update(&bytes);
        each(&bytes)?;
    }
    if sum.written(file.member).crc != file.crc {
        return Err(Fault::new(
            Place::File(file.member.name),
            "its bytes were changed (CRC-32)",
        ));
    }
    Ok(chain::hex(&digest.finalize()))
}
