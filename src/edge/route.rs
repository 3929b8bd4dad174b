//! Which operation a request is for: `(method, path) -> Route`, from one table, without a URL object.
//! The table is also what the documentation and the tests walk.

use crate::customer::request::Operation;
use crate::edge::import::MAX_IMPORT_BYTES;
use serde::{Deserialize, Serialize};

/// Largest body that an operation on one resource accepts, in bytes: 50 metadata keys of 40 characters with
/// values of 500, each character up to 6 bytes when escaped (`\u0000`), fit with room to spare.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// Longest path that is looked at, in bytes; a longer one is 404 by the table anyway.
const MAX_PATH_BYTES: usize = 512;

/// Request methods that some route has, besides OPTIONS, which is answered for every path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The token of RFC 9110 section 9.1; HEAD counts as GET; the front leaves the body out.
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        Some(match token {
            "GET" | "HEAD" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    /// The method's token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// True for methods that change something (RFC 9110 section 9.2.1).
    #[must_use]
    pub const fn is_unsafe(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// Who may call an operation (`docs/API.md`, "Who is calling").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anyone, without a credential.
    Public,
    /// A user, on the customer that its token names.
    User,
    /// A user, or an integration by API key, on its own customer.
    Customer,
    /// An integration by API key, on its own customer.
    Integration,
    /// A super-admin, on the customer that the path names.
    Admin,
    /// A super-admin, on the customer that its token names.
    OwnAdmin,
    /// A super-admin, on no single customer.
    Operator,
    /// A trusted back end.
    Service,
}

/// What the body of a request must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// The operation takes none.
    None,
    /// `application/json`.
    Json,
    /// `application/json`, or no body at all.
    OptionalJson,
    /// `application/x-ndjson`: one JSON object a line, read as a stream.
    Ndjson,
    /// `application/merge-patch+json` (RFC 7396), or `application/json` with the same meaning.
    MergePatch,
}

macro_rules! routes {
    ($($variant:ident $method:ident $pattern:literal $audience:ident $body:ident;)*) => {
        /// One operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)]
        pub enum Route { $($variant,)* }

        impl Route {
            /// Every operation, in the order of the documentation.
            pub const ALL: &'static [Route] = &[$(Route::$variant,)*];

            /// The method by which it is called.
            #[must_use]
            pub const fn method(self) -> Method {
                match self { $(Route::$variant => Method::$method,)* }
            }

            /// The path with `{name}` for a variable segment; what the log calls this route.
            #[must_use]
            pub const fn pattern(self) -> &'static str {
                match self { $(Route::$variant => $pattern,)* }
            }

            /// Who may call it.
            #[must_use]
            pub const fn audience(self) -> Audience {
                match self { $(Route::$variant => Audience::$audience,)* }
            }

            /// What its body must be.
            #[must_use]
            pub const fn body(self) -> BodyKind {
                match self { $(Route::$variant => BodyKind::$body,)* }
            }
        }
    };
}

