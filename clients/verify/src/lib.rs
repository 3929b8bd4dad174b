//! The check of `src/verify` for JavaScript: what `user-api verify` does, over bytes that the caller holds. Answers are
//! JSON texts, `{"report": …}` or `{"fault": …}`, typed in `clients/typescript/verify/index.d.ts`.
#![cfg(target_arch = "wasm32")]

// The same files as the service's and the companion's.
#[allow(dead_code)] // The sorts are the service's alone.
#[path = "../../../src/order.rs"]
mod order;
#[path = "../../../src/types.rs"]
pub mod types;
#[path = "../../../src/verify/mod.rs"]
pub mod verify;

use serde_json::{Value, json};
use verify::archive::{self, Report};
use verify::certificate;
use verify::zip::Source;
use verify::{Checkpoint, Fault, Place, PublicKeys, chain};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// Where the bytes of an archive are: an object with a method `read(offset, length)`, which gives exactly those.
    pub type Bytes;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Bytes, offset: f64, length: u32) -> Result<Vec<u8>, JsValue>;
}

/// An archive outside of the module's memory, of which little is inside at a time.
struct Outside {
    bytes: Bytes,
    length: u64,
}

impl Source for Outside {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), String> {
        let early = || "it ends too early".to_owned();
        let length = u32::try_from(out.len()).map_err(|_| early())?;
        let bytes = self.bytes.read(offset as f64, length);
        let bytes = bytes.map_err(|_| "its bytes cannot be read".to_owned())?;
        if bytes.len() != out.len() {
            return Err(early());
        }
        out.copy_from_slice(&bytes);
        Ok(())
    }
}

/// Checks an export of `length` bytes under the public keys `jwks` (a JWK set). With `head`, a checkpoint that was
/// kept, its log must pass through that.
#[wasm_bindgen(js_name = checkExport)]
#[must_use]
pub fn check_export(bytes: Bytes, length: f64, jwks: &str, head: Option<String>) -> String {
    let length = length as u64;
    answer(|| {
        let keys = PublicKeys::parse(jwks.as_bytes())?;
        let older = head.map(|note| Checkpoint::open(&note, &keys)).transpose()?;
        let mut source = Outside { bytes, length };
        archive::verify(&mut source, &keys, older.map(|(checkpoint, _)| checkpoint))
            .map(|report| told(&report))
    })
}

/// Checks the certificate of an erasure, by itself or in the JSON document that brought it.
#[wasm_bindgen(js_name = checkCertificate)]
#[must_use]
pub fn check_certificate(text: &str, jwks: &str) -> String {
    answer(|| {
        let (certificate, kid) = certificate::open(text, &PublicKeys::parse(jwks.as_bytes())?)?;
        Ok(json!({"certificate": certificate, "kid": kid}))
    })
}

fn answer(check: impl FnOnce() -> verify::Result<Value>) -> String {
    match check() {
        Ok(report) => json!({"report": report}),
        Err(fault) => json!({"fault": of_fault(&fault)}),
    }
    .to_string()
}

fn told(Report { manifest, kid, log }: &Report) -> Value {
    json!({
        "customerId": manifest.customer_id,
        "exportId": manifest.export_id,
        "madeAt": manifest.made_at,
        "madeBy": manifest.made_by,
        "kid": kid,
        "files": manifest.files,
        "unreadable": manifest.unreadable,
        "log": {
            "entries": log.seq,
            "firstAt": log.first_at,
            "lastAt": log.at,
            "details": log.details,
            "hash": chain::hex(&log.hash()),
            "checkpoint": manifest.head.checkpoint,
        },
    })
}

fn of_fault(fault: &Fault) -> Value {
    let (place, file, seq) = match &fault.place {
        Place::Keys => ("keys", None, None),
        Place::Checkpoint => ("checkpoint", None, None),
        Place::Certificate => ("certificate", None, None),
        Place::Entry(seq) => ("entry", None, Some(seq)),
        Place::Log => ("log", None, None),
        Place::Archive => ("archive", None, None),
        Place::File(name) => ("file", Some(name), None),
    };
    json!({"place": place, "file": file, "seq": seq, "what": fault.what, "text": fault.to_string()})
}
