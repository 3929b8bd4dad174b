//! What who asks of an erased customer is told.

use super::*;

#[test]
fn at_the_due_moment_it_is_gone_for_everybody_even_if_no_alarm_came() {
    let mut world = World::due();
    world.now -= 1;
    assert_eq!(
        world.json(&owner().asks(Route::GetErasure))["status"],
        "scheduled"
    );
    world.now += 1;
    for who in [owner(), ada(), service()] {
        let route = if matches!(who.0, user_api::caller::Caller::Service(_)) {
            Route::EnsureCustomer
        } else {
            Route::WithdrawErasure
        };
        let body = json!({"email": "owner@example.com"});
        assert_eq!(world.refusal(&who.says(route, &body)), Code::CustomerErased);
        world.invariants();
    }
    for route in [
        Route::AdminGetCustomer,
        Route::AdminWithdrawErasure,
        Route::AdminExport,
    ] {
        assert_eq!(
            world.refusal(&admin().asks(route)),
            Code::CustomerErased,
            "{route:?}"
        );
    }
    let view = world.json(&admin().asks(Route::AdminGetErasure));
    assert_eq!(
        (&view["status"], &view["certificate"]),
        (&json!("erased"), &Value::Null)
    );
    assert!(!world.customer.has_key(), "an erased customer asks no vault");
    world.unlock(true).unwrap();
    assert!(!world.customer.has_key());
}

#[test]
fn an_export_under_way_ends_at_the_due_moment_even_if_no_alarm_came() {
    let mut world = World::new();
    world.fill();
    world.accepted(&owner(), Route::RequestErasure, &json!({"reason": "We part."}));
    world.now += 7 * DAY - 1;
    let mut export = world.begun();
    assert!(!pull(&mut world, &mut export).unwrap().is_empty());
    let mut export = world.begun();
    world.now += 1;
    for _ in 0..2 {
        let error = pull(&mut world, &mut export).unwrap_err();
        assert_eq!(error.code, Code::CustomerErased);
    }
    world.run_out();
    world.invariants();
    assert!(world.certificate().unwrap().destroyed.get("exportsUnderWay") >= Some(&1));
    let now = Timestamp::from_millis(world.now);
    // Its receiver goes away only now.
    let (sql, customer, entropy) = (&world.sql, &mut world.customer, &mut world.entropy);
    customer.abandon(sql, &export, now, entropy).unwrap();
    assert_eq!(
        pull(&mut world, &mut export).unwrap_err().code,
        Code::CustomerErased
    );
    assert_eq!(
        world.refusal(&owner().asks(Route::ExportCustomer)),
        Code::CustomerErased
    );
    world.invariants();
}

#[test]
fn an_administrator_reads_the_log_of_an_erased_customer_without_its_details_and_nobody_else_does() {
    let mut world = World::new();
    world.fill();
    world.accepted(&owner(), Route::RequestErasure, &json!({"reason": "We part."}));
    let before = world.json(&admin().queries(Route::AdminListAudit, "limit=100"));
    world.now += 7 * DAY;
    // A read of the log is in the log, and so is the erasure.
    let entries = before["data"].as_array().unwrap().len() + 1;
    // Before its rows are gone, and after.
    for is_over in [false, true] {
        if is_over {
            world.run_out();
        }
        let page = world.json(&admin().queries(Route::AdminListAudit, "limit=100"));
        let data = page["data"].as_array().unwrap();
        assert_eq!(data.len(), entries + if is_over { 2 } else { 1 });
        assert!(data.iter().all(|entry| entry["detail"].is_null()));
        let hash = |n: usize| data[data.len() - n]["hash"].clone();
        let old = before["data"].as_array().unwrap();
        assert_eq!(hash(1), old[old.len() - 1]["hash"]);
        let head = world.json(&admin().queries(Route::AdminGetAuditHead, "since=0"));
        assert_eq!(head["hash"], data[0]["hash"]);
        assert_eq!(head["leaves"].as_array().unwrap().len(), data.len());
        assert_eq!(
            world.refusal(&admin().queries(Route::AdminListAudit, "cursor=forged")),
            Code::InvalidCursor
        );
        for who in [owner(), ada()] {
            for route in [Route::ListAudit, Route::GetAuditHead] {
                assert_eq!(world.refusal(&who.asks(route)), Code::CustomerErased);
            }
        }
    }
    let log = world.log();
    assert!(log.last().unwrap().brief().starts_with("customer.erased "));
    let certificate = world.certificate().unwrap();
    let head = world.json(&admin().asks(Route::AdminGetAuditHead));
    assert_eq!(head["hash"], certificate.audit.after.hash.as_str());
}

#[test]
fn a_made_up_key_of_the_older_form_learns_nothing_of_an_erasure() {
    let mut world = World::due();
    world.run_out();
    let made_up = Who(Caller::Integration(Box::new(Integration {
        customer: CustomerId::parse("cust_acme").unwrap(),
        digest: KeyDigest::new([9; 32]),
        legacy: true,
        browser_origin: None,
    })));
    let Reply::Refused(error) = world.send(&made_up.asks(Route::GetCustomer)) else {
        panic!("not refused");
    };
    assert_eq!(error.code, Code::InvalidApiKey);
    assert!(error.members.is_empty(), "{:?}", error.members);
    // Word for word what a customer that was never there answers.
    let never = World::absent().send(&made_up.asks(Route::GetCustomer));
    assert_eq!(Reply::Refused(error), never);
}

/// A batch that brings the erasure about and then fails is undone, the key with it: it is done once more.
#[test]
fn a_batch_that_fails_after_the_erasure_of_its_first_request_is_done_once_more() {
    let requests = [owner().asks(Route::GetCustomer), owner().asks(Route::GetUser)];
    let mut done_again = 0;
    for operation in 0.. {
        let mut world = World::due();
        world.unlock(false).unwrap();
        world.sql.arm(operation, Harm::Error);
        let replies = world.decide(&requests);
        if world.sql.disarm() {
            break;
        }
        // Only where the transaction cannot begin or end does it fail as a whole.
        if replies.iter().any(Result::is_err) {
            assert!(replies.iter().all(Result::is_err), "operation {operation}");
            let failed = format!("{:?}", replies[0]);
            assert!(failed.contains("injected"), "operation {operation}: {failed}");
        } else {
            done_again += 1;
        }
        for reply in world.batch(&requests) {
            let Ok(Reply::Refused(error)) = reply else {
                panic!("operation {operation}: {reply:?}")
            };
            assert_eq!(error.code, Code::CustomerErased, "operation {operation}");
        }
    }
    assert!(done_again >= 3, "{done_again}");
}