routes! {
    GetCustomer      Get   "/customer/me"                  Customer None;
    PutCustomer      Put   "/customer/me"                  Customer Json;
    PatchCustomer    Patch "/customer/me"                  Customer MergePatch;
    GetStatus        Get   "/customer/me/status"           Customer None;
    PutStatus        Put   "/customer/me/status"           OwnAdmin Json;
    GetUsage         Get   "/customer/me/usage"            Customer None;
    GetLimits        Get   "/customer/me/limits"           User    None;
    PutLimits        Put   "/customer/me/limits"           User    Json;
    ConsumeLimits    Post  "/customer/me/limits/consume"   Integration Json;
    ReleaseLease     Post  "/customer/me/limits/release"   Integration Json;
    ListKeys         Get   "/customer/me/api-keys"         User    None;
    CreateKey        Post  "/customer/me/api-keys"         User    Json;
    GetKey           Get   "/customer/me/api-keys/{keyId}" User    None;
    PatchKey         Patch "/customer/me/api-keys/{keyId}" User    MergePatch;
    RevokeKey        Delete "/customer/me/api-keys/{keyId}" User   None;
    RotateKey        Post  "/customer/me/api-keys/{keyId}/rotate" User Json;
    RevokeTokens     Post  "/customer/me/tokens/revoke"    User    Json;
    ListAudit        Get   "/customer/me/audit"            Customer None;
    GetAuditHead     Get   "/customer/me/audit/head"       Customer None;
    GetAuditEntry    Get   "/customer/me/audit/{seq}"      Customer None;
    GetErasure       Get   "/customer/me/erasure"          User    None;
    RequestErasure   Post  "/customer/me/erasure"          User    OptionalJson;
    WithdrawErasure  Delete "/customer/me/erasure"         User    None;
    ExportCustomer   Get   "/customer/me/export"           User    None;
    GetCustomerAlias Get   "/admin/customers/me"           User    None;
    GetSession       Get   "/session"                      User    None;
    GetUser          Get   "/user/me"                      User    None;
    PutUser          Put   "/user/me"                      User    Json;
    PatchUser        Patch "/user/me"                      User    MergePatch;
    GetPreferences   Get   "/user/me/preferences"          User    None;
    PutPreferences   Put   "/user/me/preferences"          User    Json;
    PatchPreferences Patch "/user/me/preferences"          User    MergePatch;
    ListCustomers    Get   "/admin/customers"              Operator None;
    CreateCustomer   Post  "/admin/customers"              Operator Json;
    GetOperatorLog   Get   "/admin/audit"                  Operator None;
    AdminGetCustomer Get   "/admin/customers/{customerId}" Admin None;
    AdminPutCustomer Put   "/admin/customers/{customerId}" Admin Json;
    AdminPatchCustomer Patch "/admin/customers/{customerId}" Admin MergePatch;
    AdminPutStatus   Put   "/admin/customers/{customerId}/status" Admin Json;
    AdminSuspend     Post  "/admin/customers/{customerId}/suspend" Admin Json;
    AdminActivate    Post  "/admin/customers/{customerId}/activate" Admin OptionalJson;
    AdminRevokeTokens Post "/admin/customers/{customerId}/tokens/revoke" Admin Json;
    AdminGetLimits   Get   "/admin/customers/{customerId}/limits" Admin None;
    AdminPutLimits   Put   "/admin/customers/{customerId}/limits" Admin Json;
    AdminGetUsage    Get   "/admin/customers/{customerId}/usage" Admin None;
    AdminListAudit   Get   "/admin/customers/{customerId}/audit" Admin None;
    AdminGetAuditHead Get  "/admin/customers/{customerId}/audit/head" Admin None;
    AdminGetErasure  Get   "/admin/customers/{customerId}/erasure" Admin None;
    AdminRequestErasure Post "/admin/customers/{customerId}/erasure" Admin Json;
    AdminWithdrawErasure Delete "/admin/customers/{customerId}/erasure" Admin None;
    AdminExport      Get   "/admin/customers/{customerId}/export" Admin None;
    EnsureCustomer   Post  "/internal/customers"           Service Json;
    ServicePutEmail  Put   "/internal/customers/{customerId}/email" Service Json;
    ImportRecords    Post  "/internal/import"             Service Ndjson;
    Rewrap           Post  "/internal/rewrap"             Service Json;
    ServiceRevokeTokens Post "/internal/tokens/revoke"     Service Json;
    Health           Get   "/health"                       Public  None;
    Ready            Get   "/ready"                        Public  None;
    Problem          Get   "/problems/{code}"              Public  None;
    ResourceMetadata Get   "/.well-known/oauth-protected-resource" Public None;
    OpenApi          Get   "/openapi.json"                 Public  None;
    Docs             Get   "/docs"                         Public  None;
    DocsStyle        Get   "/docs.css"                     Public  None;
    Dashboard        Get   "/dashboard"                    Public  None;
    DashboardFile    Get   "/dashboard/{file}"             Public  None;
    SigningKeys      Get   "/.well-known/jwks.json"        Public  None;
}

impl Audience {
    /// Whether a user who calls it acts as an administrator, not as a user of the customer.
    #[must_use]
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::Admin | Self::OwnAdmin | Self::Operator)
    }
}

impl Route {
    /// Whether its answer is a stream that may take long.
    #[must_use]
    pub const fn streams(self) -> bool {
        matches!(self, Self::ExportCustomer | Self::AdminExport)
    }

    /// The largest body that it takes, in bytes.
    #[must_use]
    pub const fn max_body_bytes(self) -> usize {
        match self.body() {
            BodyKind::Ndjson => MAX_IMPORT_BYTES,
            _ => MAX_BODY_BYTES,
        }
    }

    /// What the statistics call it.
    #[must_use]
    pub const fn operation(self) -> Operation {
        Operation {
            method: self.method().as_str(),
            pattern: self.pattern(),
        }
    }

    /// Whether it reads the URL's query; the others ignore it.
    #[must_use]
    pub const fn has_query(self) -> bool {
        matches!(
            self,
            Self::ListAudit
                | Self::GetAuditHead
                | Self::AdminListAudit
                | Self::AdminGetAuditHead
                | Self::ListCustomers
                | Self::GetOperatorLog
        )
    }

    /// The path of a request for it, given the text of its variable segment.
    #[must_use]
    pub fn path(self, variable: &str) -> String {
        let pattern = self.pattern();
        match pattern
            .split_once('{')
            .and_then(|(prefix, rest)| Some((prefix, rest.split_once('}')?.1)))
        {
            Some((prefix, suffix)) => format!("{prefix}{variable}{suffix}"),
            None => pattern.to_owned(),
        }
    }
}

/// What the table says of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Routed<'a> {
    /// The operation, and the text of the pattern's variable segment ("" where it has none).
    Found(Route, &'a str),
    /// The path exists, but not for this method; these are the ones it has.
    MethodNotAllowed(Vec<Method>),
    /// No operation has this path.
    NotFound,
}

