//! Appends entries to the log of a stopped object, in its file: as many as nobody would send one by one, sealed and
//! chained as the object does it. Of the benchmarks and of the end-to-end tests.

use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use user_api::crypto::{Column, Dek, FieldKeys};
use user_api::types::CustomerId;
use user_api::verify::chain;

/// So many entries of reads by a browser.
pub fn append(file: &Path, customer: &str, dek: &Dek, entries: i64) {
    let fields = FieldKeys::derive(&CustomerId::parse(customer).unwrap(), dek).unwrap();
    let mut db = Connection::open(file).unwrap();
    let all = db.transaction().unwrap();
    let select = "SELECT seq, hash, header FROM audit ORDER BY seq DESC LIMIT 1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (last, hash, header): (i64, Vec<u8>, String) = all.query_row(select, [], read).unwrap();
    let mut hash: [u8; 32] = hash.try_into().unwrap();
    let header: Value = serde_json::from_str(&header).unwrap();
    let detail = json!({"ip": "203.0.113.9", "jti": "0123456789abcdef0123456789abcdef", "userAgent":
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"});
    let detail = detail.to_string().into_bytes();
    let mut insert = all
        .prepare("INSERT INTO audit (header, detail, hash) VALUES (?1, ?2, ?3)")
        .unwrap();
    for seq in last + 1..=last + entries {
        let mut salt = [0; 32];
        salt[..8].copy_from_slice(&seq.to_be_bytes());
        let header = format!(
            "{{\"action\":\"customer.read\",\"actor\":{{\"id\":\"user_0123456789abcdef0123456789abcdef\",\"kind\":\"user\"}},\
             \"at\":{},\"commitment\":\"{}\",\"customerId\":\"{customer}\",\"outcome\":\"ok\",\
             \"requestId\":\"req_01a20a03084c7293bfe923cbffb88e3d\",\"seq\":{seq},\"target\":\"customer\",\"v\":1}}",
            header["at"],
            chain::hex(&chain::commitment(&salt, &detail))
        );
        hash = chain::link(&hash, &chain::leaf(header.as_bytes()));
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&seq.to_be_bytes());
        let stored = [&salt[..], &detail].concat();
        let sealed = fields.seal_with(Column::AuditDetail, &seq.to_string(), &stored, nonce);
        insert.execute((header, sealed.unwrap(), &hash[..])).unwrap();
    }
    drop(insert);
    all.commit().unwrap();
}
