//! Sealing what goes out, where the caller asked for it or the operator demands it.

use crate::edge::auth::Credentials;
use crate::edge::head::{Field, Head};
use crate::edge::reply::{Answer, Caching};
use crate::edge::route::{Audience, Route};
use crate::edge::sealed::{Frame, MAX_SEALED_BODY_BYTES, SEALED_HEADER, is_open, is_wanted, seal};
use crate::edge::sealed_stream::Sealer;
use crate::edge::settings::ResponseEncryption;
use crate::error::{Code, Error, Result};
use crate::shell::front::Outgoing;
use crate::shell::host::{self, PlatformEntropy, Site};
use worker::Env;

/// Refuses a caller who could open no answer: a browser's page cannot read its HttpOnly cookie.
///
/// # Errors
/// `encryption_required`, or `malformed_request` for a wish that is none.
pub fn check(site: &Site, credentials: &Credentials<'_>, head: &Head) -> Result<()> {
    let mode = site.settings.response_encryption;
    is_wanted(mode, head.header(Field::EncryptResponse))?;
    if mode == ResponseEncryption::Required && credentials.is_by_cookie() {
        return Err(Error::new(
            Code::EncryptionRequired,
            Code::EncryptionRequired.title(),
        ));
    }
    Ok(())
}

/// The credential to which the responses to this request are sealed; None where they go out open.
fn credential(site: &Site, route: Option<Route>, head: &Head) -> Option<String> {
    if route.is_none_or(|route| route.audience() == Audience::Public) {
        return None;
    }
    let wanted = is_wanted(
        site.settings.response_encryption,
        head.header(Field::EncryptResponse),
    );
    if !wanted.unwrap_or(false) {
        return None;
    }
    let credentials = Credentials {
        authorization: head.header(Field::Authorization),
        cookie: head.header(Field::Cookie),
        service_key: head.header(Field::ServiceKey),
        api_key: head.header(Field::ApiKey),
        ..Credentials::default()
    };
    credentials.text()
}

/// What seals the stream that is answered to this request; None where it goes out open.
pub fn stream(
    site: &Site,
    route: Route,
    head: &Head,
    media_type: &'static str,
    shown_id: &str,
) -> Option<Sealer> {
    credential(site, Some(route), head)
        .map(|credential| Sealer::new(credential, media_type, shown_id.to_owned()))
}

/// What goes out: sealed where it is to be. (A stream was sealed by who makes it.)
pub async fn apply(
    env: &Env,
    outgoing: Outgoing,
    route: Option<Route>,
    head: &Head,
    shown_id: &str,
) -> Outgoing {
    // Without settings there is only the refusal that says so.
    let site = host::site(env).ok();
    match site.and_then(|site| credential(&site, route, head)) {
        Some(credential) => sealed(outgoing, &credential, shown_id, head.method() == "HEAD").await,
        None => outgoing,
    }
}

/// What goes out instead. Where sealing fails nothing of the answer does.
async fn sealed(outgoing: Outgoing, credential: &str, shown_id: &str, is_head: bool) -> Outgoing {
    let (mut answer, stream) = match outgoing {
        Outgoing::Own(answer) => (answer, None),
        Outgoing::Relayed(relayed) => {
            let answer = Answer {
                status: relayed.status,
                headers: relayed.headers(),
                body: Vec::new(),
                code: relayed.code,
                caching: Caching::Never,
            };
            if is_open(answer.status, answer.content_type(), answer.code) {
                return Outgoing::Relayed(relayed);
            }
            (answer, Some(relayed))
        }
        other => return other,
    };
    if is_open(answer.status, answer.content_type(), answer.code) {
        return Outgoing::Own(answer);
    }
    let read = async {
        if let Some(relayed) = stream.filter(|_| !is_head) {
            answer.body = relayed.read(MAX_SEALED_BODY_BYTES).await?;
        }
        let content_type = answer.content_type().unwrap_or_default().to_owned();
        let frame = Frame {
            status: answer.status,
            content_type: &content_type,
            request_id: shown_id,
        };
        if !is_head {
            answer.body = seal(credential, frame, &answer.body, &mut PlatformEntropy)?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = read.await {
        let error = Error::fault("a response could not be sealed").because(error.to_string());
        return Outgoing::Own(Answer::problem(&error, shown_id));
    }
    answer.headers.retain(|(name, _)| *name != "Content-Type");
    answer
        .headers
        .push(("Content-Type", "application/json".to_owned()));
    answer.headers.push((SEALED_HEADER, "true".to_owned()));
    Outgoing::Own(answer)
}
