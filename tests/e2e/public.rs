//! What anyone may read.

use crate::support::http::{get, request};
use crate::support::settings::ISSUER;
use crate::support::shared::shared;
use crate::support::store;
use serde_json::json;
use user_api::error::Code;

#[test]
fn health_and_readiness_need_no_credential_and_are_never_cached() {
    let server = shared();
    for (path, status) in [("/health", "ok"), ("/ready", "ready")] {
        let response = get(path).send(&server);
        assert_eq!(response.must_header("Cache-Control"), "private, no-store");
        assert_eq!(response.ok(), json!({"status": status}));
        get(path).bearer("a.b.c").send(&server).expect(200);
    }
}

#[test]
fn every_problem_type_leads_to_a_page_that_explains_it() {
    let server = shared();
    for code in Code::ALL {
        let response = get(&format!("/problems/{}", code.as_str()))
            .send(&server)
            .expect(200);
        assert_eq!(response.must_header("Content-Type"), "text/html; charset=utf-8");
        assert_eq!(response.must_header("Cache-Control"), "public, max-age=3600");
        let page = String::from_utf8(response.body).unwrap();
        assert!(
            page.contains(code.title()) && page.contains(code.as_str()),
            "{page}"
        );
        assert!(!page.contains("<script"), "{page}");
    }
}

#[test]
fn a_problem_type_that_there_is_not_is_404() {
    let server = shared();
    for name in [
        "nothing",
        "Invalid_Token",
        "%3Cscript%3E",
        "..",
        "invalid_token.html",
    ] {
        let response = get(&format!("/problems/{name}")).send(&server).expect(404);
        assert!(
            !String::from_utf8_lossy(&response.body).contains("script"),
            "{}",
            response.describe()
        );
    }
}

#[test]
fn the_protected_resource_tells_clients_where_to_get_tokens() {
    let server = shared();
    let metadata = get("/.well-known/oauth-protected-resource").send(&server).ok();
    assert_eq!(metadata["resource"], server.origin());
    assert_eq!(metadata["authorization_servers"], json!([ISSUER]));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
}

#[test]
fn what_is_public_opens_no_object() {
    let server = crate::support::server::Server::start(&crate::support::settings::Settings::default());
    for path in [
        "/health",
        "/ready",
        "/problems/not_ready",
        "/.well-known/oauth-protected-resource",
        "/nowhere",
        "/customer/me",
    ] {
        get(path).send(&server);
        request("OPTIONS", path).send(&server);
    }
    let data = server.data().clone();
    server.stop();
    assert_eq!(store::customers(&data).len(), 0);
}

#[test]
fn the_interface_is_described_in_openapi_and_on_a_page_without_script_or_foreign_host() {
    let server = shared();
    let document = get("/openapi.json").send(&server);
    assert_eq!(document.must_header("Cache-Control"), "public, max-age=3600");
    assert_eq!(document.ok(), user_api::openapi::document());
    let page = get("/docs").send(&server).expect(200);
    assert_eq!(page.must_header("Content-Type"), "text/html; charset=utf-8");
    let policy = page.must_header("Content-Security-Policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = String::from_utf8(page.body.clone()).unwrap();
    assert!(html.contains("/customer/me") && !html.contains("<script") && !html.contains("=\"http"));
    let style = get("/docs.css").send(&server).expect(200);
    assert_eq!(style.must_header("Content-Type"), "text/css; charset=utf-8");
    for path in ["/openapi.json", "/docs", "/docs.css"] {
        let head = request("HEAD", path).send(&server).expect(200);
        assert!(head.body.is_empty());
        assert_eq!(
            head.header("Content-Type"),
            get(path).send(&server).header("Content-Type")
        );
    }
}
