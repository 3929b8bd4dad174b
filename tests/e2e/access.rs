//! Every cell of docs/ACCESS.md: each operation called by each kind of caller, and what the log tells of it.

mod logged;

use crate::support::http::{Request, Response, get, post, request};
use crate::support::integration::{Key, SCOPES, service_revocation};
use crate::support::server::Server;
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, fresh_id, new_customer};
use crate::support::token::{Token, now_secs};
use serde_json::{Value, json};
use user_api::edge::access::{Access, Kind, Rule};
use user_api::edge::route::{BodyKind, Route};

/// A customer with what the operations need to work on.
struct Scene {
    customer: Customer,
    key: Key,
    /// A key that a cell may change, rotate or revoke.
    spare: Key,
    /// The name of a file of the dashboard.
    file: String,
}

impl Scene {
    fn on(server: &Server) -> Self {
        let customer = Customer::on(server);
        let key = Key::of(server, &customer, &SCOPES);
        let spare = Key::of(server, &customer, &["customer:read"]);
        let page = request("GET", "/dashboard").send(server).expect(200);
        let page = String::from_utf8(page.body).unwrap();
        let file = page
            .split_once("/dashboard/")
            .and_then(|(_, rest)| rest.split('"').next());
        let file = file.expect("the page names its files").to_owned();
        Self {
            customer,
            key,
            spare,
            file,
        }
    }

    fn token(&self) -> Token {
        Token::of(&self.customer.id).claim("jti", fresh_id("jti-persondata").as_str())
    }

    fn request(&self, route: Route) -> Request {
        let pattern = route.pattern();
        let variable = match pattern.split_once('{').map(|(_, rest)| rest.split('}').next()) {
            Some(Some("keyId")) => self.spare.id.as_str(),
            Some(Some("customerId")) => self.customer.id.as_str(),
            Some(Some("file")) => self.file.as_str(),
            Some(Some("code")) => "forbidden",
            Some(Some("seq")) => "1",
            None => "",
            other => panic!("no value for {other:?}"),
        };
        let plain = request(route.method().as_str(), &route.path(variable));
        match route.body() {
            BodyKind::None => plain,
            BodyKind::Ndjson => plain.body("application/x-ndjson", "{}"),
            BodyKind::MergePatch => plain.body("application/merge-patch+json", self.body(route).to_string()),
            _ => plain.body("application/json", self.body(route).to_string()),
        }
    }

    /// A body with which the operation succeeds.
    fn body(&self, route: Route) -> Value {
        match route {
            Route::ConsumeLimits => json!({"policies": [{"name": "burst", "cost": 1}]}),
            Route::ReleaseLease => json!({"lease": "lease_00000000000000000000000000000000"}),
            Route::CreateKey => json!({"name": "New", "scopes": ["customer:read"]}),
            Route::RotateKey => json!({"graceSeconds": 0}),
            Route::RevokeTokens | Route::AdminRevokeTokens => json!({"jti": "jti-persondata-none"}),
            Route::ServiceRevokeTokens => {
                json!({"customerId": self.customer.id, "jti": "jti-persondata-none"})
            }
            Route::AdminPutLimits | Route::PutLimits => json!([]),
            Route::PutStatus | Route::AdminPutStatus => json!({"status": "active"}),
            Route::AdminSuspend | Route::AdminRequestErasure => json!({"reason": "r"}),
            Route::ServicePutEmail => json!({"email": new_customer(&self.customer.id)["email"]}),
            Route::CreateCustomer => new_customer(&fresh_id("made")),
            Route::EnsureCustomer => new_customer(&self.customer.id),
            _ => json!({}),
        }
    }

    /// The credentials of that kind for an operation of that rule, and the customer that they name; of a service
    /// there are two.
    fn credentials(&self, server: &Server, kind: Kind, rule: Rule) -> (Vec<Credential>, String) {
        let other = matches!(kind, Kind::Stranger | Kind::Admin).then(|| Customer::on(server).id);
        let own = other.unwrap_or_else(|| self.customer.id.clone());
        (self.credentials_of(server, kind, rule, &own), own)
    }

    fn credentials_of(&self, server: &Server, kind: Kind, rule: Rule, own: &str) -> Vec<Credential> {
        let bearer = |token: Token| vec![Credential::Bearer(token.hs256())];
        match kind {
            Kind::Nobody => vec![Credential::None],
            Kind::Owner => bearer(self.token()),
            Kind::Member => bearer(
                self.token()
                    .subject("auth0|member")
                    .claim("email", "member.persondata@e2e.test"),
            ),
            Kind::Stranger => bearer(Token::of(own)),
            Kind::Suspended => {
                let path = format!("/admin/customers/{}/suspend", self.customer.id);
                let root = crate::support::integration::admin();
                post(&path, &json!({"reason": "r"}))
                    .bearer(&root)
                    .send(server)
                    .expect(200);
                bearer(self.token())
            }
            Kind::Integration => vec![Credential::Bearer(self.key.secret.clone())],
            Kind::Unscoped => {
                let key = Key::of(server, &self.customer, &["preferences:write"]);
                vec![Credential::Bearer(key.secret)]
            }
            Kind::Admin => bearer(Token::of(own).claim("isSuperAdmin", true)),
            Kind::Service => vec![
                Credential::ServiceKey(SERVICE_KEYS[1].to_owned()),
                Credential::Bearer(service_token(&fresh_id("jti-persondata"))),
            ],
            Kind::Expired => self.expired(server, rule),
            Kind::Revoked => self.revoked(server, rule),
        }
    }

