//! Who asks for each operation, with which body, and what must be there before.

use crate::support::counted;
use crate::support::http::{Request, get, patch, post, put, request};
use crate::support::integration::{Key, SCOPES};
use crate::support::server::Server;
use crate::support::settings::SERVICE_KEYS;
use crate::support::shared::{Customer, create, new_customer};
use crate::support::token::Token;
use serde_json::{Value, json};
use std::time::Duration;
use user_api::edge::route::{BodyKind, Route};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    User,
    Key,
    Admin,
    Service,
}

impl Who {
    /// As the table says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "",
            Self::User => "by a user",
            Self::Key => "by an API key",
            Self::Admin => "by an admin",
            Self::Service => "by a service's key",
        }
    }
}

/// Who asks for an operation, and a body that changes something; null where it takes none. A new operation without
/// its line here does not compile.
pub fn asked(route: Route) -> (Who, Value) {
    use Route as R;
    use Who::{Admin, Key, Nobody, Service, User};
    let none = Value::Null;
    match route {
        R::GetCustomer | R::GetStatus | R::GetUsage | R::GetLimits | R::ListKeys | R::GetKey => (User, none),
        R::ListAudit | R::GetAuditHead | R::GetAuditEntry | R::ExportCustomer => (User, none),
        R::GetErasure | R::WithdrawErasure | R::RevokeKey | R::GetCustomerAlias => (User, none),
        R::GetSession | R::GetUser | R::GetPreferences => (User, none),
        R::PutCustomer | R::PatchCustomer => (User, json!({"name": "Ada", "metadata": {"tier": "gold"}})),
        R::PutLimits => (User, json!([])),
        R::CreateKey => (User, json!({"name": "New", "scopes": ["customer:read"]})),
        R::PatchKey => (User, json!({"name": "Renamed"})),
        R::RotateKey => (User, json!({"graceSeconds": 60})),
        R::RevokeTokens => (User, json!({"jti": "jti-persondata-none"})),
        R::RequestErasure => (User, json!({"reason": "moving"})),
        R::PutUser | R::PatchUser => (User, json!({"displayName": "Ada", "timeZone": "Europe/Berlin"})),
        R::PutPreferences | R::PatchPreferences => (User, json!({"theme": "dark"})),
        R::ConsumeLimits => (Key, json!({"policies": [{"name": "burst", "cost": 1}]})),
        R::ReleaseLease => (Key, json!({"lease": "lease_00000000000000000000000000000000"})),
        R::ListCustomers | R::GetOperatorLog | R::AdminGetCustomer | R::AdminGetLimits => (Admin, none),
        R::AdminGetUsage | R::AdminListAudit | R::AdminGetAuditHead | R::AdminExport => (Admin, none),
        R::AdminGetErasure | R::AdminWithdrawErasure => (Admin, none),
        R::PutStatus | R::AdminPutStatus => (Admin, json!({"status": "suspended", "reason": "unpaid"})),
        R::AdminPutCustomer | R::AdminPatchCustomer => (Admin, json!({"plan": "starter"})),
        R::AdminSuspend => (Admin, json!({"reason": "unpaid"})),
        R::AdminActivate => (Admin, json!({})),
        R::AdminRevokeTokens => (Admin, json!({"jti": "jti-persondata-none"})),
        R::AdminPutLimits => (Admin, json!([{"name": "burst", "q": 10, "w": 60}])),
        R::AdminRequestErasure => (Admin, json!({"reason": "asked by letter"})),
        R::CreateCustomer => (Admin, json!({})),
        R::EnsureCustomer => (Service, json!({})),
        R::ServicePutEmail => (Service, json!({"email": "another.persondata@e2e.test"})),
        R::ServiceRevokeTokens => (Service, json!({})),
        R::ImportRecords | R::Rewrap => (Service, json!({})),
        R::Health | R::Ready | R::Problem | R::ResourceMetadata | R::SigningKeys => (Nobody, none),
        R::OpenApi | R::Docs | R::DocsStyle | R::Dashboard | R::DashboardFile => (Nobody, none),
    }
}

/// A customer with what the operations need to work on, all of its objects awake.
pub struct Scene {
    pub customer: Customer,
    pub key: Key,
    pub admin: String,
    spare: Key,
    lease: String,
    file: String,
}

