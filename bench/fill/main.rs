//! `fill DATA CUSTOMER ENTRIES MASTER_KEY`: makes the log of a customer in a stopped server's data longer by that many
//! entries. `MASTER_KEY` is master key 1 in base64. What `bench/lib/growth.mjs` measures on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod append;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use user_api::crypto::{Dek, MasterKeys, Wrapped};
use user_api::types::CustomerId;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [data, customer, entries, master] = args.as_slice() else {
        panic!("fill DATA CUSTOMER ENTRIES MASTER_KEY");
    };
    let master: [u8; 32] = STANDARD.decode(master).unwrap().try_into().unwrap();
    let data = Path::new(data);
    let dek = key(data, customer, &MasterKeys::new(vec![(1, master)]));
    let is_its = |path: &PathBuf| {
        let select = "SELECT customer_id FROM customer";
        let owner = Connection::open(path)
            .unwrap()
            .query_row(select, [], |row| row.get(0));
        owner.is_ok_and(|owner: String| owner == *customer)
    };
    let file = objects(data, "CustomerObject").into_iter().find(is_its);
    append::append(
        &file.expect("the customer's object"),
        customer,
        &dek,
        entries.parse().unwrap(),
    );
}

/// The customer's data key, from the one vault that opens for it.
fn key(data: &Path, customer: &str, masters: &MasterKeys) -> Dek {
    let id = CustomerId::parse(customer).unwrap();
    let held = |path: &PathBuf| {
        let select = "SELECT wrapped FROM vault";
        let wrapped = Connection::open(path)
            .unwrap()
            .query_row(select, [], |row| row.get(0));
        let wrapped = Wrapped::parse(&wrapped.ok().map(|bytes: Vec<u8>| bytes)?)?;
        masters.unwrap(&id, &wrapped).ok()
    };
    let found = objects(data, "KeyVaultObject").iter().find_map(held);
    found.expect("the customer's key").0
}

/// The files of a class of objects.
fn objects(data: &Path, class: &str) -> Vec<PathBuf> {
    let folder = data.join(format!("user-api-{class}"));
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    // Beside them workerd keeps a file of its own, which is named by a word.
    let is_object = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.len() == 64 + ".sqlite".len())
    };
    files.filter(is_object).collect()
}
