//! The export: what is in it, of which moment, that ordinary tools open it, and that no byte of it can be changed.

use crate::support::people::CUSTOMER;
use crate::support::world::HOUR;
use crate::support::{Who, World, ada, admin, bob, service};
use serde_json::{Value, json};
use std::process::Command;
use user_api::customer::export::{Export, PIECE_BYTES};
use user_api::customer::request::Reply;
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::types::Timestamp;
use user_api::verify::archive::{Report, verify};
use user_api::verify::{Checkpoint, Fault, Place, PublicKeys};

fn owner() -> Who {
    Who::user("auth0|owner").email("owner@example.com")
}

fn keys() -> PublicKeys {
    let seeds = [("1", &[8; 32])];
    let keys = user_api::crypto::SigningKeys::new(seeds.into_iter()).unwrap();
    keys.public().clone()
}

pub fn begin(world: &mut World, who: &Who, route: Route) -> Export {
    match world.send(&who.sends_to(route, CUSTOMER, b"")) {
        Reply::Archive(plan) => Export::new(*plan),
        other => panic!("no export: {other:?}"),
    }
}

pub fn pull(world: &mut World, export: &mut Export) -> user_api::error::Result<Vec<u8>> {
    use user_api::sql::Sql;
    let now = Timestamp::from_millis(world.now);
    let mut piece = Vec::new();
    let World {
        sql,
        customer,
        entropy,
        ..
    } = world;
    let done = sql.transaction(&mut || {
        piece = customer.pull(sql, export, now, entropy)?;
        Ok(())
    });
    if done.is_err() {
        customer.forget();
    }
    done.map(|()| piece)
}

fn rest(world: &mut World, export: &mut Export, mut between: impl FnMut(&mut World)) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !export.is_done() {
        let piece = pull(world, export).unwrap();
        assert!(!piece.is_empty());
        bytes.extend(piece);
        between(world);
    }
    bytes
}

pub fn exported(world: &mut World, who: &Who, route: Route) -> Vec<u8> {
    let mut export = begin(world, who, route);
    rest(world, &mut export, |_| ())
}

pub fn check(bytes: &[u8]) -> Result<Report, Fault> {
    let mut source = bytes;
    verify(&mut source, &keys(), None)
}

/// The files by Python's zipfile, which also compares every CRC.
pub fn files(bytes: &[u8]) -> serde_json::Map<String, Value> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.zip");
    std::fs::write(&path, bytes).unwrap();
    let script = "import sys,json,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                  print(json.dumps({n:z.read(n).decode() for n in z.namelist()}))";
    let python = Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        python.status.success(),
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );
    let unzip = Command::new("unzip").arg("-t").arg(&path).output().unwrap();
    let told = String::from_utf8_lossy(&unzip.stdout).into_owned();
    assert!(
        unzip.status.success() && told.contains("No errors detected"),
        "{told}"
    );
    serde_json::from_slice(&python.stdout).unwrap()
}

fn populated() -> World {
    let mut world = World::new();
    world.send(&ada().says(Route::PatchUser, &json!({"displayName": "Ada"})));
    world.send(&bob().says(Route::PatchPreferences, &json!({"theme": "dark"})));
    world.send(&owner().says(Route::CreateKey, &json!({"name": "ci", "scopes": ["audit:read"]})));
    world.send(&admin().says(
        Route::AdminPutLimits,
        &json!([{"name": "burst", "q": 500, "w": 60}]),
    ));
    world
}

#[test]
fn an_export_holds_everything_opens_in_ordinary_tools_and_proves_itself() {
    let mut world = populated();
    let entries = world.count("audit") as u64;
    let bytes = exported(&mut world, &owner(), Route::ExportCustomer);
    let report = check(&bytes).unwrap();
    assert_eq!((report.log.seq, report.kid.as_str()), (entries, "1"));
    // Those of the service that made the customer and of the administrator come without.
    assert_eq!(report.log.details, entries - 2);
    assert_eq!(report.manifest.customer_id, CUSTOMER);
    let files = files(&bytes);
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 11);
    let json = |name: &str| -> Value { serde_json::from_str(files[name].as_str().unwrap()).unwrap() };
    assert_eq!(json("customer.json")["email"], "owner@example.com");
    let users = json("users.json");
    assert_eq!(users.as_array().unwrap().len(), 3);
    assert!(
        users
            .as_array()
            .unwrap()
            .iter()
            .any(|user| user["displayName"] == "Ada")
    );
    let preferences = json("preferences.json");
    assert!(
        preferences
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["preferences"]["theme"] == "dark")
    );
    assert_eq!(json("limits.json")["own"][0]["q"], 500);
    let keys = files["api-keys.json"].as_str().unwrap();
    assert!(keys.contains("\"ci\"") && !keys.contains("\"secret\""));
    assert!(files["README.txt"].as_str().unwrap().contains(CUSTOMER));
    let csv = files["audit.csv"].as_str().unwrap();
    assert_eq!(csv.lines().count() as u64, entries + 1);
}

