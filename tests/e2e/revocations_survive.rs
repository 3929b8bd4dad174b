//! A revocation that was answered holds over SIGKILL and restart.

use crate::revocations::token;
use crate::support::http::get;
use crate::support::integration::{revocation, service_revocation};
use crate::support::server::{Server, new_data};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use serde_json::json;

#[test]
fn a_revocation_that_was_answered_survives_a_kill_right_after() {
    let (settings, data) = (Settings::default(), new_data());
    let mut server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let (mut dead, kept) = (Vec::new(), token(&customer).0);
    for round in 0..6 {
        let (victim, jti) = token(&customer);
        get("/customer/me").bearer(&victim).send(&server).expect(200);
        let request = if round % 2 == 0 {
            revocation(&customer.token, &json!({ "jti": jti }))
        } else {
            service_revocation(&json!({"customerId": customer.id, "jti": jti}))
        };
        request.send(&server).expect(204);
        server.crash();
        server = Server::start_in(&settings, &data);
        dead.push(victim);
        for token in &dead {
            let answer = get("/customer/me").bearer(token).send(&server);
            answer.problem(401, "token_revoked");
        }
        get("/customer/me").bearer(&kept).send(&server).expect(200);
    }
    let everything = revocation(&customer.token, &json!({"all": true}));
    everything.send(&server).expect(204);
    server.crash();
    server = Server::start_in(&settings, &data);
    for token in dead.iter().chain([&kept, &customer.token]) {
        let answer = get("/customer/me").bearer(token).send(&server);
        answer.problem(401, "token_revoked");
    }
}
