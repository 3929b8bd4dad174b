//! `user-api verify` of a certificate and of heads that were kept, which needs no service. Of exports and logs: `tests/e2e/export.rs`.

use crate::run::Place;
use serde_json::json;
use user_api::crypto::SigningKeys;
use user_api::verify::certificate::{AskedBy, Certificate, Item, Log, LogEnd};
use user_api::verify::{Checkpoint, chain};

fn keys(seed: u8) -> SigningKeys {
    SigningKeys::new([("k1", &[seed; 32])].into_iter()).unwrap()
}

fn certificate() -> String {
    let end = |seq| LogEnd {
        seq,
        hash: "00".repeat(32),
    };
    let certificate = Certificate {
        v: 1,
        customer_id: "cust_gone".to_owned(),
        asked_by: AskedBy {
            kind: "user".to_owned(),
            id: "user_1".to_owned(),
        },
        requested_at: "2026-01-01T00:00:00.000Z".to_owned(),
        due_at: "2026-01-08T00:00:00.000Z".to_owned(),
        erased_at: "2026-01-08T00:00:00.000Z".to_owned(),
        completed_at: "2026-01-08T00:00:01.000Z".to_owned(),
        destroyed: [("users".to_owned(), 12)].into_iter().collect(),
        kept: vec![Item {
            what: "tombstone".to_owned(),
            why: "So that nothing brings it back.".to_owned(),
        }],
        not_reached: Vec::new(),
        audit: Log {
            before: end(7),
            after: end(9),
        },
        key_recoverable_until: "2026-02-07T00:00:01.000Z".to_owned(),
    };
    keys(7).certificate(&certificate).unwrap()
}

/// A place with the service's public keys and the certificate, by itself and in the answer that brought it.
fn place(seed: u8) -> Place {
    let place = Place::new();
    place.write("keys.json", &keys(seed).public().to_jwks().to_string());
    place.write("gone.jws", &certificate());
    let problem = json!({"status": 410, "code": "customer_erased", "certificate": certificate()});
    place.write("gone.json", &serde_json::to_string_pretty(&problem).unwrap());
    place
}

#[test]
fn a_certificate_is_checked_by_itself_and_in_the_answer_that_brought_it() {
    let place = place(7);
    for file in ["gone.jws", "gone.json"] {
        let said = place.ok(&["verify", file, "--jwks", "keys.json"]);
        for words in [
            "certificate is genuine",
            "cust_gone",
            "user user_1",
            "key k1",
            "12 users",
            "tombstone",
        ] {
            assert!(said.contains(words), "{file}: no {words:?} in {said}");
        }
        place.refused(&["verify", file], 2, &["--jwks"]);
    }
}

#[test]
fn a_certificate_that_was_changed_or_is_another_s_is_refused_with_code_3() {
    let sound = certificate();
    let place = place(7);
    let (input, signature) = sound.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    for (changed, word) in [
        (format!("{header}.{payload}e.{signature}"), "signature"),
        (format!("{input}.AAAA"), "signature"),
        (input.to_owned(), "certificate"),
        ("{\"certificate\": null}".to_owned(), "certificate"),
    ] {
        place.write("changed", &changed);
        place.refused(
            &["verify", "changed", "--jwks", "keys.json"],
            3,
            &["the certificate", word],
        );
    }
    self::place(8).refused(&["verify", "gone.jws", "--jwks", "keys.json"], 3, &["signature"]);
}

fn leaf(seq: u64) -> chain::Hash {
    chain::leaf(format!("entry {seq}").as_bytes())
}

fn head(seq: u64) -> Checkpoint {
    let begin = chain::genesis("cust_kept");
    Checkpoint {
        customer_id: "cust_kept".to_owned(),
        seq,
        hash: (1..=seq).fold(begin, |hash, seq| chain::link(&hash, &leaf(seq))),
        at: format!("2026-01-0{seq}T00:00:00.000Z"),
    }
}

/// What the service answers of a log of `seq` entries to `?since=`, with the leaves up to `until`.
#[allow(clippy::arithmetic_side_effects)] // Small numbers of the tests.
fn answer(seq: u64, since: u64, until: u64) -> String {
    let leaves: Vec<_> = (since + 1..=until).map(|seq| chain::hex(&leaf(seq))).collect();
    let mut answer = json!({
        "seq": seq, "hash": chain::hex(&head(seq).hash), "at": head(seq).at, "checkpoint": keys(7).note(&head(seq)),
        "leaves": leaves,
    });
    if until < seq {
        answer["nextSince"] = json!(until);
    }
    answer.to_string()
}

#[test]
fn a_log_is_shown_to_extend_a_head_that_was_kept() {
    let place = place(7);
    place.write("older.note", &keys(7).note(&head(3)));
    place.write("whole.json", &answer(7, 3, 7));
    place.write("first.json", &answer(7, 3, 5));
    place.write("second.json", &answer(8, 5, 8));
    let kept = ["--jwks", "keys.json", "--head", "older.note"];
    for files in [&["whole.json"][..], &["first.json", "second.json"]] {
        let said = place.ok(&[&["verify"][..], files, &kept].concat());
        for words in ["extends the older one", "cust_kept", "entry 3", "key k1"] {
            assert!(said.contains(words), "no {words:?} in {said}");
        }
    }
    let verify = |files: &[&'static str]| [&["verify"][..], files, &kept].concat();
    place.refused(&verify(&["first.json"]), 3, &["answers are missing", "since=5"]);
    place.refused(&verify(&["second.json"]), 3, &["the checkpoint"]);
    place.refused(&verify(&["gone.jws", "whole.json"]), 2, &["several"]);
    place.refused(&["verify", "whole.json"], 2, &["--head"]);
    place.refused(&["verify", "whole.json", "--jwks", "keys.json"], 2, &["--head"]);
}

#[test]
fn a_log_that_was_rewritten_since_is_refused_with_code_3() {
    let place = place(7);
    let rewritten = Checkpoint {
        hash: [1; 32],
        ..head(3)
    };
    place.write("older.note", &keys(7).note(&rewritten));
    place.write("now.json", &answer(7, 3, 7));
    let args = [
        "verify",
        "now.json",
        "--jwks",
        "keys.json",
        "--head",
        "older.note",
    ];
    place.refused(&args, 3, &["rewritten", "entry 7"]);
}
