//! What an export says of itself: `manifest.json`, canonical JSON (RFC 8785), and `manifest.json.sig`.

use super::zip::Member;
use super::{Fault, Place, PublicKeys, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version of the archive's form.
pub const FORMAT: &str = "user-api/export/v1";
/// Under which rights an export answers.
pub const REGIME: [&str; 3] = ["GDPR Art. 15", "GDPR Art. 20", "CCPA 1798.100, 1798.130"];
/// Longest manifest that is read, in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// The archive's files in their order, with their media types. Those that the manifest describes, and then itself.
pub const MEMBERS: [(Member, &str); 11] = [
    (small("README.txt"), "text/plain; charset=utf-8"),
    (small("customer.json"), "application/json"),
    (small("users.json"), "application/json"),
    (small("preferences.json"), "application/json"),
    (small("api-keys.json"), "application/json"),
    (small("limits.json"), "application/json"),
    (small("legacy.json"), "application/json"),
    (large("audit.ndjson"), "application/x-ndjson"),
    (large("audit.csv"), "text/csv; charset=utf-8; header=present"),
    (small("manifest.json"), "application/json"),
    (small("manifest.json.sig"), "application/json"),
];
/// How many of them the manifest describes.
pub const DESCRIBED: usize = 9;

const fn small(name: &'static str) -> Member {
    Member {
        name,
        is_large: false,
    }
}

const fn large(name: &'static str) -> Member {
    Member { name, is_large: true }
}

/// `manifest.json`. Fields in the order of their names, which RFC 8785 demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Manifest {
    pub customer_id: String,
    pub export_id: String,
    pub files: Vec<File>,
    pub format: String,
    pub head: Head,
    pub made_at: String,
    pub made_by: MadeBy,
    pub regime: Vec<String>,
    /// Fields and details of the archive that the service could not open.
    pub unreadable: u64,
}

/// One file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct File {
    pub bytes: u64,
    pub media_type: String,
    pub name: String,
    pub sha256: String,
}

/// Where the audit log ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Head {
    pub at: String,
    pub checkpoint: String,
    pub hash: String,
    pub seq: u64,
}

/// Who asked for the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct MadeBy {
    pub id: String,
    pub kind: String,
}

/// `manifest.json.sig`: an Ed25519 signature over the bytes of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Signature {
    pub alg: String,
    pub kid: String,
    pub sig: String,
}

impl Signature {
    /// The document for a signature by the key `kid`.
    #[must_use]
    pub fn new(kid: &str, signature: &[u8; 64]) -> Self {
        Self {
            alg: "Ed25519".to_owned(),
            kid: kid.to_owned(),
            sig: STANDARD.encode(signature),
        }
    }

    /// Whether one of these keys made it, over those bytes; if so, which.
    ///
    /// # Errors
    /// That none did.
    pub fn check(&self, manifest: &[u8], keys: &PublicKeys) -> Result<()> {
        let fault = |what: &str| Fault::new(Place::File("manifest.json.sig"), what);
        if self.alg != "Ed25519" {
            return Err(fault("it is of an unknown kind"));
        }
        if !keys.iter().any(|(kid, _)| kid == self.kid) {
            return Err(fault("it is by a key that is not among the public keys"));
        }
        let bytes = STANDARD.decode(&self.sig).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        if bytes.is_some_and(|bytes| keys.holds(&self.kid, manifest, &bytes)) {
            Ok(())
        } else {
            Err(fault(
                "the signature does not hold: manifest.json or this file was changed",
            ))
        }
    }
}

/// Reads a document of which there is one form only.
///
/// # Errors
/// That it has another.
pub fn strict<T: Serialize + DeserializeOwned>(bytes: &[u8], name: &'static str) -> Result<T> {
    let fault = || Fault::new(Place::File(name), "it is not in the form of this format");
    let parsed: T = serde_json::from_slice(bytes).map_err(|_| fault())?;
    let again = serde_json_canonicalizer::to_vec(&parsed).map_err(|_| fault())?;
    if again == bytes { Ok(parsed) } else { Err(fault()) }
}
