//! Starting and stopping, as an operator sees it.

use crate::support::http::get;
use crate::support::raw::Raw;
use crate::support::server::{Server, new_data, poll, refused};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use std::net::{TcpListener, TcpStream};

#[test]
fn sigterm_ends_the_server_with_exit_code_0_and_the_data_is_there_afterwards() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let before = customer.now(&server);
    let (address, workerd) = (server.address().to_owned(), server.workerd());
    assert_eq!(server.stop().code, Some(0));
    assert!(TcpStream::connect(address).is_err(), "somebody still listens");
    assert!(
        !std::path::Path::new(&format!("/proc/{workerd}")).exists(),
        "workerd still runs"
    );
    assert_eq!(customer.now(&Server::start_in(&settings, &data)), before);
}

#[test]
fn a_request_under_way_is_answered_before_the_end() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    let mut raw = Raw::open(&server);
    let json = ("Content-Type", "application/json");
    raw.head(
        "PATCH /customer/me",
        &[("Authorization", &bearer), json, ("Content-Length", "20")],
    );
    raw.bytes(br#"{"name":"#).unwrap();
    // Whatever is answered behind it was read behind it.
    let mut idle = Raw::open(&server);
    idle.head("GET /health", &[]);
    idle.response().expect(200);
    let ended = std::thread::scope(|scope| {
        let stopping = scope.spawn(move || server.stop());
        // The end begins with hanging up on those that ask nothing.
        idle.closed();
        raw.bytes(br#""Under way"}"#).unwrap();
        assert_eq!(raw.response().ok()["name"], "Under way");
        drop(raw);
        stopping.join().unwrap()
    });
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let server = Server::start_in(&settings, &data);
    assert_eq!(customer.now(&server).0["name"], "Under way");
}

#[test]
fn an_idle_connection_does_not_keep_the_server_from_ending() {
    let server = Server::start(&Settings::default());
    let mut idle = Raw::open(&server);
    idle.head("GET /health", &[]);
    idle.response().expect(200);
    let _never_used = Raw::open(&server);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_port_in_use_is_a_clear_error_and_ends_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = refused(&Settings::default(), &port);
    assert_eq!(ended.code, Some(1), "{}", ended.log);
    assert!(ended.log.contains(&format!("port {port}")), "{}", ended.log);
    assert!(
        !ended.log.contains("    at "),
        "a stack is no clear error: {}",
        ended.log
    );
}

#[test]
fn a_port_that_is_none_is_a_clear_error() {
    for port in ["http", "70000", "-1"] {
        let ended = refused(&Settings::default(), port);
        assert_eq!(ended.code, Some(1), "{}", ended.log);
        assert!(ended.log.contains("PORT"), "{}", ended.log);
    }
}

#[test]
fn when_workerd_dies_its_keeper_says_so_and_fails() {
    let ended = Server::start(&Settings::default()).crash();
    assert_eq!(ended.code, Some(1), "{}", ended.log);
    assert!(ended.log.contains("workerd ended by itself"), "{}", ended.log);
}

#[test]
fn killing_the_keeper_leaves_no_orphan() {
    let server = Server::start(&Settings::default());
    let workerd = server.workerd();
    get("/health").send(&server).expect(200);
    drop(server);
    let gone = || (!std::path::Path::new(&format!("/proc/{workerd}")).exists()).then_some(());
    poll("workerd is gone", gone);
}