#[test]
fn only_the_owner_and_administrators_export_and_a_suspended_customer_still_can() {
    let mut world = populated();
    world.set_status("suspended");
    assert_eq!(world.refusal(&ada().asks(Route::ExportCustomer)), Code::Forbidden);
    assert_eq!(
        world.refusal(&service().asks(Route::ExportCustomer)),
        Code::Forbidden
    );
    check(&exported(&mut world, &owner(), Route::ExportCustomer)).unwrap();
    let bytes = exported(&mut world, &admin(), Route::AdminExport);
    let report = check(&bytes).unwrap();
    assert_eq!(
        report.log.details, report.log.seq,
        "an operator sees every detail"
    );
    assert_eq!(report.manifest.made_by.kind, "admin");
    world.set_status("erased");
    assert_eq!(
        world.refusal(&owner().asks(Route::ExportCustomer)),
        Code::CustomerErased
    );
}

#[test]
fn an_export_tells_of_the_moment_it_began_whatever_is_written_meanwhile() {
    let mut world = populated();
    for _ in 0..800 {
        world.send(&ada().asks(Route::GetUser));
    }
    let entries = world.count("audit") as u64;
    let mut export = begin(&mut world, &owner(), Route::ExportCustomer);
    let mut turns = 0;
    let change = |world: &mut World| {
        turns += 1;
        world.send(&ada().says(Route::PatchUser, &json!({"displayName": "Amended"})));
        world.send(&bob().says(Route::PatchPreferences, &json!({"theme": "light"})));
        world.send(&owner().says(Route::PatchCustomer, &json!({"name": "Amended"})));
        world.send(&Who::user(&format!("new|{turns}")).asks(Route::GetUser));
    };
    // Also before the first piece.
    let mut change = change;
    change(&mut world);
    let bytes = rest(&mut world, &mut export, change);
    assert!(turns > 3);
    let report = check(&bytes).unwrap();
    assert_eq!(report.log.seq, entries);
    let files = files(&bytes);
    for name in ["customer.json", "users.json", "preferences.json", "audit.csv"] {
        assert!(!files[name].as_str().unwrap().contains("Amended"), "{name}");
    }
    assert!(files["preferences.json"].as_str().unwrap().contains("dark"));
    assert_eq!((world.count("export_users"), world.count("exports")), (0, 0));
}

#[test]
fn the_log_tells_that_an_export_began_and_what_was_handed_out() {
    use sha2::{Digest, Sha256};
    let mut world = populated();
    let before = world.count("audit") as usize;
    let bytes = exported(&mut world, &owner(), Route::ExportCustomer);
    let log = world.log();
    let [began, ended] = &log[before..] else {
        panic!("not two entries")
    };
    assert_eq!(
        (began.brief().as_str(), ended.brief().as_str()),
        ("export.read ok user", "export.completed ok user")
    );
    assert_eq!(began.header["requestId"], ended.header["requestId"]);
    let detail = ended.detail.as_ref().unwrap();
    assert_eq!(detail["bytes"], bytes.len());
    let manifest = files(&bytes)["manifest.json"].as_str().unwrap().to_owned();
    let digest: String = Sha256::digest(manifest)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(detail["manifestSha256"], digest.as_str());
}

