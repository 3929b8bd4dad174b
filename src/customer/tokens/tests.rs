//! Revocations against what they promise, by cases and by a model.

use super::*;
use crate::customer::test_sql::TestSql;
use proptest::prelude::*;

const TTL: u32 = 1000;
const NOW: i64 = 1_800_000_000;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn start() -> (TestSql, Revocations) {
    let sql = TestSql::new();
    let revocations = Revocations::load(&sql, TTL).unwrap();
    (sql, revocations)
}

fn user(jti: &str, issued_at: i64) -> User {
    User {
        customer: CustomerId::parse("cust_1"),
        subject: "user_0123456789ab".into(),
        email: None,
        email_verified: false,
        is_admin: false,
        scopes: vec![],
        jti: Some(jti.to_owned()),
        issued_at,
        expires_at: issued_at + i64::from(TTL),
        csrf: None,
        legacy_hashes: vec![],
    }
}

fn service(jti: Option<&str>, issued_at: Option<i64>) -> Service {
    Service {
        id: "login-service".into(),
        jti: jti.map(str::to_owned),
        issued_at,
    }
}

fn caller() -> Caller {
    Caller::User(Box::new(user("caller", NOW)))
}

#[track_caller]
fn revoked(checked: Result<()>) {
    assert_eq!(checked.unwrap_err().code, Code::TokenRevoked);
}

fn faults(error: &Error) -> Vec<&str> {
    error.faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

/// Rows that were revoked one by one at that moment, as `held` knows.
fn fill(sql: &TestSql, rows: i64, revoked_at: Timestamp) {
    sql.exec(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
         INSERT INTO revocations SELECT randomblob(32), ? FROM n",
        &[rows.into(), revoked_at.as_millis().into()],
    )
    .unwrap();
    sql.exec(
        "UPDATE token_state SET held = (SELECT count(*) FROM revocations)",
        &[],
    )
    .unwrap();
}

#[test]
fn bounds_are_those_of_authentication() {
    assert_eq!(MAX_SKEW_SECS, crate::edge::auth::MAX_SKEW_SECS);
    assert_eq!(MAX_JTI_CHARS, crate::edge::auth::MAX_ID_CHARS);
}

/// Computed with Python's hashlib.
#[test]
fn stored_hashes_are_unchanged() {
    let hex = |name: TokenName<'_>| name.hash().map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(
        hex(TokenName::Jti("j1")),
        "cd875f1314bdcbbdd07cfea6c28e0c8c829162bea22da54847d2cfa7ed1d349d"
    );
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let wanted = "5cc57bd7fa6d3e1757bef0b025989c0f3e3fb8f387c0867a78b404070a24a4c4";
    assert_eq!(hex(TokenName::Legacy(abc)), wanted);
    assert_eq!(hex(TokenName::Legacy(&abc.to_uppercase())), wanted);
}

#[test]
fn a_revoked_token_dies_and_no_other() {
    let (sql, mut revocations) = start();
    revocations
        .revoke_one(&sql, TokenName::Jti("a"), at(NOW))
        .unwrap();
    revocations
        .revoke_one(&sql, TokenName::Legacy("00ff"), at(NOW))
        .unwrap();
    for state in [revocations.clone(), Revocations::load(&sql, TTL).unwrap()] {
        revoked(state.check(&sql, &user("a", NOW)));
        revoked(state.check_service(&sql, &service(Some("a"), Some(NOW))));
        state.check(&sql, &user("b", NOW)).unwrap();
        // A `jti` that reads like the other kind's value is not that.
        state.check(&sql, &user("00ff", NOW)).unwrap();
        let mut legacy = user("b", NOW);
        legacy.legacy_hashes = vec!["11".into(), "00ff".into()];
        revoked(state.check(&sql, &legacy));
        legacy.jti = None;
        revoked(state.check(&sql, &legacy));
        state.check_service(&sql, &service(None, None)).unwrap();
    }
}

#[test]
fn revoke_all_takes_the_token_that_asks_and_spares_what_comes_after() {
    let (sql, mut revocations) = start();
    revocations
        .revoke(&sql, &Target::All, &caller(), at(NOW))
        .unwrap();
    revoked(revocations.check(&sql, &user("caller", NOW)));
    revoked(revocations.check(&sql, &user("x", 0)));
    revoked(revocations.check_service(&sql, &service(None, Some(NOW))));
    revocations.check(&sql, &user("x", NOW + 1)).unwrap();
    revocations.check_service(&sql, &service(None, None)).unwrap();
    // The issuer's clock is ahead of ours: the token that asks dies all the same.
    let ahead = Caller::User(Box::new(user("ahead", NOW + 50)));
    revocations.revoke(&sql, &Target::All, &ahead, at(NOW)).unwrap();
    revoked(revocations.check(&sql, &user("ahead", NOW + 50)));
    revocations.check(&sql, &user("x", NOW + 51)).unwrap();
}

