//! `user-api verify`: says whether an export, an audit log, the certificate of an erasure, or heads that were kept of a
//! log are what the service wrote, and if not, what is wrong.

use super::failure::{Failure, Result};
use super::output::Output;
use clap::Args as ClapArgs;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use user_api::verify::certificate::{self, Certificate};
use user_api::verify::extension::{self, Extension};
use user_api::verify::log::Log;
use user_api::verify::zip::Source;
use user_api::verify::{Checkpoint, Fault, PublicKeys, archive, chain};

/// Bytes of a log that are read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Check an export (ZIP), an audit log (NDJSON), the certificate of an erasure, or that a log extends an older head of
/// it, offline.
///
/// Exit code 0: everything holds. 3: it does not, and the message says where. 1: it could not be checked. 2: wrong
/// call.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The export, the audit.ndjson of one, the certificate (by itself or in the answer that brought it), or an answer
    /// of /customer/me/audit/head?since=N, N being the entry of the checkpoint given by --head.
    file: PathBuf,
    /// The answers that follow such a one, each asked for with the `nextSince` of the one before.
    #[arg(value_name = "ANSWER")]
    more: Vec<PathBuf>,
    /// The service's public keys, as its /.well-known/jwks.json gives them. An export and a certificate need them.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// A checkpoint that was kept (the `checkpoint` of /customer/me/audit/head): the log must pass through it.
    #[arg(long, value_name = "FILE", requires = "jwks")]
    head: Option<PathBuf>,
}

/// Carries out the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let keys = match &args.jwks {
        Some(path) => Some(PublicKeys::parse(&whole(path)?).map_err(|fault| wrong(&fault))?),
        None => None,
    };
    let older = match (&args.head, &keys) {
        (Some(path), Some(keys)) => {
            let note = String::from_utf8(whole(path)?)
                .map_err(|_| Failure::Unsound("the checkpoint: it is not UTF-8".to_owned()))?;
            Some(Checkpoint::open(&note, keys).map_err(|fault| wrong(&fault))?.0)
        }
        _ => None,
    };
    let mut file = File::open(&args.file).map_err(|error| unreadable(&args.file, &error))?;
    if let Some(answer) = answer_in(&mut file, &args.file)? {
        let (Some(keys), Some(older)) = (&keys, &older) else {
            return Err(Failure::usage(
                "a head needs --jwks and --head: the public keys, and the older checkpoint that it extends",
            ));
        };
        return extend(older, keys, &answer, &args.more);
    }
    if !args.more.is_empty() {
        return Err(Failure::usage("only answers of /audit/head can be several"));
    }
    if let Some(text) = certificate_in(&mut file, &args.file)? {
        let keys = keys
            .ok_or_else(|| Failure::usage("a certificate needs --jwks: the public keys to check it with"))?;
        let (certificate, kid) = certificate::open(&text, &keys).map_err(|fault| wrong(&fault))?;
        return Output::Stdout.write(&of_certificate(&certificate, &kid));
    }
    let mut begin = [0; 2];
    let is_zip = file.read(&mut begin).is_ok_and(|count| count == 2) && begin == *b"PK";
    if is_zip {
        let keys =
            keys.ok_or_else(|| Failure::usage("an export needs --jwks: the public keys to check it with"))?;
        let length = file
            .metadata()
            .map_err(|error| unreadable(&args.file, &error))?
            .len();
        let mut source = OnDisk { file, length };
        let report = archive::verify(&mut source, &keys, older.clone()).map_err(|fault| wrong(&fault))?;
        return Output::Stdout.write(&of_export(&report, older.as_ref()));
    }
    file.seek(SeekFrom::Start(0))
        .map_err(|error| unreadable(&args.file, &error))?;
    let log = read_log(&mut file, &args.file, older.clone())?;
    Output::Stdout.write(&of_log(&log, older.as_ref()))
}

/// The text of the file, if it is meant to be a certificate. Reads no more than one may have.
fn certificate_in(file: &mut File, path: &Path) -> Result<Option<String>> {
    let mut text = Vec::new();
    let most = certificate::MAX_CERTIFICATE_BYTES as u64;
    file.by_ref()
        .take(most.saturating_add(1))
        .read_to_end(&mut text)
        .and_then(|_| file.seek(SeekFrom::Start(0)))
        .map_err(|error| unreadable(path, &error))?;
    Ok(String::from_utf8(text)
        .ok()
        .filter(|text| certificate::is_meant(text)))
}

/// The text of the file, if it is an answer about the head of a log. Reads no more than one may have.
fn answer_in(file: &mut File, path: &Path) -> Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    let most = extension::MAX_ANSWER_BYTES as u64;
    file.by_ref()
        .take(most.saturating_add(1))
        .read_to_end(&mut text)
        .and_then(|_| file.seek(SeekFrom::Start(0)))
        .map_err(|error| unreadable(path, &error))?;
    Ok(Some(text).filter(|text| extension::is_meant(text)))
}

