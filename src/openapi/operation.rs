//! One operation: what its area says of it, and what follows from the route table.

use super::{is_charged, problems};
use crate::edge::route::{Audience, BodyKind, Route};
use crate::error::Code;
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

/// The headers that tell of the limits to which a request was charged.
pub(super) const LIMITS: [&str; 2] = ["RateLimit", "RateLimit-Policy"];

type SchemaOf = fn(&mut SchemaGenerator) -> Value;

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// The named schemas that the operations refer to: of bodies as they are read, of answers as they are written.
pub(super) struct Schemas {
    bodies: SchemaGenerator,
    answers: SchemaGenerator,
    /// The responses that are refusals.
    pub(super) refusals: problems::Responses,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.meta_schema = None;
                settings.definitions_path = "/components/schemas".into();
            })
        };
        Self {
            bodies: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
            refusals: problems::Responses::default(),
        }
    }
}

impl Schemas {
    /// Adds an answer's type that no operation names by itself.
    pub(super) fn add<T: JsonSchema>(&mut self) {
        let _ = self.answers.subschema_for::<T>();
    }

    /// All named schemas so far. A name that means one thing in bodies and another in answers would be a fault.
    pub(super) fn take(&mut self) -> Map<String, Value> {
        let mut named = self.answers.take_definitions(true);
        for (name, schema) in self.bodies.take_definitions(true) {
            let known = named.get(&name).is_none_or(|known| *known == schema);
            assert!(
                known,
                "the schema {name} is not the same in bodies and in answers"
            );
            named.insert(name, schema);
        }
        named
    }
}

/// One way in which an operation succeeds.
struct Success {
    status: u16,
    about: &'static str,
    media_type: &'static str,
    schema: Option<SchemaOf>,
    /// Of each line, where the answer is a stream of them.
    line: Option<SchemaOf>,
    headers: Vec<&'static str>,
}

/// The description of one route. Built by the areas' files.
pub struct Operation {
    summary: &'static str,
    description: Option<&'static str>,
    body: Option<(&'static str, SchemaOf)>,
    query: Vec<(&'static str, &'static str, Value)>,
    successes: Vec<Success>,
    problems: Vec<Code>,
    is_versioned: bool,
    is_repeatable: bool,
    is_charged: Option<bool>,
    is_sealable: bool,
}

impl Operation {
    /// An operation that does this.
    #[must_use]
    pub fn new(summary: &'static str) -> Self {
        Self {
            summary,
            description: None,
            body: None,
            query: Vec::new(),
            successes: Vec::new(),
            problems: Vec::new(),
            is_versioned: false,
            is_repeatable: true,
            is_charged: None,
            is_sealable: true,
        }
    }

