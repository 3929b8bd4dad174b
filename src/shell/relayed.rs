//! An object's answer, to be passed on.

use crate::customer::request::Elsewhere;
use crate::edge::head;
use crate::edge::parcel::Told;
use crate::edge::reply::{CODE_HEADER, ELSEWHERE_HEADER};
use crate::error::{Code, Error, Result};
use crate::shell::body;
use crate::shell::http::{self, header, relay, without_body};
use web_sys::Response;

/// From this status on a response is a problem.
const FIRST_PROBLEM_STATUS: u16 = 400;
/// By this header a response shows that it carries what every response does.
const MARK_OF_COMPLETE: &str = "x-request-id";
/// The header fields of an object's own that go out.
const PASSED: [&str; 10] = [
    "Content-Type",
    "Content-Disposition",
    "ETag",
    "Retry-After",
    "Location",
    "Link",
    "Accept-Patch",
    "RateLimit-Policy",
    "RateLimit",
    "Idempotent-Replayed",
];

/// An object's answer.
pub struct Relayed {
    /// The status.
    pub status: u16,
    /// The code of a problem.
    pub code: Option<Code>,
    /// Where the resource is that the request made.
    pub location: Option<String>,
    /// What the id is, if that is why it answers nothing.
    pub elsewhere: Option<Elsewhere>,
    came: Came,
}

/// How it came.
enum Came {
    /// By itself.
    Alone(Response),
    /// With those of others: its header fields, and its body. It has all that goes out.
    WithOthers { fields: String, body: Vec<u8> },
}

impl Relayed {
    /// One that came by itself.
    #[must_use]
    pub fn of_response(response: Response) -> Self {
        let status = response.status();
        let headers = response.headers();
        let told = |name: &str| header(&headers, name);
        let code = (status >= FIRST_PROBLEM_STATUS)
            .then(|| told(CODE_HEADER))
            .flatten();
        Self {
            status,
            code: code.and_then(|name| Code::parse(&name)),
            location: None,
            // With a success too: what an operator reads of an erased customer.
            elsewhere: told(ELSEWHERE_HEADER).and_then(|text| Elsewhere::parse(&text)),
            came: Came::Alone(response),
        }
    }

    /// One that came with those of others.
    #[must_use]
    pub fn of_told(told: Told) -> Self {
        Self {
            status: told.status,
            code: told.code,
            location: None,
            elsewhere: told.elsewhere.as_deref().and_then(Elsewhere::parse),
            came: Came::WithOthers {
                fields: told.fields,
                body: told.body,
            },
        }
    }

    /// The response as it came, if that may go out: it is a success that was not changed here, and carries what every
    /// response does. (An object of an older deployment leaves that to the front.)
    #[must_use]
    pub fn as_it_came(&self) -> Option<Response> {
        let is_own = self.status < FIRST_PROBLEM_STATUS
            && self.location.is_none()
            // It came with a header that is nobody's business.
            && self.elsewhere.is_none();
        match &self.came {
            _ if !is_own => None,
            Came::Alone(response) => {
                let is_unchanged = response.status() == self.status
                    && header(&response.headers(), MARK_OF_COMPLETE).is_some();
                // Not its own `clone`, which would copy the body.
                is_unchanged.then(|| Clone::clone(response))
            }
            Came::WithOthers { fields, body } => Some(http::made_of(self.status, fields, body)),
        }
    }

    /// The headers of the object's own that go out.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let own: Vec<_> = match &self.came {
            Came::Alone(response) => {
                let own = response.headers();
                let found = |name: &'static str| Some((name, header(&own, name)?));
                PASSED.into_iter().filter_map(found).collect()
            }
            Came::WithOthers { fields, .. } => {
                let found = |name| Some((name, head::field(fields, name)?.to_owned()));
                PASSED.into_iter().filter_map(found).collect()
            }
        };
        let location = self.location.clone().map(|location| ("Location", location));
        own.into_iter().chain(location).collect()
    }

    /// The body, whole. At once, and not step by step with a count, since an object's documents are bounded where
    /// they are made, and every step of a stream costs a turn of the platform's loop.
    ///
    /// # Errors
    /// `internal_error` if it breaks off, or is longer than `max_bytes` all the same.
    pub async fn read(self, max_bytes: usize) -> Result<Vec<u8>> {
        let unreadable = || Error::fault("an object's answer broke off, or is too long to be sealed");
        match self.came {
            Came::Alone(response) => {
                let whole = body::whole(response.array_buffer(), max_bytes).await;
                whole.map_err(|_| unreadable())
            }
            Came::WithOthers { body, .. } if body.len() > max_bytes => Err(unreadable()),
            Came::WithOthers { body, .. } => Ok(body),
        }
    }

    /// The response with `headers`, its body passed on without a look.
    #[must_use]
    pub fn into_response(self, headers: &[(&'static str, String)], is_head: bool) -> Response {
        match self.came {
            Came::Alone(response) if !is_head => relay(&response, self.status, headers),
            Came::Alone(response) => {
                if let Some(unwanted) = response.body() {
                    // An export must learn that nobody takes it.
                    drop(unwanted.cancel());
                }
                without_body(self.status, headers)
            }
            Came::WithOthers { .. } if is_head => without_body(self.status, headers),
            Came::WithOthers { body, .. } => match head::join(headers) {
                Some(fields) => http::made_of(self.status, &fields, &body),
                None => http::empty_500(),
            },
        }
    }
}
