//! Every operation that a customer's object answers: the compiler asks for a request of each that is added.

use super::{Again, Scenario, request, scenario};
use crate::support::people::{CUSTOMER, Conditional, ROUTES, sound_body};
use crate::support::world::HOUR;
use crate::support::{Who, World, ada, admin, bob, service};
use serde_json::{Value, json};
use user_api::customer::account::Claimed;
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::request::{Repeat, Reply, Request};
use user_api::edge::route::Route;
use user_api::types::Condition;

/// A world, and what is asked in it once it is made.
type Asked = (String, Box<dyn Fn() -> World>, Box<dyn Fn(&mut World) -> Request>);

fn owner() -> Who {
    ada().email("owner@example.com")
}

fn key_of(world: &mut World, scopes: &[&str]) -> Value {
    world.json(&owner().says(Route::CreateKey, &json!({"name": "CI", "scopes": scopes})))
}

/// A request by the holder of a new key, in a world with a policy of leases.
fn by_key(world: &mut World, route: Route, body: impl FnOnce(&mut World, &Who) -> Value) -> Request {
    let policies = json!([{"name": "slots", "q": 2, "w": 60, "unit": "concurrent-requests"}]);
    let policies = policies.to_string();
    world.json(&admin().sends_to(Route::AdminPutLimits, CUSTOMER, policies.as_bytes()));
    let key = key_of(world, &["limits:consume"]);
    let key = Who::key(key["secret"].as_str().unwrap());
    let body = body(world, &key);
    key.says(route, &body)
}

fn one_slot() -> Value {
    json!({"policies": [{"name": "slots", "cost": 1}]})
}

fn body_of(route: Route) -> Value {
    match route {
        Route::CreateKey => json!({"name": "New", "scopes": ["customer:read"]}),
        Route::PatchKey => json!({"name": "Renamed"}),
        Route::RotateKey => json!({"graceSeconds": 60}),
        Route::RevokeTokens | Route::AdminRevokeTokens | Route::ServiceRevokeTokens => {
            json!({"jti": "other"})
        }
        Route::PutLimits | Route::AdminPutLimits => json!([{"name": "mail", "q": 5, "w": 60}]),
        Route::PutStatus | Route::AdminPutStatus => json!({"status": "suspended", "reason": "unpaid"}),
        Route::AdminSuspend | Route::AdminActivate | Route::RequestErasure => json!({"reason": "because"}),
        Route::AdminRequestErasure => json!({"reason": "because", "graceDays": 3}),
        Route::AdminPatchCustomer | Route::AdminPutCustomer => json!({"plan": "pro", "name": "Ada Ltd"}),
        Route::ServicePutEmail => json!({"email": "moved@example.com"}),
        _ => sound_body(route),
    }
}

/// A request that this operation carries out, after what it needs was made; None if no customer's object answers it.
#[allow(clippy::too_many_lines)] // A line an operation.
fn of_route(route: Route, world: &mut World) -> Option<Request> {
    let body = body_of(route);
    Some(match route {
        Route::GetCustomer
        | Route::PutCustomer
        | Route::PatchCustomer
        | Route::GetStatus
        | Route::GetUsage
        | Route::GetCustomerAlias
        | Route::GetSession
        | Route::GetUser
        | Route::PutUser
        | Route::PatchUser
        | Route::GetPreferences
        | Route::PutPreferences
        | Route::PatchPreferences => ada().says(route, &body),
        Route::GetLimits
        | Route::PutLimits
        | Route::ListKeys
        | Route::CreateKey
        | Route::RevokeTokens
        | Route::ListAudit
        | Route::GetAuditHead
        | Route::RequestErasure
        | Route::ExportCustomer => owner().says(route, &body),
        Route::GetErasure | Route::WithdrawErasure | Route::AdminGetErasure | Route::AdminWithdrawErasure => {
            world.send(&owner().says(Route::RequestErasure, &json!({})));
            let who = if route.audience().is_admin() {
                admin()
            } else {
                owner()
            };
            who.sends_to(route, CUSTOMER, b"")
        }
        Route::GetAuditEntry => owner().sends_to(route, "1", b""),
        Route::GetKey | Route::PatchKey | Route::RevokeKey | Route::RotateKey => {
            let key = key_of(world, &["customer:read"]);
            let id = key["keyId"].as_str().unwrap().to_owned();
            owner().sends_to(route, &id, body.to_string().as_bytes())
        }
        Route::ConsumeLimits => by_key(world, route, |_, _| one_slot()),
        Route::ReleaseLease => by_key(world, route, |world, key| {
            let held = world.json(&key.says(Route::ConsumeLimits, &one_slot()));
            json!({"lease": held["lease"]})
        }),
        Route::PutStatus
        | Route::AdminGetCustomer
        | Route::AdminPutCustomer
        | Route::AdminPatchCustomer
        | Route::AdminPutStatus
        | Route::AdminSuspend
        | Route::AdminRevokeTokens
        | Route::AdminGetLimits
        | Route::AdminPutLimits
        | Route::AdminGetUsage
        | Route::AdminListAudit
        | Route::AdminGetAuditHead
        | Route::AdminRequestErasure
        | Route::AdminExport => admin().sends_to(route, CUSTOMER, body.to_string().as_bytes()),
        Route::AdminActivate => {
            world.send(&admin().sends_to(Route::AdminSuspend, CUSTOMER, br#"{"reason": "unpaid"}"#));
            admin().sends_to(route, CUSTOMER, body.to_string().as_bytes())
        }
        Route::EnsureCustomer | Route::ServicePutEmail | Route::ServiceRevokeTokens => {
            service().sends_to(route, CUSTOMER, body.to_string().as_bytes())
        }
        Route::ListCustomers
        | Route::CreateCustomer
        | Route::GetOperatorLog
        | Route::ImportRecords
        | Route::Rewrap
        | Route::Health
        | Route::Ready
        | Route::Problem
        | Route::ResourceMetadata
        | Route::OpenApi
        | Route::Docs
        | Route::DocsStyle
        | Route::Dashboard
        | Route::DashboardFile
        | Route::SigningKeys => return None,
    })
}

fn world() -> World {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetUser));
    world
}

