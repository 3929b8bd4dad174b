//! Who calls, and what they say: requests as the object's shell makes them, parsed from real bodies.

use serde_json::Value;
use user_api::caller::{Caller, Integration, Service, User};
use user_api::crypto::IndexKeys;
use user_api::customer::request::{Origin, Request};
use user_api::edge::route::{BodyKind, Route};
use user_api::edge::{condition, decode};
use user_api::types::{CustomerId, RequestId};

/// The customer that everybody here belongs to.
pub const CUSTOMER: &str = "cust_acme";

/// A caller who can be sent.
#[derive(Debug, Clone)]
pub struct Who(pub Caller);

/// A user whose `sub` does not look like our ids.
pub fn ada() -> Who {
    Who::user("auth0|ada").email("ada@example.com")
}

/// Another one.
pub fn bob() -> Who {
    Who::user("auth0|bob").email("bob@example.com")
}

/// A super-admin with a token for this customer.
pub fn admin() -> Who {
    Who::user("auth0|root").change(|user| user.is_admin = true)
}

/// The login service.
pub fn service() -> Who {
    Who(Caller::Service(Service {
        id: "key_0123456789ab".to_owned(),
        jti: None,
        issued_at: None,
    }))
}

impl Who {
    pub fn user(subject: &str) -> Self {
        Self(Caller::User(Box::new(User {
            legacy_hashes: Vec::new(),
            customer: CustomerId::parse(CUSTOMER),
            subject: subject.to_owned(),
            email: None,
            email_verified: false,
            is_admin: false,
            scopes: Vec::new(),
            jti: Some("jti-of-the-token".to_owned()),
            issued_at: 1_767_225_000,
            expires_at: 1_767_229_200,
            csrf: Some("csrf-of-the-token".to_owned()),
        })))
    }

    /// The same caller, otherwise.
    pub fn change(mut self, change: impl FnOnce(&mut User)) -> Self {
        if let Caller::User(user) = &mut self.0 {
            change(user);
        }
        self
    }

    /// With a verified e-mail.
    pub fn email(self, email: &str) -> Self {
        self.change(|user| {
            user.email = Some(email.to_owned());
            user.email_verified = true;
        })
    }

    /// The holder of an API key, as the front finds it in the key's text.
    pub fn key(secret: &str) -> Self {
        let (customer, digest) = IndexKeys::derive(&[7; 32])
            .unwrap()
            .api_keys()
            .parse(secret)
            .unwrap();
        Self(Caller::Integration(Box::new(Integration {
            customer,
            digest,
            legacy: false,
            browser_origin: None,
        })))
    }

    /// A request without a body.
    pub fn asks(&self, route: Route) -> Request {
        self.sends(route, b"{}")
    }

    /// A request with a JSON body.
    pub fn says(&self, route: Route, body: &Value) -> Request {
        self.sends(route, body.to_string().as_bytes())
    }

    /// A request with any body, read the way `shell::customer` reads it.
    pub fn sends(&self, route: Route, body: &[u8]) -> Request {
        self.sends_to(route, "", body)
    }

    /// The same on the resource that the path's variable segment names.
    pub fn sends_to(&self, route: Route, variable: &str, body: &[u8]) -> Request {
        self.sends_with(route, variable, "", body)
    }

    /// A request without a body, with the URL's query.
    pub fn queries(&self, route: Route, query: &str) -> Request {
        self.sends_with(route, "", query, b"")
    }

    fn sends_with(&self, route: Route, variable: &str, query: &str, body: &[u8]) -> Request {
        let body = if route.body() == BodyKind::None { &[] } else { body };
        let command = decode::command(route, variable, query, body).unwrap();
        Request {
            caller: self.0.clone(),
            command,
            operation: route.operation(),
            condition: condition::parse(None, None).unwrap(),
            as_admin: route.audience().is_admin(),
            repeat: None,
            claimed: None,
            origin: Origin {
                request_id: RequestId::parse("req_1").unwrap(),
                caller_request_id: Some("caller-request-7".to_owned()),
                ip: Some("203.0.113.9".to_owned()),
                user_agent: Some("curl/8".to_owned()),
            },
        }
    }
}

/// Conditions, written as the headers are.
pub trait Conditional {
    fn if_match(self, tags: &str) -> Self;
    fn if_none_match(self, tags: &str) -> Self;
}

impl Conditional for Request {
    fn if_match(mut self, tags: &str) -> Self {
        self.condition.must_match = condition::parse(Some(tags), None).unwrap().must_match;
        self
    }

    fn if_none_match(mut self, tags: &str) -> Self {
        self.condition.must_differ = condition::parse(None, Some(tags)).unwrap().must_differ;
        self
    }
}

/// Every operation that a customer's object answers.
pub const ROUTES: &[Route] = &[
    Route::GetCustomer,
    Route::PutCustomer,
    Route::PatchCustomer,
    Route::GetStatus,
    Route::GetCustomerAlias,
    Route::GetSession,
    Route::GetUser,
    Route::PutUser,
    Route::PatchUser,
    Route::GetPreferences,
    Route::PutPreferences,
    Route::PatchPreferences,
    Route::EnsureCustomer,
];

/// A body that changes something, for each of them.
pub fn sound_body(route: Route) -> Value {
    use serde_json::json;
    match route {
        Route::PutCustomer | Route::PatchCustomer => json!({"name": "Ada Ltd", "metadata": {"tier": "gold"}}),
        Route::PutUser | Route::PatchUser => json!({"displayName": "Ada", "timeZone": "Europe/Berlin"}),
        Route::PutPreferences | Route::PatchPreferences => json!({"theme": "dark", "custom": {"rows": 20}}),
        Route::EnsureCustomer => json!({"email": "owner@example.com", "name": "Acme", "plan": "pro"}),
        _ => json!({}),
    }
}
