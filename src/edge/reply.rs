//! What is answered, as status, headers and bytes. The object makes the first part, the front adds what every
//! response carries.

use crate::customer::export::Plan;
use crate::customer::idempotency::StoredReply;
use crate::customer::request::{Answered, Elsewhere, Reply};
use crate::edge::{idempotency, problem, ratelimit};
use crate::error::{Code, Error};

/// The header by which an object tells the front the code of a problem, for the log; it goes no further.
pub const CODE_HEADER: &str = "x-user-api-code";

/// The header by which the object of an id that is not the customer meant says what the id is; it goes no further.
pub const ELSEWHERE_HEADER: &str = "x-user-api-elsewhere";

/// Seconds after which a caller may try again when a part of the service did not answer.
const RETRY_AFTER_SECONDS: &str = "1";
/// The same where somebody has to mend a setting first.
const NOT_READY_RETRY_AFTER_SECONDS: &str = "60";

/// Whether a response may be kept by a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Personal data, or an answer of this moment.
    Never,
    /// The same for everybody until the next deployment: may be kept for an hour.
    Public,
    /// A file whose name changes with its content.
    Forever,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields of this answer alone.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for 204 and 304.
    pub body: Vec<u8>,
    /// The code of a problem, for the log.
    pub code: Option<Code>,
    /// Whether a cache may keep it.
    pub caching: Caching,
}

impl Answer {
    /// A document of the given media type.
    #[must_use]
    pub fn document(status: u16, media_type: &str, body: Vec<u8>, caching: Caching) -> Self {
        let headers = vec![("Content-Type", media_type.to_owned())];
        Self {
            status,
            headers,
            body,
            code: None,
            caching,
        }
    }

