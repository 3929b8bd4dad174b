//! What the logs tell of a cell: which of them, and in which words.

use crate::support::http::{Response, get};
use crate::support::integration::admin;
use crate::support::server::Server;
use serde_json::Value;
use user_api::edge::access::Kind;
use user_api::edge::route::{Audience, Route};

/// A cell that was tried.
pub struct Cell<'a> {
    pub route: Route,
    pub kind: Kind,
    pub answer: &'a Response,
    /// The customer that the request names.
    pub named: &'a str,
    /// The one that the credential names.
    pub own: &'a str,
}

/// Where a cell stands.
enum Place {
    /// In no log: the front refused it, or it concerns nobody.
    Nowhere,
    /// In the log of this customer.
    Customer(String),
    /// In the operators' log.
    Operators,
}

/// The path of the operators' log.
const OPERATORS: &str = "/admin/audit";
/// Refusals of one minute that get an entry each in the operators' log.
const SINGLE: usize = 10;

impl Cell<'_> {
    /// Looks for the entry of the request wherever it must be, and for none where none must be.
    pub fn check(&self, server: &Server) {
        let id = self.answer.must_header("X-Request-Id");
        let told = format!("{:?} by {:?}: {}", self.route, self.kind, self.answer.describe());
        let place = self.place();
        if !matches!(&place, Place::Customer(customer) if customer == self.named) {
            let entries = entries(server, &of(self.named));
            // Who is on a list is told so.
            let is_other = |entry: &Value| entry["requestId"] != id || entry["action"] == "customer.listed";
            assert!(entries.iter().all(is_other), "{told}");
        }
        let path = match place {
            Place::Nowhere => return,
            Place::Customer(customer) => of(&customer),
            Place::Operators => OPERATORS.to_owned(),
        };
        let expected = format!("{} {} {}", self.action(), self.actor(), self.outcome());
        let entries = entries(server, &path);
        let found: Vec<_> = entries
            .iter()
            .filter(|entry| entry["requestId"] == id)
            .map(brief)
            .collect();
        // Of the refusals that no limit bounds the first of each minute are singled out.
        let refused = entries
            .iter()
            .map(brief)
            .filter(|entry| entry.ends_with(" token_revoked"))
            .count();
        let is_summed = path == OPERATORS && self.kind == Kind::Revoked && refused >= SINGLE;
        assert!(
            found.contains(&expected) || is_summed,
            "{told}: no {expected:?} in {path}, but {found:?}"
        );
    }

    fn place(&self) -> Place {
        let audience = self.route.audience();
        // Whether a key's time is over its customer's object alone knows; a token says it itself.
        let is_unknown = match self.kind {
            Kind::Nobody => true,
            Kind::Expired => audience != Audience::Integration,
            _ => !self.is_admitted(),
        };
        if audience == Audience::Public || is_unknown {
            return Place::Nowhere;
        }
        if self.kind == Kind::Revoked && (audience.is_admin() || audience == Audience::Service) {
            return Place::Operators;
        }
        match self.route {
            Route::ListCustomers | Route::GetOperatorLog | Route::ImportRecords | Route::Rewrap => {
                Place::Operators
            }
            Route::CreateCustomer => {
                Place::Customer(self.answer.json()["customerId"].as_str().unwrap().to_owned())
            }
            _ if matches!(audience, Audience::Admin | Audience::Service) => {
                Place::Customer(self.named.to_owned())
            }
            _ => Place::Customer(self.own.to_owned()),
        }
    }

    /// Whether the front lets that kind of caller through at all.
    fn is_admitted(&self) -> bool {
        match self.kind {
            Kind::Owner | Kind::Member | Kind::Stranger | Kind::Suspended => {
                matches!(self.route.audience(), Audience::User | Audience::Customer)
            }
            Kind::Admin => !matches!(self.route.audience(), Audience::Integration | Audience::Service),
            Kind::Integration | Kind::Unscoped => {
                matches!(self.route.audience(), Audience::Customer | Audience::Integration)
            }
            Kind::Service => self.route.audience() == Audience::Service,
            // Their credentials fit.
            Kind::Nobody | Kind::Expired | Kind::Revoked => true,
        }
    }

    fn actor(&self) -> &'static str {
        match (self.kind, self.route.audience()) {
            (Kind::Service, _) | (Kind::Revoked, Audience::Service) => "service",
            (Kind::Integration | Kind::Unscoped, _)
            | (Kind::Revoked | Kind::Expired, Audience::Integration) => "integration",
            (Kind::Admin, _) | (Kind::Revoked, Audience::Admin | Audience::OwnAdmin | Audience::Operator) => {
                "admin"
            }
            _ => "user",
        }
    }

    fn outcome(&self) -> String {
        match self.answer.status {
            // A lease that is not held: nothing was to be done.
            _ if self.route == Route::ReleaseLease && self.answer.status == 204 => "idle".to_owned(),
            200..300 => "ok".to_owned(),
            _ => self.answer.json()["code"].as_str().unwrap().to_owned(),
        }
    }

    /// What the log calls the operation.
    fn action(&self) -> &'static str {
        if self.kind == Kind::Revoked && matches!(self.place(), Place::Operators) {
            return "request";
        }
        match self.route {
            Route::GetCustomer | Route::GetCustomerAlias | Route::AdminGetCustomer => "customer.read",
            Route::PutCustomer
            | Route::PatchCustomer
            | Route::AdminPutCustomer
            | Route::AdminPatchCustomer
            | Route::ServicePutEmail => "customer.update",
            Route::GetStatus => "status.read",
            Route::PutStatus | Route::AdminPutStatus => "status.update",
            Route::AdminSuspend => "customer.suspend",
            Route::AdminActivate => "customer.activate",
            Route::GetUsage | Route::AdminGetUsage => "usage.read",
            Route::GetLimits | Route::AdminGetLimits => "limits.read",
            Route::PutLimits | Route::AdminPutLimits => "limits.update",
            Route::ConsumeLimits => "limits.consume",
            Route::ReleaseLease => "limits.release",
            Route::ListKeys => "api_keys.list",
            Route::CreateKey => "api_key.create",
            Route::GetKey => "api_key.read",
            Route::PatchKey => "api_key.update",
            Route::RevokeKey => "api_key.revoke",
            Route::RotateKey => "api_key.rotate",
            Route::RevokeTokens | Route::AdminRevokeTokens | Route::ServiceRevokeTokens => "tokens.revoke",
            Route::ListAudit | Route::AdminListAudit | Route::GetOperatorLog => "audit.list",
            Route::GetAuditHead | Route::AdminGetAuditHead => "audit.head",
            Route::GetAuditEntry => "audit.read",
            Route::GetErasure | Route::AdminGetErasure => "erasure.read",
            Route::RequestErasure | Route::AdminRequestErasure => "erasure.request",
            Route::WithdrawErasure | Route::AdminWithdrawErasure => "erasure.withdraw",
            Route::ExportCustomer | Route::AdminExport => "export.read",
            Route::GetSession => "session.read",
            Route::GetUser => "user.read",
            Route::PutUser | Route::PatchUser => "user.update",
            Route::GetPreferences => "preferences.read",
            Route::PutPreferences | Route::PatchPreferences => "preferences.update",
            Route::ListCustomers => "customers.list",
            Route::CreateCustomer => "customer.create",
            Route::EnsureCustomer => "customer.ensure",
            Route::ImportRecords => "customers.import",
            Route::Rewrap => "keys.rewrap",
            Route::Health
            | Route::Ready
            | Route::Problem
            | Route::ResourceMetadata
            | Route::OpenApi
            | Route::Docs
            | Route::DocsStyle
            | Route::Dashboard
            | Route::DashboardFile
            | Route::SigningKeys => "",
        }
    }
}

fn of(customer: &str) -> String {
    format!("/admin/customers/{customer}/audit")
}

fn entries(server: &Server, path: &str) -> Vec<Value> {
    let page = get(&format!("{path}?limit=100"))
        .bearer(&admin())
        .send(server)
        .ok();
    page["data"].as_array().unwrap().clone()
}

fn brief(entry: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    format!(
        "{} {} {}",
        word(&entry["action"]),
        word(&entry["actor"]["kind"]),
        word(&entry["outcome"])
    )
}