#[test]
fn a_revoked_token_ends_its_export_with_the_next_piece() {
    for all in [true, false] {
        let mut world = populated();
        // Enough for more than one piece.
        world.batch(&vec![owner().asks(Route::GetCustomer); 400]);
        let stolen = owner().change(|user| user.jti = Some("stolen".to_owned()));
        let mut export = begin(&mut world, &stolen, Route::ExportCustomer);
        pull(&mut world, &mut export).unwrap();
        let what = if all {
            json!({"all": true})
        } else {
            json!({"jti": "stolen"})
        };
        assert_eq!(world.send(&owner().says(Route::RevokeTokens, &what)), Reply::Done);
        assert_eq!(
            pull(&mut world, &mut export).unwrap_err().code,
            Code::TokenRevoked
        );
        let now = Timestamp::from_millis(world.now);
        let World {
            sql,
            customer,
            entropy,
            ..
        } = &mut world;
        customer.abandon(sql, &export, now, entropy).unwrap();
        let last = world.log().pop().unwrap();
        assert_eq!(last.brief(), "export.aborted ok user");
        assert_eq!(last.detail.unwrap()["reason"], "revoked");
    }
}

#[test]
fn an_export_that_is_broken_off_is_told_and_leaves_no_copy() {
    let mut world = populated();
    let mut cancelled = begin(&mut world, &owner(), Route::ExportCustomer);
    pull(&mut world, &mut cancelled).unwrap();
    let idle = begin(&mut world, &owner(), Route::ExportCustomer);
    let mut slow = begin(&mut world, &owner(), Route::ExportCustomer);
    let cancelled = begin(&mut world, &owner(), Route::ExportCustomer);
    let now = Timestamp::from_millis(world.now);
    let World {
        sql,
        customer,
        entropy,
        ..
    } = &mut world;
    customer.abandon(sql, &cancelled, now, entropy).unwrap();
    assert_eq!(world.briefs(0).last().unwrap(), "export.aborted ok user");
    // A restart cuts the others off, but one whose receiver is still there goes on.
    world.restart();
    world.now += 9 * 60_000;
    world.send(&ada().asks(Route::GetUser));
    world.now += 5 * 60_000;
    rest(&mut world, &mut slow, |_| ());
    world.now += 6 * 60_000;
    let due = world.customer.due().unwrap();
    assert!(due.as_millis() <= world.now);
    let now = Timestamp::from_millis(world.now);
    let World {
        sql,
        customer,
        entropy,
        ..
    } = &mut world;
    customer.tick(sql, now, entropy).unwrap();
    assert_eq!(world.briefs(0).last().unwrap(), "export.aborted ok system");
    assert_eq!((world.count("export_users"), world.count("exports")), (0, 0));
    let mut gone = idle;
    assert_eq!(pull(&mut world, &mut gone).unwrap_err().code, Code::Unavailable);
}

#[test]
fn a_customer_has_four_exports_at_a_time() {
    let mut world = populated();
    let mut exports: Vec<_> = (0..4)
        .map(|_| begin(&mut world, &owner(), Route::ExportCustomer))
        .collect();
    assert_eq!(
        world.refusal(&owner().asks(Route::ExportCustomer)),
        Code::LimitReached
    );
    rest(&mut world, &mut exports[2], |_| ());
    begin(&mut world, &owner(), Route::ExportCustomer);
}

#[test]
fn an_erased_customers_export_ends_in_an_error() {
    let mut world = populated();
    let mut export = begin(&mut world, &owner(), Route::ExportCustomer);
    world.set_status("erased");
    assert_eq!(
        pull(&mut world, &mut export).unwrap_err().code,
        Code::CustomerErased
    );
}

#[test]
fn every_flipped_byte_of_an_export_is_found() {
    let mut world = populated();
    let bytes = exported(&mut world, &owner(), Route::ExportCustomer);
    check(&bytes).unwrap();
    for at in 0..bytes.len() {
        // One bit, and all of them: a letter's case, a digit, a sign, a control character.
        for mask in [1, 0x20, 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            assert!(
                check(&flipped).is_err(),
                "byte {at} of {} with {mask:#x}",
                bytes.len()
            );
        }
    }
}

#[test]
fn an_export_cut_short_or_with_anything_added_is_found() {
    let mut world = populated();
    let bytes = exported(&mut world, &owner(), Route::ExportCustomer);
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        assert!(check(&bytes[..length]).is_err(), "{length}");
    }
    for added in [&b"\0"[..], b"PK\x05\x06", &bytes] {
        assert!(check(&[&bytes, added].concat()).is_err());
        assert!(check(&[added, &bytes[..]].concat()).is_err());
    }
}

