//! Whoever spends all that a customer has cannot keep its owner from taking credentials back.

use crate::limits::with_day;
use crate::support::http::{get, request};
use crate::support::integration::{Key, revocation};
use crate::support::shared::shared;
use serde_json::json;

#[test]
fn a_key_that_has_spent_the_day_is_revoked_all_the_same() {
    let server = shared();
    let customer = with_day(&server, 10);
    let stolen = Key::of(&server, &customer, &["customer:read"]);
    while stolen.get(&server, "/customer/me").status == 200 {}
    customer
        .get(&server, "/customer/me")
        .problem(429, "quota_exceeded");
    let list = customer.get(&server, "/customer/me/api-keys").expect(200);
    assert_eq!(list.must_header("RateLimit-Policy"), r#""key-reserve";q=60;w=60"#);
    assert_eq!(list.json()["data"][0]["keyId"], stolen.id.as_str());
    customer.get(&server, &stolen.path()).expect(200);
    let one = revocation(&customer.token, &json!({"jti": "jti-persondata-leaked"}));
    one.send(&server).expect(204);
    for _ in 0..2 {
        let answer = request("DELETE", &stolen.path())
            .bearer(&customer.token)
            .send(&server)
            .expect(204);
        assert_eq!(answer.header("RateLimit"), None);
    }
    stolen.get(&server, "/customer/me").problem(401, "token_revoked");
    let all = revocation(&customer.token, &json!({"all": true}));
    all.send(&server).expect(204);
    get("/customer/me")
        .bearer(&customer.token)
        .send(&server)
        .problem(401, "token_revoked");
}

#[test]
fn of_a_flood_of_single_revocations_by_a_user_sixty_pass() {
    let server = shared();
    let customer = with_day(&server, 10);
    let answers: Vec<_> = (0..90)
        .map(|n| {
            let one = json!({"jti": format!("jti-persondata-{n}")});
            revocation(&customer.token, &one).send(&server)
        })
        .collect();
    let passed = answers.iter().filter(|answer| answer.status == 204).count();
    // One more for each second that it took.
    assert!((60..90).contains(&passed), "{passed}");
    let refused = answers.into_iter().find(|answer| answer.status == 429).unwrap();
    let problem = refused.problem(429, "quota_exceeded");
    assert_eq!(problem["violated-policies"], json!(["key-reserve-tokens"]));
    let all = revocation(&customer.token, &json!({"all": true}));
    all.send(&server).expect(204);
}
