//! The static files that the worker serves: which file of the platform's store a route is, and the headers that
//! belong to it. Files never pass through the worker's memory.

use crate::edge::route::Route;

/// A static file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its path in the store (`build/assets`), with the leading slash.
    pub file: &'static str,
    /// Its media type: the stores of the platforms disagree.
    pub media_type: &'static str,
    /// What it may load, as `Content-Security-Policy` (W3C CSP level 3).
    pub policy: &'static str,
}

/// A file that is no page loads nothing.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
/// The page of the documentation: its own style sheet, no script, no foreign host.
const STYLED: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The file that a route serves, if it serves one.
#[must_use]
pub const fn of(route: Route) -> Option<Asset> {
    Some(match route {
        Route::OpenApi => Asset {
            file: "/openapi.json",
            media_type: "application/json",
            policy: NOTHING,
        },
        Route::Docs => Asset {
            file: "/docs.html",
            media_type: "text/html; charset=utf-8",
            policy: STYLED,
        },
        Route::DocsStyle => Asset {
            file: "/docs.css",
            media_type: "text/css; charset=utf-8",
            policy: NOTHING,
        },
        _ => return None,
    })
}