    /// Its media type, if it has a body.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        let header = self.headers.iter().find(|(name, _)| *name == "Content-Type");
        header.map(|(_, value)| value.as_str())
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            code: None,
            caching: Caching::Never,
        }
    }

    /// The problem document of an error, with the headers that its status demands.
    #[must_use]
    pub fn problem(error: &Error, request_id: &str) -> Self {
        let body = problem::document(error, request_id);
        let mut answer = Self::document(error.code.status(), problem::MEDIA_TYPE, body, Caching::Never);
        if let Some(seconds) = error.retry_after_secs {
            answer.headers.push(("Retry-After", seconds.to_string()));
        } else if error.code.status() == 503 {
            let seconds = match error.code {
                Code::NotReady => NOT_READY_RETRY_AFTER_SECONDS,
                _ => RETRY_AFTER_SECONDS,
            };
            answer.headers.push(("Retry-After", seconds.to_owned()));
        }
        if error.code == Code::UnsupportedMediaType {
            // RFC 5789 section 2.2 and RFC 9110 section 12.5.3.
            answer.headers.push((
                "Accept-Patch",
                "application/merge-patch+json, application/json".to_owned(),
            ));
        }
        answer.code = Some(error.code);
        answer
    }

    /// What a customer's object answered, with what its limits say.
    #[must_use]
    pub fn from_answered(answered: Answered, request_id: &str) -> Self {
        let mut answer = Self::from_reply(answered.reply, request_id);
        let elsewhere = answered.elsewhere.as_ref().map(Elsewhere::to_text);
        answer
            .headers
            .extend(elsewhere.map(|text| (ELSEWHERE_HEADER, text)));
        if let Some(outcome) = &answered.quotas {
            let told = ratelimit::headers(outcome)
                .into_iter()
                .filter(|(name, _)| *name != "Retry-After");
            answer.headers.extend(told);
        }
        answer
    }

    /// A reply of a customer's object.
    #[must_use]
    pub fn from_reply(reply: Reply, request_id: &str) -> Self {
        match reply {
            Reply::Content {
                body,
                version,
                created,
            } => {
                let status = if created { 201 } else { 200 };
                let mut answer = Self::document(status, "application/json", body, Caching::Never);
                answer
                    .headers
                    .extend(version.map(|version| ("ETag", format!("\"{version}\""))));
                answer
            }
            Reply::Accepted(body) => Self::document(202, "application/json", body, Caching::Never),
            Reply::Archive(plan) => Self::archive(&plan),
            Reply::Done => Self::empty(204),
            Reply::Replayed(stored) => idempotency::replay(stored),
            Reply::NotModified(version) => {
                let mut answer = Self::empty(304);
                answer.headers.push(("ETag", format!("\"{version}\"")));
                answer
            }
            // Only where another wish has taken over is it let out.
            Reply::Claim(_) => {
                let told = "The e-mail is being changed by others at this moment.";
                Self::problem(&Error::new(Code::Unavailable, told), request_id)
            }
            Reply::Refused(error) => Self::problem(&error, request_id),
        }
    }

    /// An export, without its bytes, which come as a stream.
    fn archive(plan: &Plan) -> Self {
        let mut answer = Self::document(200, "application/zip", Vec::new(), Caching::Never);
        let day: String = plan.made_at.to_rfc3339().chars().take(10).collect();
        let name = format!("user-api-{}-{day}.zip", plan.customer_id);
        answer
            .headers
            .push(("Content-Disposition", format!("attachment; filename=\"{name}\"")));
        answer
    }

    /// Adds to its headers those that every response carries.
    pub fn complete(&mut self, request_id: &str) {
        let common = self.common_headers(request_id);
        self.headers.extend(common);
    }

    /// The headers that every response of the front carries, whatever it answers.
    #[must_use]
    pub fn common_headers(&self, request_id: &str) -> Vec<(&'static str, String)> {
        let (cache, vary) = match self.caching {
            Caching::Never => (
                "private, no-store",
                "Authorization, Cookie, Origin, X-API-Key, X-Encrypt-Response, X-Service-Key",
            ),
            Caching::Public => ("public, max-age=3600", "Origin"),
            Caching::Forever => ("public, max-age=31536000, immutable", "Origin"),
        };
        [
            ("X-Request-Id", request_id),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
            (
                "Content-Security-Policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
            ("Cache-Control", cache),
            ("Vary", vary),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
    }
}

/// How a reply is kept for a repetition of its request.
#[must_use]
pub fn stored(reply: &Reply, request_id: &str) -> StoredReply {
    idempotency::stored(&Answer::from_reply(reply.clone(), request_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Version;

    #[test]
    fn replies_become_the_statuses_of_http() {
        let version = Version {
            incarnation: "00ff".into(),
            number: 2,
        };
        let content = |created| Reply::Content {
            body: b"{}".to_vec(),
            version: Some(version.clone()),
            created,
        };
        let ok = Answer::from_reply(content(false), "r");
        assert_eq!((ok.status, ok.body.as_slice()), (200, b"{}".as_slice()));
        assert!(ok.headers.contains(&("ETag", "\"00ff.2\"".to_owned())));
        assert_eq!(Answer::from_reply(content(true), "r").status, 201);
        let unmodified = Answer::from_reply(Reply::NotModified(version), "r");
        assert_eq!((unmodified.status, unmodified.body.len()), (304, 0));
    }

    #[test]
    fn a_429_says_how_long_its_limit_wants_one_to_wait() {
        let mut error = Error::new(Code::QuotaExceeded, "x");
        error.retry_after_secs = Some(87);
        assert!(
            Answer::problem(&error, "r")
                .headers
                .contains(&("Retry-After", "87".to_owned()))
        );
    }

    #[test]
    fn a_503_says_when_to_come_back() {
        for (code, seconds) in [(Code::Unavailable, "1"), (Code::NotReady, "60")] {
            let answer = Answer::problem(&Error::new(code, "x"), "r");
            assert!(answer.headers.contains(&("Retry-After", seconds.to_owned())));
        }
    }
}