fn asked(
    name: impl Into<String>,
    prepare: impl Fn() -> World + 'static,
    asked: impl Fn(&mut World) -> Request + 'static,
) -> Asked {
    (name.into(), Box::new(prepare), Box::new(asked))
}

/// The same request with a key by which it can be repeated.
fn repeatable(mut request: Request) -> Request {
    request.repeat = Some(Repeat {
        key: IdempotencyKey::parse("once").unwrap(),
        method: "PATCH",
        path: "/customer/me".to_owned(),
        payload: Payload::new(&Condition::default(), b"{}").unwrap(),
    });
    request
}

/// A new e-mail in its second phase, when its claim is held.
fn with_claim(world: &mut World) -> Request {
    let mut asked = of_route(Route::ServicePutEmail, world).unwrap();
    let Reply::Claim(wanted) = world.send(&asked) else {
        panic!("no claim is wanted")
    };
    asked.claimed = Some(Claimed { wanted, held: true });
    asked
}

/// What is not the plain case of an operation.
fn special() -> Vec<Asked> {
    let patch = |who: Who| who.says(Route::PatchCustomer, &json!({"name": "x"}));
    let with_status = |status: &'static str| {
        move || {
            let mut world = world();
            world.set_status(status);
            world
        }
    };
    vec![
        asked("stale", world, |_| {
            let stale = ada().says(Route::PatchUser, &json!({"displayName": "x"}));
            stale.if_match("\"x\"")
        }),
        asked("invalid", world, |_| bob().sends(Route::PutCustomer, b"{")),
        asked("new e-mail of a user", world, |_| {
            let moved = ada().email("new@example.com");
            moved.says(Route::PatchUser, &json!({"locale": "de"}))
        }),
        asked("suspended", with_status("suspended"), move |_| patch(bob())),
        asked("verified", with_status("pending_verification"), |_| {
            owner().asks(Route::GetUser)
        }),
        asked("new e-mail, claimed", world, with_claim),
        asked("everything revoked", world, |_| {
            owner().says(Route::RevokeTokens, &json!({"all": true}))
        }),
        asked("repeatable", world, move |_| repeatable(patch(ada()))),
        asked("repeated", world, move |world| {
            let patch = repeatable(patch(ada()));
            world.send(&patch);
            patch
        }),
        asked("creation", World::absent, |_| {
            service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer))
        }),
    ]
}

/// Each operation, and what is not the plain case of one.
pub fn requests() -> Vec<Asked> {
    let mut all = special();
    for &route in Route::ALL {
        if of_route(route, &mut world()).is_some() {
            let of_world = move |world: &mut World| of_route(route, world).unwrap();
            all.push(asked(format!("{route:?}"), world, of_world));
        }
    }
    for &route in ROUTES.iter().filter(|route| **route != Route::EnsureCustomer) {
        let first = move |_: &mut World| bob().says(route, &sound_body(route));
        all.push(asked(format!("{route:?} by a new user"), world, first));
        let later = move || {
            let mut world = world();
            world.now += HOUR;
            world
        };
        let again = move |_: &mut World| ada().says(route, &sound_body(route));
        all.push(asked(format!("{route:?} an hour later"), later, again));
    }
    all
}

/// Warm, and just woken up.
pub fn scenarios() -> Vec<Scenario> {
    let of = |is_cold: bool| {
        requests().into_iter().map(move |(name, prepare, asked)| {
            let name = format!("{name}, {}", if is_cold { "cold" } else { "warm" });
            scenario(name, Again::Other, move || {
                let mut world = prepare();
                let asked = asked(&mut world);
                if is_cold {
                    world.restart();
                }
                (world, request(asked))
            })
        })
    };
    let mut all: Vec<_> = of(false).chain(of(true)).collect();
    for &route in ROUTES {
        let who = if route == Route::EnsureCustomer {
            service()
        } else {
            ada()
        };
        let plain = who.says(route, &sound_body(route));
        all.push(scenario(format!("{route:?}, again"), Again::Same, move || {
            (world(), request(plain.clone()))
        }));
    }
    all.push(scenario("erased", Again::Same, || {
        let mut world = world();
        world.set_status("erased");
        (world, request(ada().asks(Route::GetUser)))
    }));
    all
}
