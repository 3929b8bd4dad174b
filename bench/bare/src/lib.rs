//! What a request through a front and an object cannot cost less than, written as the `worker` crate's own
//! documentation writes it: the front asks the object, the object inserts one row and answers with fixed bytes. It
//! checks no token, counts no limit, reads nothing and logs nothing. One commit a request: the platform's output gate
//! holds the reply until its row is durable.

use worker::{
    DurableObject, Env, Headers, Method, Request, RequestInit, Response, Result, SqlStorage, State, durable_object,
    event,
};

/// As long as the reply of user-api to GET `/customer/me`.
const REPLY: &str = include_str!("../reply.json");
/// As long as the rows of user-api's audit log: header, sealed detail, hash and state of the limits.
const ROW: &str = include_str!("../row.txt");

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: worker::Context) -> Result<Response> {
    // `worker` has read the path anyway.
    let path = request.path();
    let name = path.rsplit('/').next().unwrap_or_default();
    let stub = env.durable_object("OBJECTS")?.get_by_name(name)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Get);
    if request.method() == Method::Get {
        return stub.fetch_with_str("https://object/").await;
    }
    // A body is passed on unread, and read by the object.
    init.with_method(request.method());
    init.with_body(request.inner().body().map(Into::into));
    stub.fetch_with_request(Request::new_with_init("https://object/", &init)?).await
}

/// The object: a table with one key, and its cursor.
#[durable_object]
pub struct BareObject {
    sql: SqlStorage,
}

impl DurableObject for BareObject {
    fn new(state: State, _env: Env) -> Self {
        let sql = state.storage().sql();
        let table = "CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL) STRICT";
        // The constructor cannot fail; where the table is missing, the first insert says so.
        let _ = sql.exec(table, None);
        Self { sql }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        if request.method() != Method::Get {
            request.bytes().await?;
        }
        self.sql.exec("INSERT INTO log (entry) VALUES (?)", vec![ROW.into()])?;
        let headers = Headers::new();
        headers.set("Content-Type", "application/json")?;
        Ok(Response::ok(REPLY)?.with_headers(headers))
    }
}