/// Follows the log from the older checkpoint through all answers.
fn extend(older: &Checkpoint, keys: &PublicKeys, first: &[u8], more: &[PathBuf]) -> Result<()> {
    let mut extension = Extension::new(older, keys);
    extension.feed(first).map_err(|fault| wrong(&fault))?;
    for path in more {
        extension.feed(&whole(path)?).map_err(|fault| wrong(&fault))?;
    }
    let (newest, kid) = extension.finish().map_err(|fault| wrong(&fault))?;
    Output::Stdout.write(&format!(
        "The log extends the older one.\n\
         customer    {}\n\
         older head  entry {} signed at {}\n\
         newer head  entry {} signed at {} by key {kid}\n\
         head        {}\n",
        newest.customer_id,
        older.seq,
        older.at,
        newest.seq,
        newest.at,
        chain::hex(&newest.hash),
    ))
}

fn of_certificate(certificate: &Certificate, kid: &str) -> String {
    let mut text = format!(
        "The certificate is genuine.\n\
         customer    {}\n\
         asked for   {} by {} {}\n\
         erased      {}, the last of it {}\n\
         signed by   key {kid}\n\
         log         ended at entry {} before, at entry {} after\n",
        certificate.customer_id,
        certificate.requested_at,
        certificate.asked_by.kind,
        certificate.asked_by.id,
        certificate.erased_at,
        certificate.completed_at,
        certificate.audit.before.seq,
        certificate.audit.after.seq,
    );
    for (kind, count) in certificate.destroyed.iter() {
        let _ = writeln!(text, "destroyed   {count} {kind}");
    }
    for item in &certificate.kept {
        let _ = writeln!(text, "kept        {}: {}", item.what, item.why);
    }
    for item in &certificate.not_reached {
        let _ = writeln!(text, "not reached {}: {}", item.what, item.why);
    }
    let until = &certificate.key_recoverable_until;
    let _ = writeln!(text, "backups     could hold the wrapped key until {until}");
    text
}

fn read_log(file: &mut File, path: &Path, older: Option<Checkpoint>) -> Result<Log> {
    let mut log = Log::new(None, older);
    let mut bytes = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut bytes).map_err(|error| unreadable(path, &error))?;
        if count == 0 {
            break;
        }
        log.feed(bytes.get(..count).unwrap_or_default())
            .map_err(|fault| wrong(&fault))?;
    }
    log.finish().map_err(|fault| wrong(&fault))?;
    if log.seq == 0 {
        return Err(Failure::Unsound("the audit log: it has no entry".to_owned()));
    }
    Ok(log)
}

fn of_export(report: &archive::Report, older: Option<&Checkpoint>) -> String {
    let manifest = &report.manifest;
    let mut text = format!(
        "The export is genuine and complete.\n\
         customer    {}\n\
         made at     {} by {} {}\n\
         signed by   key {}\n\
         files       {} described by the manifest, all unchanged\n",
        manifest.customer_id,
        manifest.made_at,
        manifest.made_by.kind,
        manifest.made_by.id,
        report.kid,
        manifest.files.len(),
    );
    if manifest.unreadable > 0 {
        let _ = writeln!(
            text,
            "unreadable  {} fields that the service could not open are empty",
            manifest.unreadable
        );
    }
    entries(&mut text, &report.log, older);
    text
}

fn of_log(log: &Log, older: Option<&Checkpoint>) -> String {
    let mut text = format!(
        "The audit log holds together.\ncustomer    {}\n",
        log.customer_id()
    );
    entries(&mut text, log, older);
    if older.is_none() {
        text.push_str(
            "A log by itself is signed by nobody: compare its head with a checkpoint (--head), or verify the export.\n",
        );
    }
    text
}

fn entries(text: &mut String, log: &Log, older: Option<&Checkpoint>) {
    let _ = writeln!(
        text,
        "entries     {}, from {} to {}, chained without a gap",
        log.seq, log.first_at, log.at
    );
    let _ = writeln!(
        text,
        "details     {} as they were written, {} not in here",
        log.details,
        log.seq.saturating_sub(log.details)
    );
    let _ = writeln!(text, "head        {}", chain::hex(&log.hash()));
    if let Some(older) = older {
        let _ = writeln!(
            text,
            "checkpoint  the log extends the one of entry {} signed at {}",
            older.seq, older.at
        );
    }
}

fn wrong(fault: &Fault) -> Failure {
    Failure::Unsound(fault.to_string())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{}: {error}", path.display()))
}

fn whole(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

/// An export on disk, of which little is in memory at a time.
struct OnDisk {
    file: File,
    length: u64,
}

impl Source for OnDisk {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> std::result::Result<(), String> {
        // A size out of the file is no reason to reserve memory for it; `archive` asks for bounded pieces.
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read_exact(out))
            .map_err(|_| "it ends too early".to_owned())
    }
}
