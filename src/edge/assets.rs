//! The static files that the worker serves: which file of the platform's store a route is, and the headers that
//! belong to it. Files never pass through the worker's memory.

use crate::edge::reply::Caching;
use crate::edge::route::Route;
use crate::edge::settings::Environment;
use crate::error::{Code, Error, Result};

/// A static file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its path in the store (`build/assets`), with the leading slash.
    pub file: String,
    /// Its media type: the stores of the platforms disagree.
    pub media_type: &'static str,
    /// What it may load, as `Content-Security-Policy` (W3C CSP level 3).
    pub policy: &'static str,
    /// Whether a cache may keep it.
    pub caching: Caching,
}

/// Longest name of a file of the dashboard, in bytes.
const MAX_FILE_NAME_BYTES: usize = 64;

/// A file that is no page loads nothing.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
/// The page of the documentation: its own style sheet, no script, no foreign host.
const STYLED: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The dashboard: its own script, style sheet, icon and calls; nothing inline, no foreign host, and no text that
/// becomes markup (W3C Trusted Types). The one policy that it may make gives the address of its own worker.
const SCRIPTED: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types verifier";
/// A script of the dashboard, which counts where it is run as a worker: that may compile the check of exports, and
/// load nothing but its module. The page itself compiles none.
const COMPILING: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The file that a route serves, if it serves one; `variable` is the route's variable segment. The dashboard of a
/// development service also takes a pasted token; any other only the cookie.
///
/// # Errors
/// `route_not_found` for what is no name of a file.
pub fn of(route: Route, variable: &str, environment: Option<Environment>) -> Result<Option<Asset>> {
    let asset = |file: &str, media_type, policy, caching| {
        Ok(Some(Asset {
            file: file.to_owned(),
            media_type,
            policy,
            caching,
        }))
    };
    match route {
        Route::OpenApi => asset("/openapi.json", "application/json", NOTHING, Caching::Public),
        Route::Docs => asset("/docs.html", "text/html; charset=utf-8", STYLED, Caching::Public),
        Route::DocsStyle => asset("/docs.css", "text/css; charset=utf-8", NOTHING, Caching::Public),
        Route::Dashboard => {
            let file = match environment {
                Some(Environment::Development) => "/dashboard/development.html",
                _ => "/dashboard/production.html",
            };
            asset(file, "text/html; charset=utf-8", SCRIPTED, Caching::Never)
        }
        Route::DashboardFile => {
            let (media_type, policy) =
                kind(variable).ok_or_else(|| Error::new(Code::RouteNotFound, Code::RouteNotFound.title()))?;
            asset(
                &format!("/dashboard/{variable}"),
                media_type,
                policy,
                Caching::Forever,
            )
        }
        _ => Ok(None),
    }
}

/// The media type and the policy of a file that the dashboard may name; pages have a route of their own.
fn kind(name: &str) -> Option<(&'static str, &'static str)> {
    let (stem, ending) = name.rsplit_once('.')?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if stem.is_empty() || name.len() > MAX_FILE_NAME_BYTES || !stem.bytes().all(is_plain) {
        return None;
    }
    match ending {
        "js" => Some(("text/javascript; charset=utf-8", COMPILING)),
        "css" => Some(("text/css; charset=utf-8", NOTHING)),
        "svg" => Some(("image/svg+xml", NOTHING)),
        "wasm" => Some(("application/wasm", NOTHING)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_of_scripts_styles_and_pictures_are_files_of_the_dashboard() {
        let found = |name: &str| of(Route::DashboardFile, name, None);
        assert_eq!(
            found("index-Ab_9-x.js").unwrap().unwrap().file,
            "/dashboard/index-Ab_9-x.js"
        );
        let long = format!("{}.js", "x".repeat(MAX_FILE_NAME_BYTES));
        for name in [
            "..",
            ".js",
            "a.html",
            "a.js.map",
            "a%2fb.js",
            "../docs.css",
            "a b.css",
            "a",
            &long,
        ] {
            assert_eq!(found(name).unwrap_err().code, Code::RouteNotFound, "{name}");
        }
    }

    #[test]
    fn only_a_script_may_compile_a_module_and_the_page_itself_may_not() {
        let policy = |name: &str| of(Route::DashboardFile, name, None).unwrap().unwrap().policy;
        assert!(policy("checker-1.js").contains("'wasm-unsafe-eval'"));
        assert_eq!(policy("verify_bg-1.wasm"), NOTHING);
        let page = of(Route::Dashboard, "", None).unwrap().unwrap();
        assert!(!page.policy.contains("unsafe") && page.policy.contains("script-src 'self';"));
        let module = of(Route::DashboardFile, "verify_bg-1.wasm", None)
            .unwrap()
            .unwrap();
        assert_eq!(module.media_type, "application/wasm");
    }

    #[test]
    fn only_a_service_that_says_development_takes_pasted_tokens() {
        let page = |environment| of(Route::Dashboard, "", environment).unwrap().unwrap().file;
        assert_eq!(
            page(Some(Environment::Development)),
            "/dashboard/development.html"
        );
        assert_eq!(page(Some(Environment::Production)), "/dashboard/production.html");
        assert_eq!(page(None), "/dashboard/production.html");
    }
}
