//! What anybody may read.

use super::answers::{AnyObject, Health, KeySet, ResourceMetadata, Text};
use super::operation::Operation;
use crate::edge::route::Route;
use crate::error::Code;

const HTML: &str = "text/html; charset=utf-8";

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::Health => Operation::new("Ask whether the worker runs").answers::<Health>(200, "It runs."),
        Route::Ready => Operation::new("Ask whether every setting is right")
            .answers::<Health>(200, "The service is ready.")
            .problems(&[Code::NotReady]),
        Route::Problem => Operation::new("Read what a problem's code means")
            .answers_as::<Text>(200, "A page.", HTML)
            .problems(&[Code::ProblemNotFound]),
        Route::ResourceMetadata => Operation::new("Read how to authenticate (RFC 9728)")
            .answers::<ResourceMetadata>(200, "The metadata.")
            .problems(&[Code::NotReady]),
        Route::SigningKeys => Operation::new("Read our public signing keys (RFC 7517)")
            .answers_as::<KeySet>(
                200,
                "The keys of checkpoints, manifests and certificates.",
                "application/jwk-set+json",
            )
            .problems(&[Code::NotReady]),
        Route::OpenApi => Operation::new("Read this document")
            .answers::<AnyObject>(200, "OpenAPI 3.1.")
            .problems(&[Code::Unavailable]),
        Route::Docs => Operation::new("Read this document as a page")
            .answers_as::<Text>(200, "A page without script.", HTML)
            .problems(&[Code::Unavailable]),
        Route::DocsStyle => Operation::new("Read the style sheet of that page")
            .answers_as::<Text>(200, "A style sheet.", "text/css; charset=utf-8")
            .problems(&[Code::Unavailable]),
        Route::Dashboard => Operation::new("Open the dashboard")
            .answers_as::<Text>(200, "A page for customers and administrators.", HTML)
            .problems(&[Code::Unavailable]),
        Route::DashboardFile => Operation::new("Read a file of the dashboard")
            .answers_as::<Text>(
                200,
                "A script, a style sheet or a picture, as its name ends.",
                "*/*",
            )
            .problems(&[Code::RouteNotFound, Code::Unavailable]),
        _ => return None,
    })
}