#[test]
fn not_before_never_moves_back() {
    let (sql, mut revocations) = start();
    let by = Caller::Service(service(None, None));
    let mut until = |seconds| revocations.revoke(&sql, &Target::NotBefore(seconds), &by, at(NOW));
    until(NOW).unwrap();
    until(NOW - 5).unwrap();
    until(0).unwrap();
    until(NOW + 60).unwrap();
    let error = until(NOW + 61).unwrap_err();
    assert_eq!(
        (error.code, faults(&error)),
        (Code::ValidationFailed, vec!["#/notBefore"])
    );
    assert_eq!(revocations.not_before, Some(NOW + 60));
    assert_eq!(Revocations::load(&sql, TTL).unwrap(), revocations);
    for statement in [
        "UPDATE token_state SET not_before = 1",
        "UPDATE token_state SET not_before = NULL",
    ] {
        assert!(sql.exec(statement, &[]).is_err());
    }
}

#[test]
fn not_before_zero_is_a_time_stamp_too() {
    let (sql, mut revocations) = start();
    revocations.check(&sql, &user("x", 0)).unwrap();
    revocations.revoke_until(&sql, 0).unwrap();
    revoked(revocations.check(&sql, &user("x", 0)));
}

#[test]
fn while_nothing_is_revoked_a_check_asks_nothing() {
    let (sql, mut revocations) = start();
    let before = sql.statements.get();
    revocations.check(&sql, &user("a", NOW)).unwrap();
    assert!(!revocations.sweep(&sql, at(NOW), 500).unwrap());
    assert_eq!(revocations.next_sweep(&sql, at(NOW)).unwrap(), None);
    assert_eq!(sql.statements.get(), before);
    revocations
        .revoke_one(&sql, TokenName::Jti("b"), at(NOW))
        .unwrap();
    let before = sql.statements.get();
    revocations.check(&sql, &user("a", NOW)).unwrap();
    assert_eq!(sql.statements.get(), before + 1);
}

#[test]
fn ten_thousand_are_held_and_then_all_must_be_revoked() {
    let (sql, mut revocations) = start();
    revocations
        .revoke_one(&sql, TokenName::Jti("a"), at(NOW))
        .unwrap();
    fill(&sql, MAX_HELD - 2, at(NOW));
    revocations = Revocations::load(&sql, TTL).unwrap();
    revocations
        .revoke_one(&sql, TokenName::Jti("b"), at(NOW))
        .unwrap();
    let refused = |revocations: &mut Revocations, now| {
        let error = revocations
            .revoke_one(&sql, TokenName::Jti("c"), now)
            .unwrap_err();
        assert_eq!(error.code, Code::RevokeAllInstead);
    };
    refused(&mut revocations, at(NOW + 1));
    revocations.check(&sql, &user("c", NOW)).unwrap();
    // What is revoked already may be revoked again.
    revocations
        .revoke_one(&sql, TokenName::Jti("a"), at(NOW + 1))
        .unwrap();
    // A revoke-all makes room, as soon as it covers the skew.
    revocations
        .revoke(&sql, &Target::All, &caller(), at(NOW + 59))
        .unwrap();
    refused(&mut revocations, at(NOW + 59));
    revocations
        .revoke(&sql, &Target::All, &caller(), at(NOW + 60))
        .unwrap();
    revocations
        .revoke_one(&sql, TokenName::Jti("c"), at(NOW + 60))
        .unwrap();
    assert_eq!(revocations.held, MAX_HELD - SWEEP_ROWS + 1);
    assert_eq!(sql.integer("SELECT count(*) FROM revocations"), revocations.held);
}

#[test]
fn at_the_bound_expired_ones_make_room() {
    let (sql, _) = start();
    fill(&sql, MAX_HELD, at(NOW));
    let mut revocations = Revocations::load(&sql, TTL).unwrap();
    let gone = at(NOW + i64::from(TTL) + MAX_SKEW_SECS);
    revocations.revoke_one(&sql, TokenName::Jti("c"), gone).unwrap();
    revoked(revocations.check(&sql, &user("c", NOW)));
}