    /// What there is to know beyond the summary.
    #[must_use]
    pub fn about(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// It reads this body, in the media types of the route.
    #[must_use]
    pub fn body<T: JsonSchema>(self) -> Self {
        self.body_as::<T>("application/json")
    }

    /// It reads this body, in another media type than JSON.
    #[must_use]
    pub fn body_as<T: JsonSchema>(mut self, media_type: &'static str) -> Self {
        self.body = Some((media_type, schema_of::<T>));
        self
    }

    /// It reads this parameter of the query.
    #[must_use]
    pub fn query(mut self, name: &'static str, about: &'static str, schema: Value) -> Self {
        self.query.push((name, about, schema));
        self
    }

    /// It answers this in JSON.
    #[must_use]
    pub fn answers<T: JsonSchema>(self, status: u16, about: &'static str) -> Self {
        self.answers_as::<T>(status, about, "application/json")
    }

    /// It answers this in another media type.
    #[must_use]
    pub fn answers_as<T: JsonSchema>(
        mut self,
        status: u16,
        about: &'static str,
        media_type: &'static str,
    ) -> Self {
        self.successes.push(Success {
            status,
            about,
            media_type,
            schema: Some(schema_of::<T>),
            line: None,
            headers: Vec::new(),
        });
        self
    }

    /// It answers 204.
    #[must_use]
    pub fn done(mut self, about: &'static str) -> Self {
        self.successes.push(Success {
            status: 204,
            about,
            media_type: "",
            schema: None,
            line: None,
            headers: Vec::new(),
        });
        self
    }

    /// What was added last has this header too; it stands in `components.rs`.
    #[must_use]
    pub fn header(mut self, name: &'static str) -> Self {
        if let Some(success) = self.successes.last_mut() {
            success.headers.push(name);
        }
        self
    }

    /// Each line of what was added last is this, in JSON. (OpenAPI has a word for that from 3.2 on.)
    #[must_use]
    pub fn lines_of<T: JsonSchema>(mut self) -> Self {
        if let Some(success) = self.successes.last_mut() {
            success.line = Some(schema_of::<T>);
        }
        self
    }

    /// It may be refused with these too, beyond what follows from the route.
    #[must_use]
    pub fn problems(mut self, codes: &[Code]) -> Self {
        self.problems.extend(codes);
        self
    }

    /// The resource has a version: `ETag`, `If-Match`, `If-None-Match`.
    #[must_use]
    pub fn versioned(mut self) -> Self {
        self.is_versioned = true;
        self
    }

    /// An idempotency key has no meaning here.
    #[must_use]
    pub fn without_idempotency_key(mut self) -> Self {
        self.is_repeatable = false;
        self
    }

    /// It is charged to limits, or not, other than its kind of caller usually is.
    #[must_use]
    pub fn charged(mut self, is_charged: bool) -> Self {
        self.is_charged = Some(is_charged);
        self
    }

    /// Its answers are never sealed.
    #[must_use]
    pub fn never_sealed(mut self) -> Self {
        self.is_sealable = false;
        self
    }

    fn shows_limits(&self, route: Route) -> bool {
        self.is_charged.unwrap_or_else(|| is_charged(route.audience()))
    }

    fn takes_key(&self, route: Route) -> bool {
        self.is_repeatable && route.method().is_unsafe()
    }

    fn can_be_sealed(&self, route: Route) -> bool {
        self.is_sealable && route.audience() != Audience::Public
    }

    /// The operation object of the document.
    pub(super) fn render(&self, route: Route, tag: &str, schemas: &mut Schemas) -> Value {
        let mut responses = Map::new();
        for success in &self.successes {
            let response = self.success(route, success, schemas);
            responses.insert(success.status.to_string(), response);
        }
        if self.is_versioned && !route.method().is_unsafe() {
            let mut names = vec!["X-Request-Id", "ETag"];
            if self.shows_limits(route) {
                names.extend(LIMITS);
            }
            let about = "`If-None-Match` names the version that it has.";
            let unmodified = json!({"description": about, "headers": headers(&names)});
            responses.insert("304".to_owned(), unmodified);
        }
        let usual = problems::of(
            route,
            self.is_versioned,
            self.takes_key(route),
            self.shows_limits(route),
        );
        let kind = problems::Kind {
            shows_limits: self.shows_limits(route),
            can_be_replayed: self.takes_key(route),
            can_be_sealed: route.audience() != Audience::Public,
        };
        for (status, codes) in problems::by_status(usual.into_iter().chain(self.problems.iter().copied())) {
            responses.insert(status.to_string(), schemas.refusals.refer(status, &codes, kind));
        }
        let mut operation = Map::new();
        operation.insert("tags".to_owned(), json!([tag]));
        operation.insert("operationId".to_owned(), json!(operation_id(route)));
        operation.insert("summary".to_owned(), json!(self.summary));
        operation.extend(
            self.description
                .map(|text| ("description".to_owned(), json!(text))),
        );
        operation.insert("security".to_owned(), security(route.audience()));
        let parameters = self.parameters(route);
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(parameters));
        }
        operation.extend(
            self.request_body(route, schemas)
                .map(|body| ("requestBody".to_owned(), body)),
        );
        operation.insert("responses".to_owned(), Value::Object(responses));
        Value::Object(operation)
    }