    fn expired(&self, server: &Server, rule: Rule) -> Vec<Credential> {
        if rule == Rule::Integration {
            return vec![Credential::Bearer(self.expired_key(server).secret)];
        }
        let past = now_secs() - 7200;
        let token = self.fitting(rule).claim("iat", past).claim("exp", past + 3600);
        vec![Credential::Bearer(token.hs256())]
    }

    /// A key with every scope whose time is over.
    fn expired_key(&self, server: &Server) -> Key {
        let end = user_api::types::Timestamp::from_secs(now_secs() + 2);
        let body = json!({"name": "Short", "scopes": SCOPES, "expiresAt": end.to_rfc3339()});
        let creation = post("/customer/me/api-keys", &body).bearer(&self.customer.token);
        let key = Key::from(creation.send(server));
        crate::support::server::poll("the key is over", || {
            (now_secs() > end.as_millis() / 1000).then_some(())
        });
        key
    }

    fn revoked(&self, server: &Server, rule: Rule) -> Vec<Credential> {
        if rule == Rule::Integration {
            let key = Key::of(server, &self.customer, &SCOPES);
            let revocation = request("DELETE", &key.path()).bearer(&self.customer.token);
            revocation.send(server).expect(204);
            return vec![Credential::Bearer(key.secret)];
        }
        let jti = fresh_id("jti-persondata-revoked");
        let body = match rule {
            Rule::Admin | Rule::Service => json!({ "jti": jti }),
            _ => json!({"customerId": self.customer.id, "jti": jti}),
        };
        service_revocation(&body).send(server).expect(204);
        vec![Credential::Bearer(
            self.fitting(rule).claim("jti", jti.as_str()).hs256(),
        )]
    }

    /// A token of the kind that may call such an operation.
    fn fitting(&self, rule: Rule) -> Token {
        match rule {
            Rule::Admin => self.token().claim("isSuperAdmin", true),
            Rule::Service => self.token().claim("scope", "service"),
            _ => self.token(),
        }
    }
}

fn service_token(jti: &str) -> String {
    Token::of("login")
        .claim("scope", "service")
        .claim("jti", jti)
        .hs256()
}

enum Credential {
    None,
    Bearer(String),
    ServiceKey(String),
}

impl Credential {
    fn on(&self, request: Request) -> Request {
        match self {
            Self::None => request,
            Self::Bearer(token) => request.bearer(token),
            Self::ServiceKey(key) => request.service_key(key),
        }
    }
}

fn judge(route: Route, kind: Kind, answer: &Response) {
    let told = format!("{route:?} by {kind:?}: {}", answer.describe());
    match route.access(kind) {
        Access::Refused(code) => {
            let body = answer.json();
            assert_eq!(
                (answer.status, &body["code"]),
                (code.status(), &json!(code.as_str())),
                "{told}"
            );
        }
        // The id of the other's key is none of its own.
        Access::OwnOnly if route.pattern().contains("{keyId}") => assert_eq!(answer.status, 404, "{told}"),
        // Nobody has asked for one.
        Access::Served | Access::OwnOnly
            if matches!(
                route,
                Route::GetErasure
                    | Route::WithdrawErasure
                    | Route::AdminGetErasure
                    | Route::AdminWithdrawErasure
            ) =>
        {
            assert_eq!(answer.json()["code"], "erasure_not_found", "{told}");
        }
        // There is no such lease, and giving it back is no fault.
        Access::Served | Access::OwnOnly => assert!((200..300).contains(&answer.status), "{told}"),
    }
}

#[test]
fn an_api_key_whose_time_is_over_is_refused_by_every_operation_that_a_key_may_call() {
    let server = Server::start(&Settings::default());
    let scene = Scene::on(&server);
    let expired = Credential::Bearer(scene.expired_key(&server).secret);
    let mut tried = 0;
    for &route in Route::ALL {
        if route.access(Kind::Integration) == Access::Served && route.rule() != Rule::Anyone {
            let answer = expired.on(scene.request(route)).send(&server);
            assert_eq!(
                (answer.status, &answer.json()["code"]),
                (401, &json!("invalid_api_key")),
                "{route:?}"
            );
            tried += 1;
        }
    }
    assert!(tried > 5);
    server.stop();
}

#[test]
fn every_kind_of_caller_gets_what_the_table_says_of_every_operation() {
    let server = Server::start(&Settings::default());
    for &route in Route::ALL {
        for kind in Kind::ALL {
            let scene = Scene::on(&server);
            let root = crate::support::integration::admin();
            let path = format!("/admin/customers/{}", scene.customer.id);
            let before = get(&path).bearer(&root).send(&server).expect(200);
            let (credentials, own) = scene.credentials(&server, kind, route.rule());
            for credential in credentials {
                let answer = credential.on(scene.request(route)).send(&server);
                judge(route, kind, &answer);
                let cell = logged::Cell {
                    route,
                    kind,
                    answer: &answer,
                    named: &scene.customer.id,
                    own: &own,
                };
                cell.check(&server);
            }
            let is_foreign = route.access(kind) != Access::Served && kind != Kind::Suspended;
            if is_foreign {
                let after = get(&path).bearer(&root).send(&server).expect(200);
                assert_eq!(
                    after.must_header("ETag"),
                    before.must_header("ETag"),
                    "{route:?} by {kind:?} changed a customer"
                );
            }
        }
    }
    server.stop();
}
