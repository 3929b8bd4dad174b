//! The front worker. The way of a request, numbered as in `docs/ARCHITECTURE.md`:
//!
//! 1. The route, and the preflight. 2. What the body must be, by its headers; then who is calling.
//! 3. The body is read, and one request made to the customer's object. 4. Raced against a deadline.
//! 8. Headers that every response carries, and one line in the log.

use crate::caller::Caller;
use crate::customer::errand::By;
use crate::customer::idempotency::IdempotencyKey;
use crate::customer::request::{Elsewhere, Origin};
use crate::customer::tokens::Target;
use crate::edge;
use crate::edge::auth::{Credentials, Outcome, www_authenticate};
use crate::edge::envelope::Envelope;
use crate::edge::head::{Field, Head};
use crate::edge::intake::{self, BodyHeaders};
use crate::edge::log::{self, Line};
use crate::edge::reply::{Answer, Caching};
use crate::edge::route::{
    Audience, BodyKind, MAX_BODY_BYTES, Route, Routed, allow_header, origin_of, path_of, query_of, route,
};
use crate::edge::sealed::SEALED_HEADER;
use crate::edge::{assets as files, condition, cors, health, idempotency, problem, shield};
use crate::error::{Code, Error, Result};
use crate::shell::admin_create::{Posted, create};
use crate::shell::deliver::{Package, deliver, ensure_once};
use crate::shell::ensure::Newcomer;
use crate::shell::host::{self, PlatformEntropy, Site};
use crate::shell::http;
use crate::shell::task::Settling;
use crate::shell::{admin, assets, body, import, jwks, object, older_keys, sealing};
use crate::types::{Condition, CustomerId};
use web_sys::{ReadableStream, Request, Response};
use worker::Env;

/// Most times that one request asks the key cache again: 6 s of waiting for another request's fetch.
const MAX_KEY_ROUNDS: u32 = 600;
/// How long it waits between two of them, in milliseconds.
const KEY_POLL_MS: u32 = 10;

/// What is found out about a request on its way, for the log.
#[derive(Default)]
struct Trace {
    route: Option<Route>,
    caller: Option<&'static str>,
    customer: Option<CustomerId>,
    reason: Option<String>,
}

/// What goes out: an answer of the front's own, or an object's response passed on.
pub enum Outgoing {
    /// The front's own.
    Own(Answer),
    /// An object's.
    Relayed(object::Relayed),
    /// The results of an import, as they come.
    Streamed {
        /// Their bytes.
        stream: ReadableStream,
        /// Whether they are sealed.
        is_sealed: bool,
    },
    /// A static file.
    File(assets::Found),
}