    fn success(&self, route: Route, success: &Success, schemas: &mut Schemas) -> Value {
        let mut names = vec!["X-Request-Id"];
        if self.is_versioned && success.status != 204 {
            names.push("ETag");
        }
        if self.shows_limits(route) {
            names.extend(LIMITS);
        }
        if self.takes_key(route) {
            names.push("Idempotent-Replayed");
        }
        if self.can_be_sealed(route) && success.schema.is_some() {
            names.push("X-Encrypted");
        }
        names.extend(&success.headers);
        let mut response = json!({"description": success.about, "headers": headers(&names)});
        if let (Some(schema), Value::Object(members)) = (success.schema, &mut response) {
            let mut content = json!({"schema": schema(&mut schemas.answers)});
            if let (Some(line), Value::Object(members)) = (success.line, &mut content) {
                members.insert("x-line-schema".to_owned(), line(&mut schemas.answers));
            }
            members.insert("content".to_owned(), json!({success.media_type: content}));
        }
        response
    }

    fn parameters(&self, route: Route) -> Vec<Value> {
        let mut parameters: Vec<_> = route
            .pattern()
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .map(|name| reference("parameters", name))
            .collect();
        parameters.extend(self.query.iter().map(
            |(name, about, schema)| json!({"name": name, "in": "query", "description": about, "schema": schema}),
        ));
        let is_public = route.audience() == Audience::Public;
        let is_unsafe = route.method().is_unsafe();
        let takes_cookies = matches!(
            route.audience(),
            Audience::User | Audience::Customer | Audience::Admin | Audience::OwnAdmin | Audience::Operator
        );
        let named = [
            ("IfMatch", self.is_versioned),
            ("IfNoneMatch", self.is_versioned),
            ("IdempotencyKey", self.takes_key(route)),
            ("CsrfToken", is_unsafe && takes_cookies),
            ("EncryptResponse", self.can_be_sealed(route)),
            ("RequestId", !is_public),
            ("TraceParent", !is_public),
        ];
        let wanted = named.into_iter().filter(|(_, is_wanted)| *is_wanted);
        parameters.extend(wanted.map(|(name, _)| reference("parameters", name)));
        parameters
    }

    fn request_body(&self, route: Route, schemas: &mut Schemas) -> Option<Value> {
        let (media_type, schema) = self.body?;
        let schema = schema(&mut schemas.bodies);
        let media_types: &[&str] = match route.body() {
            BodyKind::MergePatch => &["application/merge-patch+json", "application/json"],
            _ => &[media_type],
        };
        let content: Map<_, _> = media_types
            .iter()
            .map(|media_type| ((*media_type).to_owned(), json!({"schema": schema})))
            .collect();
        Some(json!({"required": route.body() != BodyKind::OptionalJson, "content": content}))
    }
}

/// `GetCustomer` is `getCustomer`.
fn operation_id(route: Route) -> String {
    let name = format!("{route:?}");
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// A reference into the components.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// Header objects of these names.
pub(super) fn headers(names: &[&str]) -> Value {
    let references = names
        .iter()
        .map(|name| ((*name).to_owned(), reference("headers", name)));
    Value::Object(references.collect())
}

/// By which credentials an operation can be called (`docs/API.md`, "Who is calling").
fn security(audience: Audience) -> Value {
    match audience {
        Audience::Public => json!([]),
        Audience::User | Audience::Admin | Audience::OwnAdmin | Audience::Operator => {
            json!([{"token": []}, {"cookie": []}])
        }
        Audience::Customer => json!([{"token": []}, {"cookie": []}, {"apiKey": []}]),
        Audience::Integration => json!([{"apiKey": []}, {"token": []}]),
        Audience::Service => json!([{"serviceKey": []}, {"token": []}]),
    }
}