/// Looks a request up in the table. `path` is the raw path without query; nothing is percent-decoded, since
/// no variable segment may hold anything that needs it.
#[must_use]
pub fn route<'a>(method: &str, path: &'a str) -> Routed<'a> {
    if path.len() > MAX_PATH_BYTES {
        return Routed::NotFound;
    }
    let method = Method::parse(method);
    let mut allowed = Vec::new();
    // A path that a pattern spells out is no value of another pattern's variable.
    let is_spelled_out = Route::ALL.iter().any(|candidate| candidate.pattern() == path);
    for &candidate in Route::ALL {
        if is_spelled_out && candidate.pattern() != path {
            continue;
        }
        if let Some(variable) = matched(candidate.pattern(), path) {
            if Some(candidate.method()) == method {
                return Routed::Found(candidate, variable);
            }
            if !allowed.contains(&candidate.method()) {
                allowed.push(candidate.method());
            }
        }
    }
    if allowed.is_empty() {
        Routed::NotFound
    } else {
        Routed::MethodNotAllowed(allowed)
    }
}

/// The text of the variable segment if `path` has the form of `pattern`; "" if the pattern has none.
fn matched<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let Some((prefix, suffix)) = pattern
        .split_once('{')
        .and_then(|(prefix, rest)| rest.split_once('}').map(|(_, suffix)| (prefix, suffix)))
    else {
        return (pattern == path).then_some("");
    };
    let variable = path.strip_prefix(prefix)?.strip_suffix(suffix)?;
    (!variable.is_empty() && !variable.contains('/')).then_some(variable)
}

/// The path of an absolute URL as the platform gives it, without query and fragment.
#[must_use]
pub fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path_at = after_scheme.find('/').unwrap_or(after_scheme.len());
    let path = after_scheme.get(path_at..).unwrap_or_default();
    let end = path.find(['?', '#']).unwrap_or(path.len());
    path.get(..end).unwrap_or_default()
}

/// The query of an absolute URL as the platform gives it, without `?` and fragment.
#[must_use]
pub fn query_of(url: &str) -> &str {
    let end = url.find('#').unwrap_or(url.len());
    let url = url.get(..end).unwrap_or_default();
    url.split_once('?').map_or("", |(_, query)| query)
}

/// `scheme://host[:port]` of an absolute URL as the platform gives it.
#[must_use]
pub fn origin_of(url: &str) -> &str {
    let host_at = url.find("://").map_or(0, |at| at.saturating_add(3));
    let path_at = url
        .get(host_at..)
        .and_then(|rest| rest.find('/'))
        .map(|at| at.saturating_add(host_at));
    url.get(..path_at.unwrap_or(url.len())).unwrap_or(url)
}

/// The value of `Allow` (RFC 9110 section 10.2.1) for these methods; HEAD goes with GET, OPTIONS with all.
#[must_use]
pub fn allow_header(methods: &[Method]) -> String {
    let mut value = String::new();
    for method in methods {
        value.push_str(method.as_str());
        value.push_str(if *method == Method::Get { ", HEAD, " } else { ", " });
    }
    value.push_str("OPTIONS");
    value
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_route_finds_itself() {
        for &route_ in Route::ALL {
            let path = ["{code}", "{keyId}", "{customerId}", "{seq}", "{file}"]
                .iter()
                .fold(route_.pattern().to_owned(), |path, name| path.replace(name, "x"));
            let variable = if route_.pattern().contains('{') { "x" } else { "" };
            assert_eq!(
                route(route_.method().as_str(), &path),
                Routed::Found(route_, variable)
            );
        }
    }

    #[test]
    fn paths_match_exactly() {
        for path in [
            "/",
            "",
            "/customer",
            "/customer/me/",
            "/Customer/me",
            "/customer//me",
            "/problems/",
            "/problems/a/b",
        ] {
            assert_eq!(route("GET", path), Routed::NotFound, "{path}");
        }
        assert_eq!(
            route("GET", &format!("/problems/{}", "x".repeat(600))),
            Routed::NotFound
        );
    }

    #[test]
    fn a_wrong_method_learns_the_right_ones() {
        let Routed::MethodNotAllowed(methods) = route("DELETE", "/customer/me") else {
            panic!("not refused");
        };
        assert_eq!(allow_header(&methods), "GET, HEAD, PUT, PATCH, OPTIONS");
        let Routed::MethodNotAllowed(methods) = route("PUT", "/admin/customers/me") else {
            panic!("taken for a customer's id");
        };
        assert_eq!(methods, [Method::Get]);
        assert!(matches!(route("BREW", "/health"), Routed::MethodNotAllowed(_)));
        assert_eq!(route("HEAD", "/health"), Routed::Found(Route::Health, ""));
    }

    #[test]
    fn urls_are_taken_apart_without_an_object() {
        let url = "https://api.example:8787/customer/me?x=/y#z";
        assert_eq!(path_of(url), "/customer/me");
        assert_eq!(origin_of(url), "https://api.example:8787");
        assert_eq!(query_of(url), "x=/y");
        assert_eq!((query_of("http://h#?a=1"), query_of("http://h?")), ("", ""));
        assert_eq!(path_of("http://h"), "");
        assert_eq!(path_of("http://h?x"), "");
        assert_eq!(origin_of("http://h"), "http://h");
    }
}