/// Replaces text in the log of an archive by as much other text, and mends the CRC as a forger would.
fn forge(bytes: &[u8], from: &str, to: &str) -> Fault {
    assert_eq!(from.len(), to.len());
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .unwrap();
    let mut forged = bytes.to_vec();
    forged[at..at + to.len()].copy_from_slice(to.as_bytes());
    check(&forged).unwrap_err()
}

#[test]
fn the_entry_that_is_wrong_is_named() {
    let mut world = populated();
    for _ in 0..5 {
        world.send(&bob().asks(Route::GetPreferences));
    }
    let bytes = exported(&mut world, &owner(), Route::ExportCustomer);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let entry = |seq: usize| {
        text.split("\n{\"detail\"")
            .nth(seq - 1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let changed = |seq: usize, from: &str, to: &str| {
        let line = entry(seq);
        forge(&bytes, &line, &line.replacen(from, to, 1)).place
    };
    assert_eq!(
        changed(3, "preferences.update", "preferences.upd4te"),
        Place::Entry(3)
    );
    assert_eq!(changed(7, "203.0.113.9", "203.0.113.8"), Place::Entry(7));
    assert_eq!(changed(8, "\"seq\":8", "\"seq\":9"), Place::Entry(8));
    let older = Checkpoint {
        customer_id: CUSTOMER.to_owned(),
        seq: 4,
        hash: [1; 32],
        at: String::new(),
    };
    let mut source = bytes.as_slice();
    let fault = verify(&mut source, &keys(), Some(older)).unwrap_err();
    assert_eq!(fault.place, Place::Entry(4));
    let stranger = user_api::crypto::SigningKeys::new([("1", &[9; 32])].into_iter()).unwrap();
    let fault = verify(&mut source, stranger.public(), None).unwrap_err();
    assert_eq!(fault.place, Place::File("manifest.json.sig"));
}

#[test]
fn a_log_of_many_entries_comes_in_pieces_of_bounded_size() {
    let mut world = populated();
    let value = "x".repeat(490);
    let metadata: serde_json::Map<_, _> = (0..50).map(|n| (format!("key{n}"), json!(value))).collect();
    for round in 0..40 {
        let mut metadata = metadata.clone();
        metadata.insert("key0".into(), json!(round.to_string()));
        world.send(&owner().says(Route::PatchCustomer, &json!({"metadata": metadata})));
    }
    let mut export = begin(&mut world, &owner(), Route::ExportCustomer);
    let mut bytes = Vec::new();
    while !export.is_done() {
        let piece = pull(&mut world, &mut export).unwrap();
        // What was there before the last entries were read, as many bytes of those, one entry more, and JSON's own.
        assert!(piece.len() < 3 * PIECE_BYTES, "{}", piece.len());
        bytes.extend(piece);
    }
    check(&bytes).unwrap();
}

#[test]
fn details_older_than_the_retention_go_the_entries_stay_and_the_chain_verifies() {
    let mut world = populated();
    let day = 24 * HOUR;
    for _ in 0..1_200 {
        world.send(&ada().asks(Route::GetUser));
    }
    let old = world.count("audit");
    world.now += 400 * day;
    world.send(&ada().says(Route::PatchUser, &json!({"displayName": "Later"})));
    world.now += 329 * day;
    let tick = |world: &mut World| {
        world.unlock(false).unwrap();
        let now = Timestamp::from_millis(world.now);
        let World {
            sql,
            customer,
            entropy,
            ..
        } = world;
        customer.tick(sql, now, entropy).unwrap();
    };
    let kept = |world: &World| world.log().iter().filter(|entry| entry.detail.is_some()).count() as i64;
    tick(&mut world);
    assert_eq!(kept(&world), old + 1, "nothing goes before its time");
    world.now += 2 * day;
    assert!(world.customer.due().unwrap().as_millis() <= world.now);
    // In batches, and across a restart.
    tick(&mut world);
    assert_eq!(kept(&world), old + 1 - 500);
    world.restart();
    for _ in 0..3 {
        tick(&mut world);
    }
    assert_eq!(kept(&world), 1);
    assert_eq!(world.log().len() as i64, old + 1);
    let report = check(&exported(&mut world, &admin(), Route::AdminExport)).unwrap();
    assert_eq!((report.log.seq, report.log.details), (old as u64 + 1, 1));
}
