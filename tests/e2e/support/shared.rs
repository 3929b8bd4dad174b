//! The server that tests share while any of them uses it, and a customer of one's own on it.

use crate::support::http::{Request, Response, get, patch, post};
use crate::support::log;
use crate::support::server::Server;
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::token::{PERSONAL, Token};
use serde_json::{Value, json};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A hold on the shared server. The last one that goes stops it, and then judges its whole log.
pub struct Shared(Option<Arc<Server>>);

static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The shared server; started if nobody holds it.
pub fn shared() -> Shared {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = running.upgrade() {
        return Shared(Some(server));
    }
    let server = Arc::new(Server::start(&Settings::default()));
    *running = Arc::downgrade(&server);
    Shared(Some(server))
}

impl Deref for Shared {
    type Target = Server;
    fn deref(&self) -> &Server {
        self.0.as_ref().expect("held until dropped")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(server) = self.0.take().and_then(Arc::into_inner) else {
            return;
        };
        if std::thread::panicking() {
            return;
        }
        let ended = server.stop();
        assert_eq!(
            ended.code,
            Some(0),
            "the shared server ended badly:\n{}",
            ended.log
        );
        log::check(&ended.log);
    }
}

/// An id that no other test of this process uses.
pub fn fresh_id(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The body by which the login service makes a customer, every field of it filled.
pub fn new_customer(id: &str) -> Value {
    json!({
        "customerId": id,
        "email": format!("{PERSONAL}.{id}@e2e.test").to_lowercase(),
        "name": format!("Zoë {PERSONAL}"),
        "companyName": format!("{PERSONAL} & Söhne"),
        "displayName": format!("zoë-{PERSONAL}"),
        "plan": "pro",
        "features": {"beta": true, "export": false},
        "metadata": {"origin": PERSONAL},
    })
}

/// The request by which the login service makes a customer.
pub fn create(body: &Value) -> Request {
    post("/internal/customers", body).service_key(SERVICE_KEYS[0])
}

/// A customer that exists, and a token of its user.
pub struct Customer {
    /// Its id.
    pub id: String,
    /// The token.
    pub token: String,
}

impl Customer {
    /// Makes one on that server.
    pub fn on(server: &Server) -> Self {
        let id = fresh_id("cust");
        create(&new_customer(&id)).send(server).expect(201);
        let token = Token::of(&id).hs256();
        Self { id, token }
    }

    /// GET.
    pub fn get(&self, server: &Server, path: &str) -> Response {
        get(path).bearer(&self.token).send(server)
    }

    /// PATCH of the customer.
    pub fn patch(&self, server: &Server, body: &Value) -> Response {
        patch("/customer/me", body).bearer(&self.token).send(server)
    }

    /// The customer as it is now, and its ETag.
    pub fn now(&self, server: &Server) -> (Value, String) {
        let response = self.get(server, "/customer/me").expect(200);
        let tag = response.must_header("ETag").to_owned();
        (response.json(), tag)
    }
}

/// The number behind the dot of an ETag.
#[track_caller]
pub fn version(tag: &str) -> u64 {
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let (incarnation, number) = inner
        .and_then(|tag| tag.split_once('.'))
        .expect("a strong tag with a dot");
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    assert!(
        incarnation.len() == 16 && incarnation.bytes().all(hex),
        "odd tag {tag}"
    );
    number.parse().expect("a number")
}