/// Answers one request from outside.
pub async fn answer(request: &Request, env: &Env) -> Response {
    let started = host::now();
    let head = http::head(request);
    let origin = intake::origin(
        started,
        &mut PlatformEntropy,
        head.header(Field::RequestId),
        head.header(Field::ConnectingIp),
        head.header(Field::UserAgent),
    );
    let Ok(origin) = origin else {
        return http::empty_500();
    };
    let shown_id = intake::shown_request_id(&origin);
    let mut trace = Trace::default();
    let outgoing = match serve(request, env, &head, &origin, &mut trace).await {
        Ok(outgoing) => outgoing,
        Err(error) => {
            trace.reason = error.internal.as_deref().map(str::to_owned);
            let mut answer = Answer::problem(&error, shown_id);
            answer.headers.extend(challenge(&error, &head));
            Outgoing::Own(answer)
        }
    };
    let mut more = match &outgoing {
        Outgoing::Relayed(relayed) => {
            let error = relayed.code.map(|code| Error::new(code, code.title()));
            error
                .and_then(|error| challenge(&error, &head))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    };
    let outgoing = sealing::apply(env, outgoing, trace.route, &head, shown_id).await;
    if let (Some(page), Ok(site)) = (head.header(Field::Origin), host::site(env)) {
        more.extend(cors::response_headers(&site.settings.allowed_origins, Some(page)));
    }
    let (status, code, response) = finish(outgoing, shown_id, more, head.method() == "HEAD");
    let line = Line {
        id: origin.request_id.as_str(),
        caller_id: log::loggable_id(origin.caller_request_id.as_deref()),
        method: log::method(head.method()),
        route: trace.route.map_or("-", Route::pattern),
        status,
        ms: host::now().as_millis().saturating_sub(started.as_millis()),
        caller: trace.caller.unwrap_or("none"),
        customer: trace.customer.as_ref().map(CustomerId::as_str),
        code,
        security: log::security(status, code),
        reason: trace.reason.as_deref(),
        traceparent: log::traceparent(head.header(Field::Traceparent)),
    };
    worker::console_log!("{}", line.to_json());
    response
}

/// What a 401 says about how to authenticate.
fn challenge(error: &Error, head: &Head) -> Option<(&'static str, String)> {
    let metadata = format!("{}{}", origin_of(head.url()), health::RESOURCE_METADATA_PATH);
    www_authenticate(error, &metadata).map(|value| ("WWW-Authenticate", value))
}

/// 8. The response with the headers that all carry.
fn finish(
    outgoing: Outgoing,
    shown_id: &str,
    more: Vec<(&'static str, String)>,
    is_head: bool,
) -> (u16, Option<&'static str>, Response) {
    match outgoing {
        Outgoing::Own(mut answer) => {
            answer.complete(shown_id);
            let (status, code) = (answer.status, answer.code.map(Code::as_str));
            if is_head {
                answer.body.clear();
            }
            (status, code, http::respond(answer, more))
        }
        Outgoing::Streamed { stream, is_sealed } => {
            let kind = edge::import::MEDIA_TYPE;
            let mut answer = Answer::document(200, kind, Vec::new(), Caching::Never);
            answer.complete(shown_id);
            let sealed = is_sealed.then(|| (SEALED_HEADER, "true".to_owned()));
            answer.headers.extend(sealed.into_iter().chain(more));
            (200, None, http::stream(200, &answer.headers, &stream))
        }
        Outgoing::Relayed(relayed) => {
            let (status, code) = (relayed.status, relayed.code.map(Code::as_str));
            let as_it_came = || relayed.as_it_came();
            if let Some(response) = (!is_head && more.is_empty()).then(as_it_came).flatten() {
                return (status, code, response);
            }
            let mut headers = relayed.headers();
            headers.extend(Answer::empty(status).common_headers(shown_id));
            headers.extend(more);
            (status, code, relayed.into_response(&headers, is_head))
        }
        Outgoing::File(found) => (200, None, found.into_response(shown_id, &more, is_head)),
    }
}

async fn serve(
    request: &Request,
    env: &Env,
    head: &Head,
    origin: &Origin,
    trace: &mut Trace,
) -> Result<Outgoing> {
    // 1.
    let path = path_of(head.url());
    if head.method() == "OPTIONS" {
        return Ok(Outgoing::Own(options(path)));
    }
    let (found, variable) = match route(head.method(), path) {
        Routed::Found(found, variable) => (found, variable),
        Routed::NotFound => return Err(Error::new(Code::RouteNotFound, Code::RouteNotFound.title())),
        Routed::MethodNotAllowed(methods) => {
            let error = Error::new(Code::MethodNotAllowed, Code::MethodNotAllowed.title());
            let mut answer = Answer::problem(&error, intake::shown_request_id(origin));
            answer.headers.push(("Allow", allow_header(&methods)));
            return Ok(Outgoing::Own(answer));
        }
    };
    trace.route = Some(found);
    if found.audience() == Audience::Public {
        return public(found, variable, env, head).await;
    }
    let site = host::site(env)?;
    if shield::covers(found) {
        let ip = head.header(Field::ConnectingIp);
        crate::shell::shield::admit(env, ip, origin.request_id.as_str()).await?;
    }
    // 2.
    check_body(found, head)?;
    let caller = authenticate(&site, found, head).await?;
    trace.caller = Some(caller.kind());
    admit(found, &caller)?;
    if found == Route::ImportRecords {
        let by = By {
            caller,
            origin: origin.clone(),
            fingerprint: None,
        };
        return start_import(request, env, &site, head, by).await;
    }
    let condition = condition::parse(head.header(Field::IfMatch), head.header(Field::IfNoneMatch))?;
    let idempotency_key = idempotency::parse(found.method(), head.header(Field::IdempotencyKey))?;
    let body = match found.body() {
        BodyKind::None => None,
        _ => {
            let deadline_ms = site.settings.object_deadline_ms;
            let is_declared = head.header(Field::ContentLength).is_some();
            Some(body::read_within(request, is_declared, MAX_BODY_BYTES, deadline_ms).await?)
        }
    };
    let checked = Checked {
        found,
        variable,
        caller,
        condition,
        idempotency_key,
        body,
    };
    forward(env, &site, head, origin, checked, trace).await
}

/// An import: a stream both ways.
async fn start_import(request: &Request, env: &Env, site: &Site, head: &Head, by: By) -> Result<Outgoing> {
    admin::note_import(env, site, &by).await?;
    let shown_id = intake::shown_request_id(&by.origin);
    let sealer = sealing::stream(
        site,
        Route::ImportRecords,
        head,
        edge::import::MEDIA_TYPE,
        shown_id,
    );
    let is_sealed = sealer.is_some();
    let stream = import::start(request.body(), env, by, sealer)?;
    Ok(Outgoing::Streamed { stream, is_sealed })
}

/// A request whose caller may make it, as far as the front can tell.
struct Checked<'a> {
    found: Route,
    variable: &'a str,
    caller: Caller,
    condition: Condition,
    idempotency_key: Option<IdempotencyKey>,
    body: Option<Vec<u8>>,
}

/// 3., 4. To the object that decides it.
async fn forward(
    env: &Env,
    site: &Site,
    head: &Head,
    origin: &Origin,
    checked: Checked<'_>,
    trace: &mut Trace,
) -> Result<Outgoing> {
    let found = checked.found;
    let by = By {
        caller: checked.caller.clone(),
        origin: origin.clone(),
        fingerprint: None,
    };
    let body = checked.body.as_deref().unwrap_or_default();
    let query = query_of(head.url());
    let key = checked.idempotency_key.as_ref();
    if let Some(answer) = admin::serve(env, site, found, &by, query, body, key).await? {
        return Ok(Outgoing::Own(answer));
    }
    if found == Route::CreateCustomer {
        let posted = Posted {
            body,
            key: checked.idempotency_key,
            traceparent: log::traceparent(head.header(Field::Traceparent)).map(str::to_owned),
        };
        let (customer, relayed) = create(env, site, by.clone(), posted).await?;
        admin::missed(env, site, &by, found, (Some(&customer), relayed.code)).await;
        trace.customer = Some(customer);
        return Ok(Outgoing::Relayed(relayed));
    }
    if found == Route::EnsureCustomer {
        let (customer, answer) = ensure_once(env, site, by, body, checked.idempotency_key).await?;
        trace.customer = customer;
        return Ok(Outgoing::Own(answer));
    }
    let named = addressee(found, checked.variable, &by.caller, body);
    admin::check(env, site, &by, named.as_ref().ok().and_then(Option::as_ref)).await?;
    older_keys::admit(env, site, &by.caller, origin).await?;
    let newcomer = Newcomer::of(found, &by);
    let customer = match (named?, &newcomer) {
        (Some(customer), _) => customer,
        (None, Some(newcomer)) => newcomer.find(env, site).await?,
        (None, None) => return Err(nobody_named()),
    };
    trace.customer = Some(customer.clone());
    let envelope = Envelope {
        customer,
        route: found,
        caller: checked.caller,
        condition: checked.condition,
        origin: origin.clone(),
        variable: checked.variable.to_owned(),
        query: if found.has_query() {
            query.to_owned()
        } else {
            String::new()
        },
        idempotency_key: checked.idempotency_key,
    };
    let package = Package {
        body: checked.body.as_deref(),
        traceparent: log::traceparent(head.header(Field::Traceparent)).map(str::to_owned),
        newcomer: newcomer.as_ref(),
    };
    let (customer, relayed) = deliver(env, site, envelope, package).await?;
    if found == Route::RevokeTokens && relayed.status == 204 {
        admin::revoke_own(env, site, &by, body).await?;
    }
    note(env, site, &by, found, &customer, &relayed).await?;
    trace.customer = Some(customer);
    Ok(Outgoing::Relayed(relayed))
}

/// Has the operators' log tell what no customer's log could.
async fn note(
    env: &Env,
    site: &Site,
    by: &By,
    found: Route,
    customer: &CustomerId,
    relayed: &object::Relayed,
) -> Result<()> {
    let by_operator = found.audience().is_admin() || found.audience() == Audience::Service;
    if relayed.elsewhere == Some(Elsewhere::Erased) {
        admin::read_erased(env, site, by, found, (customer, relayed.code)).await?;
    } else if by_operator {
        admin::missed(env, site, by, found, (Some(customer), relayed.code)).await;
    }
    Ok(())
}

/// Refuses a body by its headers.
fn check_body(found: Route, head: &Head) -> Result<()> {
    let headers = BodyHeaders {
        content_type: head.header(Field::ContentType),
        content_length: head.header(Field::ContentLength),
        content_encoding: head.header(Field::ContentEncoding),
    };
    intake::check_body(found, headers)
}

/// `OPTIONS` of any path: a preflight's answer serves both.
fn options(path: &str) -> Answer {
    let mut answer = Answer::empty(204);
    if let Routed::MethodNotAllowed(methods) = route("OPTIONS", path) {
        answer.headers.push(("Allow", allow_header(&methods)));
    }
    answer.headers.extend(cors::preflight_headers(path));
    answer
}

/// The routes that anyone may call, without a customer.
async fn public(found: Route, variable: &str, env: &Env, head: &Head) -> Result<Outgoing> {
    let environment = host::site(env).ok().map(|site| site.settings.environment);
    if let Some(file) = files::of(found, variable, environment)? {
        return assets::open(env, file).await.map(Outgoing::File);
    }
    let answer = match found {
        Route::Health => Ok(health::health()),
        Route::Ready => host::site(env).map(|_| health::ready()),
        Route::ResourceMetadata => {
            let site = host::site(env)?;
            Ok(health::resource_metadata(
                origin_of(head.url()),
                &site.settings.tokens.issuers,
            ))
        }
        Route::SigningKeys => {
            host::site(env).map(|site| health::signing_keys(site.customers.signing.public()))
        }
        Route::Problem => {
            let code = Code::parse(variable)
                .ok_or_else(|| Error::new(Code::ProblemNotFound, Code::ProblemNotFound.title()))?;
            Ok(Answer::document(
                200,
                "text/html; charset=utf-8",
                problem::page(code),
                Caching::Public,
            ))
        }
        _ => Err(Error::fault("a public route without an answer")),
    };
    answer.map(Outgoing::Own)
}

/// Who is calling.
async fn authenticate(site: &Site, found: Route, head: &Head) -> Result<Caller> {
    let credentials = Credentials {
        authorization: head.header(Field::Authorization),
        cookie: head.header(Field::Cookie),
        csrf_header: head.header(Field::CsrfToken),
        service_key: head.header(Field::ServiceKey),
        api_key: head.header(Field::ApiKey),
        customer_id: head.header(Field::CustomerId),
        origin: head.header(Field::Origin),
        unsafe_method: found.method().is_unsafe(),
    };
    let mut fetched = false;
    for _ in 0..MAX_KEY_ROUNDS {
        // The borrow of the cache ends before the await.
        let outcome = site
            .authenticator
            .authenticate(&credentials, &mut site.jwks.borrow_mut(), host::now());
        match outcome {
            Outcome::Done(caller) => {
                return caller.and_then(|caller| sealing::check(site, &credentials, head).map(|()| caller));
            }
            Outcome::FetchKeys if !fetched => {
                fetched = true;
                fetch_keys(site).await;
            }
            Outcome::FetchKeys => break,
            Outcome::WaitForKeys => drop(Settling::after(KEY_POLL_MS).await),
        }
    }
    let mut error = Error::new(Code::IssuerUnavailable, Code::IssuerUnavailable.title())
        .because("waited for keys in vain");
    error.retry_after_secs = Some(site.jwks.borrow().retry_after_secs(host::now()));
    Err(error)
}

/// Fetches the issuer's keys into the cache, where every waiting request finds them.
async fn fetch_keys(site: &Site) {
    let fetched = match &site.settings.jwks_url {
        Some(url) => jwks::fetch(url).await,
        None => Err("no JWKS_URL"),
    };
    let mut cache = site.jwks.borrow_mut();
    let stored = match fetched {
        Ok(bytes) => cache.fetched(host::now(), &bytes),
        Err(reason) => {
            cache.failed();
            Err(reason)
        }
    };
    if let Err(reason) = stored {
        let error = Error::new(Code::IssuerUnavailable, "").because(reason);
        worker::console_error!("{}", log::event("jwks", None, &error));
    }
}

/// Whether that kind of caller may call this route.
fn admit(found: Route, caller: &Caller) -> Result<()> {
    let is_admitted = match (found.audience(), caller) {
        (Audience::User, Caller::User(_))
        | (Audience::Customer, Caller::User(_) | Caller::Integration(_))
        | (Audience::Integration, Caller::Integration(_))
        | (Audience::Service, Caller::Service(_))
        | (Audience::Public, _) => true,
        (Audience::Admin | Audience::OwnAdmin | Audience::Operator, Caller::User(user)) => user.is_admin,
        _ => false,
    };
    if is_admitted {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden, Code::Forbidden.title()).because("wrong kind of caller"))
}

fn nobody_named() -> Error {
    let told = "The request names no customer that this service holds.";
    Error::new(Code::CustomerNotFound, told).because("no customer is named")
}

/// Whose object the request is for, as far as its credential, path or body says.
fn addressee(found: Route, variable: &str, caller: &Caller, body: &[u8]) -> Result<Option<CustomerId>> {
    if found == Route::ServicePutEmail {
        return Ok(CustomerId::parse(variable));
    }
    if found.audience() == Audience::Service {
        return Ok(Target::parse_internal(body)?.0);
    }
    Ok(match caller {
        _ if found.audience() == Audience::Admin => CustomerId::parse(variable),
        Caller::User(user) => user.customer.clone(),
        Caller::Integration(integration) => Some(integration.customer.clone()),
        Caller::Service(_) => None,
    })
}
