//! The cache of the issuer's keys.
use super::*;
use proptest::prelude::*;

const START: i64 = NOW * 1000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(START + ms)
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Said {
    Keys,
    Unknown,
    Fetch,
    Wait,
    Unavailable,
}

fn ask(cache: &mut JwksCache, kid: Option<&str>, ms: i64) -> Said {
    match cache.lookup(kid, Algorithm::EdDsa, at(ms)) {
        Lookup::Keys(_) => Said::Keys,
        Lookup::Unknown => Said::Unknown,
        Lookup::Fetch => Said::Fetch,
        Lookup::Wait => Said::Wait,
        Lookup::Unavailable => Said::Unavailable,
    }
}

fn set(kids: &[&str]) -> Vec<u8> {
    let key = &pinned::jwks("pyjwt")["keys"][2];
    let keys = kids.iter().map(|kid| {
        let mut key = key.clone();
        key["kid"] = json!(kid);
        key
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
        .to_string()
        .into_bytes()
}

/// A cache that holds key `a`, fetched at 0.
fn filled() -> JwksCache {
    let mut cache = JwksCache::default();
    assert_eq!(ask(&mut cache, Some("a"), 0), Said::Fetch);
    cache.fetched(at(0), &set(&["a"])).unwrap();
    cache
}

#[test]
fn one_fetches_while_the_others_wait() {
    let mut cache = JwksCache::default();
    assert_eq!(ask(&mut cache, Some("a"), 0), Said::Fetch);
    for ms in [0, 1, FETCH_DEADLINE_MS - 1] {
        assert_eq!(ask(&mut cache, Some("a"), ms), Said::Wait);
    }
    cache.fetched(at(100), &set(&["a"])).unwrap();
    assert_eq!(ask(&mut cache, Some("a"), 101), Said::Keys);
    assert_eq!(ask(&mut cache, None, 101), Said::Keys);
}

#[test]
fn a_fetch_of_which_nothing_is_heard_is_taken_over() {
    let mut cache = JwksCache::default();
    assert_eq!(ask(&mut cache, Some("a"), 0), Said::Fetch);
    assert_eq!(ask(&mut cache, Some("a"), FETCH_DEADLINE_MS), Said::Fetch);
    assert_eq!(ask(&mut cache, Some("a"), FETCH_DEADLINE_MS + 1), Said::Wait);
    let mut cache = filled();
    assert_eq!(ask(&mut cache, Some("b"), REFRESH_FLOOR_MS), Said::Fetch);
    assert_eq!(
        ask(&mut cache, Some("b"), REFRESH_FLOOR_MS + FETCH_DEADLINE_MS),
        Said::Fetch
    );
}

#[test]
fn an_unknown_kid_refreshes_but_no_oftener_than_the_floor() {
    let mut cache = filled();
    assert_eq!(ask(&mut cache, Some("b"), 1), Said::Unknown);
    assert_eq!(ask(&mut cache, Some("b"), REFRESH_FLOOR_MS - 1), Said::Unknown);
    assert_eq!(ask(&mut cache, Some("b"), REFRESH_FLOOR_MS), Said::Fetch);
    assert_eq!(ask(&mut cache, Some("c"), REFRESH_FLOOR_MS), Said::Wait);
    assert_eq!(
        ask(&mut cache, Some("a"), REFRESH_FLOOR_MS),
        Said::Keys,
        "known keys wait for nobody"
    );
    cache.fetched(at(REFRESH_FLOOR_MS), &set(&["b"])).unwrap();
    assert_eq!(ask(&mut cache, Some("b"), REFRESH_FLOOR_MS), Said::Keys);
    assert_eq!(
        ask(&mut cache, Some("a"), REFRESH_FLOOR_MS),
        Said::Unknown,
        "a withdrawn key is gone"
    );
}

#[test]
fn keys_outlive_an_issuer_that_is_down_for_a_day_and_no_longer() {
    let mut cache = filled();
    assert_eq!(ask(&mut cache, Some("a"), FRESH_MS - 1), Said::Keys);
    let mut ms = FRESH_MS;
    while ms < STALE_MS {
        assert_eq!(ask(&mut cache, Some("a"), ms), Said::Fetch);
        assert_eq!(
            ask(&mut cache, Some("a"), ms),
            Said::Keys,
            "served stale while one asks"
        );
        cache.failed();
        assert_eq!(ask(&mut cache, Some("a"), ms), Said::Keys);
        assert_eq!(
            ask(&mut cache, Some("b"), ms),
            Said::Unavailable,
            "perhaps the issuer has it by now"
        );
        ms += REFRESH_FLOOR_MS;
    }
    assert_eq!(ask(&mut cache, Some("a"), STALE_MS), Said::Fetch);
    cache.failed();
    assert_eq!(ask(&mut cache, Some("a"), STALE_MS), Said::Unavailable);
    assert_eq!(ask(&mut cache, Some("a"), STALE_MS + RETRY_FLOOR_MS), Said::Fetch);
}

#[test]
fn an_answer_that_is_no_set_counts_as_none() {
    let mut cache = filled();
    assert_eq!(ask(&mut cache, Some("a"), FRESH_MS), Said::Fetch);
    assert!(cache.fetched(at(FRESH_MS), b"<html>").is_err());
    assert_eq!(ask(&mut cache, Some("a"), FRESH_MS + 1), Said::Keys);
    let mut cache = JwksCache::default();
    assert_eq!(ask(&mut cache, None, 0), Said::Fetch);
    assert!(cache.fetched(at(0), b"").is_err());
    assert_eq!(ask(&mut cache, None, 1), Said::Unavailable);
    assert_eq!(ask(&mut cache, None, RETRY_FLOOR_MS), Said::Fetch);
}

#[test]
fn a_clock_that_went_back_costs_a_fetch_and_no_more() {
    let mut cache = filled();
    assert_eq!(ask(&mut cache, Some("a"), -3_600_000), Said::Fetch);
    cache.fetched(at(-3_600_000), &set(&["a"])).unwrap();
    assert_eq!(ask(&mut cache, Some("a"), -3_599_999), Said::Keys);
}

#[test]
fn a_token_is_verified_by_the_keys_that_were_fetched() {
    let auth = authenticator(&[("JWKS_URL", "https://login.example/.well-known/jwks.json")]);
    let mut cache = JwksCache::default();
    let header = format!("Bearer {}", pinned::token("jose", "ES256"));
    let credentials = Credentials {
        authorization: Some(&header),
        ..Credentials::default()
    };
    assert!(matches!(
        auth.authenticate(&credentials, &mut cache, now()),
        Outcome::FetchKeys
    ));
    assert!(matches!(
        auth.authenticate(&credentials, &mut cache, now()),
        Outcome::WaitForKeys
    ));
    cache
        .fetched(now(), pinned::jwks("jose").to_string().as_bytes())
        .unwrap();
    let Outcome::Done(decided) = auth.authenticate(&credentials, &mut cache, now()) else {
        panic!()
    };
    assert_eq!(user(decided).subject, "cust_pinned0001");
    let other = format!("Bearer {}", pinned::token("pyjwt", "ES256"));
    let other = Credentials {
        authorization: Some(&other),
        ..Credentials::default()
    };
    let Outcome::Done(decided) = auth.authenticate(&other, &mut cache, now()) else {
        panic!()
    };
    refused(decided, "unknown_kid");
    // HS256 tokens never make us ask the issuer.
    user(bearer(&auth, &sign(&claims())));
    let mut down = JwksCache::default();
    assert!(matches!(
        auth.authenticate(&credentials, &mut down, now()),
        Outcome::FetchKeys
    ));
    down.failed();
    let Outcome::Done(decided) = auth.authenticate(&credentials, &mut down, now()) else {
        panic!()
    };
    refused(decided, "issuer_unavailable");
}

#[derive(Debug, Clone)]
enum Event {
    Ask(bool, i64),
    Fetched,
    Failed,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: fetches start no closer than the floors allow, nobody waits while
    /// nobody fetches, and keys are never older than a day.
    #[test]
    fn the_cache_keeps_its_bounds(events in prop::collection::vec(prop_oneof![
        4 => (any::<bool>(), prop_oneof![0_i64..3_000, 0_i64..100_000, 0_i64..100_000_000]).prop_map(|(known, ms)| Event::Ask(known, ms)),
        1 => Just(Event::Fetched),
        1 => Just(Event::Failed),
    ], 1..60)) {
        let mut cache = JwksCache::default();
        let (mut ms, mut started, mut fetching, mut filled_at) = (0, None::<i64>, false, None::<i64>);
        for event in events {
            match event {
                Event::Ask(known, wait) => {
                    ms += wait;
                    let held = filled_at.is_some_and(|then| ms - then < STALE_MS);
                    let said = ask(&mut cache, Some(if known { "a" } else { "b" }), ms);
                    match said {
                        Said::Fetch => {
                            let floor = if fetching { FETCH_DEADLINE_MS } else if held { REFRESH_FLOOR_MS } else { RETRY_FLOOR_MS };
                            prop_assert!(started.is_none_or(|then| ms - then >= floor));
                            (started, fetching) = (Some(ms), true);
                        }
                        Said::Wait => prop_assert!(fetching && started.is_some_and(|then| ms - then < FETCH_DEADLINE_MS)),
                        Said::Keys => prop_assert!(known && held),
                        Said::Unknown => prop_assert!(held && !known),
                        Said::Unavailable => prop_assert!(!(known && held)),
                    }
                }
                Event::Fetched if fetching => {
                    cache.fetched(at(ms), &set(&["a"])).unwrap();
                    (filled_at, fetching) = (Some(ms), false);
                }
                Event::Failed if fetching => {
                    cache.failed();
                    fetching = false;
                }
                _ => {}
            }
        }
    }
}
