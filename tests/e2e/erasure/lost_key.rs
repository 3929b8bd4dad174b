//! A customer whose key is lost, and an administrator who has it erased all the same.

use super::{certified, erase};
use crate::support::http::{get, post};
use crate::support::integration::admin;
use crate::support::server::{Server, new_data};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use serde_json::json;

#[test]
fn who_cannot_be_read_any_more_is_erased_at_an_administrator_s_word() {
    const OLD: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const NEW: &str = "7:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let with = |keys: &str| Settings::default().with("MASTER_KEYS", keys);
    let data = new_data();
    let server = Server::start_in(&with(OLD), &data);
    let customer = Customer::on(&server);
    assert_eq!(server.stop().code, Some(0));
    // The operators' own key is taken along; this customer's is not, and then the older entry is gone.
    let server = Server::start_in(&with(&format!("{NEW},{OLD}")), &data);
    let other = Customer::on(&server);
    get(&format!("/admin/customers/{}", other.id))
        .bearer(&admin())
        .send(&server)
        .expect(200);
    assert_eq!(server.stop().code, Some(0));
    let server = Server::start_in(&with(NEW), &data);
    customer
        .get(&server, "/customer/me")
        .problem(503, "key_unavailable");
    post("/customer/me/erasure", &json!({}))
        .bearer(&customer.token)
        .send(&server)
        .problem(503, "key_unavailable");
    assert_eq!(erase(&server, &customer)["requestedBy"], "administrator");
    let jws = certified(&server, &customer);
    let gone = customer
        .get(&server, "/customer/me")
        .problem(410, "customer_erased");
    assert_eq!(gone["certificate"], jws.as_str());
}