#[test]
fn revoking_again_holds_for_the_whole_time_anew() {
    let (sql, mut revocations) = start();
    let ttl = i64::from(TTL);
    revocations
        .revoke_one(&sql, TokenName::Jti("a"), at(NOW))
        .unwrap();
    // An issuer used the `jti` again.
    revocations
        .revoke_one(&sql, TokenName::Jti("a"), at(NOW + ttl))
        .unwrap();
    revocations.sweep(&sql, at(NOW + 2 * ttl), SWEEP_ROWS).unwrap();
    revoked(revocations.check(&sql, &user("a", NOW + ttl)));
    // A clock that went back shortens nothing.
    revocations
        .revoke_one(&sql, TokenName::Jti("a"), at(NOW))
        .unwrap();
    revocations.sweep(&sql, at(NOW + 2 * ttl), SWEEP_ROWS).unwrap();
    revoked(revocations.check(&sql, &user("a", NOW + ttl)));
}

#[test]
fn a_sweep_is_bounded_and_the_alarm_learns_when_to_come_back() {
    let (sql, _) = start();
    fill(&sql, 12, at(NOW));
    let mut revocations = Revocations::load(&sql, TTL).unwrap();
    let due = at(NOW + i64::from(TTL) + MAX_SKEW_SECS);
    assert_eq!(revocations.next_sweep(&sql, at(NOW)).unwrap(), Some(due));
    let just_before = Timestamp::from_millis(due.as_millis() - 1);
    assert!(!revocations.sweep(&sql, just_before, 5).unwrap());
    assert_eq!(revocations.held, 12);
    assert!(revocations.sweep(&sql, due, 5).unwrap());
    assert!(revocations.sweep(&sql, due, 5).unwrap());
    assert_eq!(revocations.held, 2);
    assert!(!revocations.sweep(&sql, due, 5).unwrap());
    assert_eq!(Revocations::load(&sql, TTL).unwrap().held, 0);
    assert_eq!(revocations.next_sweep(&sql, due).unwrap(), None);
}

