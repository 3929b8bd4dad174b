//! Requests as a polite client sends them, and what must be true of every response.

use crate::support::described;
use crate::support::server::Server;
use crate::support::token::PERSONAL;
use serde_json::Value;
use ureq::http;

/// The `type` of every problem of a 429 (draft-ietf-httpapi-ratelimit-headers-11 section 6.1).
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// A request.
#[derive(Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// A request with that method, without body.
pub fn request(method: &str, path: &str) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
    }
}

/// GET.
pub fn get(path: &str) -> Request {
    request("GET", path)
}

/// POST of JSON.
pub fn post(path: &str, body: &Value) -> Request {
    request("POST", path).body("application/json", body.to_string())
}

/// PUT of JSON.
pub fn put(path: &str, body: &Value) -> Request {
    request("PUT", path).body("application/json", body.to_string())
}

/// PATCH with a JSON merge patch (RFC 7396).
pub fn patch(path: &str, body: &Value) -> Request {
    request("PATCH", path).body("application/merge-patch+json", body.to_string())
}

impl Request {
    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With that token in the `Authorization` header.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// With that token in the cookie.
    pub fn cookie(self, token: &str) -> Self {
        self.header("Cookie", &format!("theme=dark; auth_token={token}; other=1"))
    }

    /// With that service key.
    pub fn service_key(self, key: &str) -> Self {
        self.header("X-Service-Key", key)
    }

    /// With that API key.
    pub fn api_key(self, secret: &str) -> Self {
        self.header("X-API-Key", secret)
    }

    /// With that idempotency key.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// With that body.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", media_type)
    }

    /// Sends it.
    pub fn send(&self, server: &Server) -> Response {
        self.try_send(server)
            .unwrap_or_else(|error| panic!("{} {}: {error}\n{}", self.method, self.path, server.log().text()))
    }

    /// Sends it to a server that may be gone before it answers.
    pub fn try_send(&self, server: &Server) -> Result<Response, ureq::Error> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(format!(
            "{}{}",
            server.origin(),
            self.path
        ));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = match &self.body {
            Some(body) => server.agent().run(request.body(body.as_slice())?),
            None => server.agent().run(request.body(())?),
        }?;
        let (head, mut body) = answer.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        });
        let response = Response {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: body.read_to_vec()?,
            request: format!("{} {}", self.method, self.path),
        };
        response.check();
        Ok(response)
    }
}

/// A response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What was asked, for messages.
    pub request: String,
}

impl Response {
    /// The value of a header; several of one name are a fault.
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        let mut values = self.headers.iter().filter(|(known, _)| *known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice in {self:?}");
        value
    }

    /// The value of a header that must be there.
    pub fn must_header(&self, name: &str) -> &str {
        self.header(name)
            .unwrap_or_else(|| panic!("no {name}: {}", self.describe()))
    }

    /// Itself, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.describe());
        self
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.describe()))
    }

    /// The body of a 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        let response = self.expect(200);
        assert_eq!(response.must_header("Content-Type"), "application/json");
        response.json()
    }

    /// The problem document (RFC 9457), which must be this one.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(
            (self.status, problem["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.describe()
        );
        problem
    }

    /// The pointers of the faults that a problem document lists.
    #[track_caller]
    pub fn pointers(self, code: &str) -> Vec<String> {
        let problem = self.problem(422, code);
        let faults = problem["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no errors: {problem}"));
        for fault in faults {
            assert!(
                fault["detail"].as_str().is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        faults
            .iter()
            .map(|fault| fault["pointer"].as_str().expect("pointer").to_owned())
            .collect()
    }

    /// Status, request and body, for messages.
    pub fn describe(&self) -> String {
        format!(
            "{} -> {} {}",
            self.request,
            self.status,
            String::from_utf8_lossy(&self.body)
        )
    }

    /// What holds for every response whatever.
    pub fn check(&self) {
        assert_eq!(self.must_header("X-Content-Type-Options"), "nosniff");
        assert_eq!(self.must_header("Referrer-Policy"), "no-referrer");
        assert!(
            self.must_header("Strict-Transport-Security")
                .starts_with("max-age=63072000")
        );
        assert!(self.must_header("Vary").contains("Origin"));
        let id = self.must_header("X-Request-Id");
        let sane = id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        assert!((16..=64).contains(&id.len()) && sane, "odd request id {id}");
        let caching = self.must_header("Cache-Control");
        let for_all = ["public, max-age=3600", "public, max-age=31536000, immutable"];
        let public = for_all.contains(&caching) && (self.status == 200 || self.status == 304);
        assert!(
            caching == "private, no-store" || public,
            "{caching}: {}",
            self.describe()
        );
        for (name, _) in &self.headers {
            assert!(
                !name.starts_with("x-user-api"),
                "{name} is nobody's business: {}",
                self.describe()
            );
        }
        assert_ne!(self.status, 500, "{}", self.describe());
        if self.status >= 400 && !self.request.starts_with("HEAD") && self.header("X-Encrypted").is_none() {
            self.check_problem(id);
        }
        if matches!(self.status, 204 | 304) {
            assert!(self.body.is_empty(), "{}", self.describe());
        }
        described::check(self);
    }

    /// RFC 9457, and no word of the caller's or of the inside in it.
    fn check_problem(&self, id: &str) {
        assert_eq!(
            self.must_header("Content-Type"),
            "application/problem+json",
            "{}",
            self.describe()
        );
        let problem = self.json();
        let code = problem["code"].as_str().expect("code");
        let kind = match code {
            "quota_exceeded" | "too_many_requests" => QUOTA_EXCEEDED.to_owned(),
            _ => format!("/problems/{code}"),
        };
        assert_eq!(problem["type"], kind);
        assert_eq!(problem["status"], self.status);
        // A replay repeats the bytes of the first answer, and so its request's id.
        if self.header("Idempotent-Replayed").is_none() {
            assert_eq!(problem["instance"], format!("urn:request:{id}"));
        }
        for member in ["title", "detail"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        for (member, _) in problem.as_object().expect("an object") {
            let known = ["type", "title", "status", "detail", "instance", "code", "errors"];
            let of_quota =
                self.status == 429 && ["violated-policies", "allowed", "policies"].contains(&member.as_str());
            let of_erasure = self.status == 410 && member == "certificate";
            assert!(
                known.contains(&member.as_str()) || of_quota || of_erasure,
                "{problem}"
            );
        }
        // A pointer repeats the names of the caller's own fields; nothing else repeats anything.
        let mut told = problem.clone();
        for fault in told
            .get_mut("errors")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            fault["pointer"] = Value::Null;
        }
        let text = told.to_string();
        assert!(!text.contains(PERSONAL) && !text.contains("secretdata"), "{text}");
        let lacks_scope = problem["code"] == "insufficient_scope";
        assert_eq!(
            self.status == 401 || lacks_scope,
            self.header("WWW-Authenticate").is_some(),
            "{}",
            self.describe()
        );
        assert_eq!(
            self.status == 405,
            self.header("Allow").is_some(),
            "{}",
            self.describe()
        );
        assert_eq!(
            matches!(self.status, 429 | 503),
            self.header("Retry-After").is_some()
        );
    }
}