impl Scene {
    /// Makes one of that id. Ids are the same in every run: they decide on the shards of the directory.
    pub fn on(server: &Server, id: &str) -> Self {
        create(&new_customer(id)).send(server).expect(201);
        let customer = Customer {
            id: id.to_owned(),
            token: Token::of(id).hs256(),
        };
        let own = format!("{id}-admin");
        create(&new_customer(&own)).send(server).expect(201);
        let admin = Token::of(&own).claim("isSuperAdmin", true).hs256();
        let key = Key::of(server, &customer, &SCOPES);
        let spare = Key::of(server, &customer, &["customer:read"]);
        let page = String::from_utf8(get("/dashboard").send(server).expect(200).body).unwrap();
        let file = page
            .split_once("/dashboard/")
            .and_then(|(_, rest)| rest.split('"').next());
        let file = file.expect("the page names its files").to_owned();
        Self {
            customer,
            key,
            admin,
            spare,
            lease: String::new(),
            file,
        }
    }

    /// The request for an operation.
    pub fn request(&self, route: Route) -> Request {
        let (who, body) = asked(route);
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
        let body = match route {
            Route::ReleaseLease => json!({"lease": self.lease}),
            Route::CreateCustomer => new_customer(&format!("{}-made", self.customer.id)),
            Route::EnsureCustomer => new_customer(&self.customer.id),
            Route::ServicePutEmail => json!({"email": format!("another.{}@e2e.test", self.customer.id)}),
            Route::ServiceRevokeTokens => {
                json!({"customerId": self.customer.id, "jti": "jti-persondata-none"})
            }
            Route::ImportRecords => import(&format!("{}-moved", self.customer.id)),
            _ => body,
        };
        let plain = request(route.method().as_str(), &route.path(variable));
        let asked = match route.body() {
            BodyKind::None => plain,
            BodyKind::Ndjson => plain.body("application/x-ndjson", body.to_string()),
            BodyKind::MergePatch => plain.body("application/merge-patch+json", body.to_string()),
            _ => plain.body("application/json", body.to_string()),
        };
        match who {
            Who::Nobody => asked,
            Who::User => asked.bearer(&self.customer.token),
            Who::Key => asked.bearer(&self.key.secret),
            Who::Admin => asked.bearer(&self.admin),
            Who::Service => asked.service_key(SERVICE_KEYS[0]),
        }
    }

    /// Makes what the operation needs, and wakes whatever it asks.
    pub fn prepare(&mut self, server: &Server, route: Route) {
        let customer = &self.customer;
        for path in ["/customer/me", "/user/me", "/user/me/preferences"] {
            customer.get(server, path).expect(200);
        }
        self.key.get(server, "/customer/me").expect(200);
        let path = format!("/admin/customers/{}", customer.id);
        let admin = &self.admin;
        get(&path).bearer(admin).send(server).expect(200);
        match route {
            Route::ReleaseLease => {
                let slots = json!([{"name": "slots", "q": 3, "w": 600, "unit": "concurrent-requests"}]);
                let limits = put(&format!("{path}/limits"), &slots);
                limits.bearer(admin).send(server).expect(200);
                let held = self.key.consume(server, &json!([{"name": "slots", "cost": 1}]));
                self.lease = held.ok()["lease"].as_str().unwrap().to_owned();
            }
            Route::GetErasure
            | Route::WithdrawErasure
            | Route::AdminGetErasure
            | Route::AdminWithdrawErasure => {
                let asked = post("/customer/me/erasure", &json!({}));
                asked.bearer(&customer.token).send(server).expect(202);
            }
            Route::AdminActivate => {
                let suspend = post(&format!("{path}/suspend"), &json!({"reason": "unpaid"}));
                suspend.bearer(admin).send(server).expect(200);
            }
            _ => {}
        }
        // What only reads is asked once before, so that it is the second time that is measured.
        if route.body() == BodyKind::None && !route.method().is_unsafe() {
            self.request(route).send(server).expect(200);
        }
        let change = json!({"displayName": "awake"});
        if route.method().is_unsafe() && asked(route).0 == Who::User {
            patch("/user/me", &change)
                .bearer(&customer.token)
                .send(server)
                .expect(200);
        }
        counted::billed(server);
    }
}

/// Customers by whose making every shard of the directory is awake.
const SLEEPERS: usize = 100;

/// By then the alarms that go with the making of customers have come.
pub const THEIR_ALARMS: Duration = Duration::from_secs(3);

/// Wakes the directory, so that no operation is billed for that.
pub fn wake_directory(server: &Server) {
    for number in 0..SLEEPERS {
        create(&new_customer(&format!("sleeper-{number}")))
            .send(server)
            .expect(201);
    }
    std::thread::sleep(THEIR_ALARMS);
}

/// A record of the older service.
fn import(id: &str) -> Value {
    json!({
        "key": format!("customer:customer:{id}"),
        "value": {
            "customerId": id, "email": format!("persondata.{id}@e2e.test"), "companyName": "persondata",
            "tier": "basic", "status": "active", "createdAt": "2024-01-01T00:00:00Z",
            "updatedAt": "2024-02-01T00:00:00Z",
        },
    })
}