#[test]
fn bodies_of_users() {
    let parse = |body: &str| Target::parse(body.as_bytes());
    assert_eq!(parse(r#"{"jti": "a b"}"#).unwrap(), Target::Jti("a b".into()));
    assert_eq!(parse(r#"{"all": true}"#).unwrap(), Target::All);
    let longest = "\u{e9}".repeat(255);
    assert_eq!(
        parse(&format!(r#"{{"jti": "{longest}"}}"#)).unwrap(),
        Target::Jti(longest.clone())
    );
    let too_long = format!(r#"{{"jti": "{longest}x"}}"#);
    for (body, pointers) in [
        ("{}", vec!["#/jti"]),
        (r#"{"all": false}"#, vec!["#/all"]),
        (r#"{"all": 1, "jti": 2, "x": 3}"#, vec!["#/all", "#/jti", "#/x"]),
        (r#"{"all": true, "jti": "a"}"#, vec!["#/all"]),
        (r#"{"jti": null}"#, vec!["#/jti"]),
        (r#"{"jti": ""}"#, vec!["#/jti"]),
        (r#"{"jti": "a\u0000"}"#, vec!["#/jti"]),
        (r#"{"jti": "a", "notBefore": 1}"#, vec!["#/notBefore"]),
        (&too_long, vec!["#/jti"]),
    ] {
        let error = parse(body).unwrap_err();
        assert_eq!(
            (error.code, faults(&error)),
            (Code::ValidationFailed, pointers),
            "{body}"
        );
    }
    assert_eq!(parse("[]").unwrap_err().code, Code::MalformedBody);
}

#[test]
fn bodies_of_services() {
    let parse = |body: &str| Target::parse_internal(body.as_bytes());
    let id = CustomerId::parse("c1").unwrap();
    assert_eq!(
        parse(r#"{"customerId":"c1","jti":"a"}"#).unwrap(),
        (Some(id.clone()), Target::Jti("a".into()))
    );
    assert_eq!(
        parse(r#"{"customerId":"c1","notBefore":0}"#).unwrap(),
        (Some(id), Target::NotBefore(0))
    );
    assert_eq!(parse(r#"{"jti":"a"}"#).unwrap(), (None, Target::Jti("a".into())));
    for (body, pointers) in [
        ("{}", vec!["#/jti"]),
        (r#"{"customerId":"c1"}"#, vec!["#/jti"]),
        (r#"{"customerId":"c/1","jti":"a"}"#, vec!["#/customerId"]),
        (r#"{"customerId":null,"jti":"a"}"#, vec!["#/customerId"]),
        (
            r#"{"customerId":"c1","jti":"a","notBefore":1}"#,
            vec!["#/notBefore"],
        ),
        (
            r#"{"customerId":1,"notBefore":-1,"all":true}"#,
            vec!["#/all", "#/customerId", "#/notBefore"],
        ),
        (r#"{"customerId":"c1","notBefore":1.5}"#, vec!["#/notBefore"]),
        (r#"{"customerId":"c1","notBefore":1e15}"#, vec!["#/notBefore"]),
    ] {
        let error = parse(body).unwrap_err();
        assert_eq!(
            (error.code, faults(&error)),
            (Code::ValidationFailed, pointers),
            "{body}"
        );
    }
}

#[derive(Debug, Clone)]
enum Step {
    Issue { skew: i64 },
    RevokeJti(usize),
    RevokeLegacy(usize),
    RevokeAll,
    NotBefore { ago: i64 },
    Wait(i64),
    GoBack(i64),
    Sweep(i64),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (-MAX_SKEW_SECS..=MAX_SKEW_SECS).prop_map(|skew| Step::Issue { skew }),
        3 => (0..40usize).prop_map(Step::RevokeJti),
        2 => (0..40usize).prop_map(Step::RevokeLegacy),
        1 => Just(Step::RevokeAll),
        1 => (-MAX_SKEW_SECS..2000).prop_map(|ago| Step::NotBefore { ago }),
        3 => (0..400i64).prop_map(Step::Wait),
        1 => (0..400i64).prop_map(Step::GoBack),
        3 => (1..5i64).prop_map(Step::Sweep),
        1 => Just(Step::Reload),
    ]
}

proptest! {
    /// Every token that has not expired by any moment that the clock ever showed is refused exactly if it was revoked,
    /// whatever was swept in between. What is named is revoked at the last moment that is known, as `execute` has it.
    #[test]
    fn a_token_is_refused_exactly_if_it_was_revoked(steps in prop::collection::vec(step(), 1..60)) {
        let (sql, mut revocations) = start();
        let (mut now, mut latest) = (NOW, NOW);
        let mut not_before = -1;
        // The token and whether it was revoked by itself.
        let mut tokens: Vec<(User, bool)> = vec![];
        for step in steps {
            let count = tokens.len().max(1);
            match step {
                Step::Issue { skew } => {
                    let mut token = user(&format!("j{}", tokens.len()), now + skew);
                    token.legacy_hashes = vec![format!("{:064x}", tokens.len())];
                    tokens.push((token, false));
                }
                Step::RevokeJti(index) => if let Some((token, is_revoked)) = tokens.get_mut(index % count) {
                    let target = Target::Jti(token.jti.clone().unwrap());
                    revocations.revoke(&sql, &target, &caller(), at(latest)).unwrap();
                    *is_revoked = true;
                },
                Step::RevokeLegacy(index) => if let Some((token, is_revoked)) = tokens.get_mut(index % count) {
                    let name = TokenName::Legacy(&token.legacy_hashes[0]);
                    revocations.revoke_one(&sql, name, at(latest)).unwrap();
                    *is_revoked = true;
                },
                Step::RevokeAll => {
                    // The token that asks is of the first moment, and dies too.
                    revocations.revoke(&sql, &Target::All, &caller(), at(now)).unwrap();
                    not_before = not_before.max(now).max(NOW);
                }
                Step::NotBefore { ago } => {
                    let target = Target::NotBefore(now - ago);
                    revocations.revoke(&sql, &target, &caller(), at(now)).unwrap();
                    not_before = not_before.max(now - ago);
                }
                Step::Wait(secs) => now += secs,
                Step::GoBack(secs) => now -= secs,
                Step::Sweep(limit) => {
                    revocations.sweep(&sql, at(now), limit).unwrap();
                }
                Step::Reload => revocations = Revocations::load(&sql, TTL).unwrap(),
            }
            latest = latest.max(now);
            for (token, is_revoked) in tokens.iter().filter(|(token, _)| token.expires_at > latest) {
                let is_dead = *is_revoked || token.issued_at <= not_before;
                prop_assert_eq!(revocations.check(&sql, token).is_err(), is_dead);
            }
            prop_assert_eq!(sql.integer("SELECT count(*) FROM revocations"), revocations.held);
            prop_assert_eq!(&Revocations::load(&sql, TTL).unwrap(), &revocations);
        }
        // In the end everything goes.
        while revocations.sweep(&sql, at(latest + i64::from(TTL) + MAX_SKEW_SECS), 7).unwrap() {}
        prop_assert_eq!(revocations.held, 0);
    }
}
