//! The shield: how many requests of one address are let through to authentication. It is coarse, counts where a
//! request arrives and belongs to the platform (a rate-limit binding); the exact limits are the customer's
//! (`customer::limits`). Its counting is somebody else's, so that a count that cannot be had stops nobody.

use crate::edge::route::{Audience, Route};
use crate::error::{Code, Error, Result};
use serde_json::json;
use std::net::IpAddr;

/// The name of the binding.
pub const BINDING: &str = "SHIELD";
/// The longest period over which the platform counts, in seconds. The binding does not tell its own; after this
/// long whatever was counted is over.
pub const MAX_PERIOD_SECS: u64 = 60;
/// How long its answer is waited for, in milliseconds.
pub const ANSWER_WITHIN_MS: u32 = 250;

/// Whether requests for this operation are counted: those that authenticate. The others cost next to nothing, and
/// whoever watches the service must not be turned away by what it watches for.
#[must_use]
pub fn covers(route: Route) -> bool {
    route.audience() != Audience::Public
}

/// Under what a request is counted: its address, of IPv6 the 64 bits of the network, since one subscriber has all
/// the rest. None where the platform does not say from where it comes, or nothing that is an address.
#[must_use]
pub fn key(connecting_ip: Option<&str>) -> Option<String> {
    let address: IpAddr = connecting_ip?.trim().parse().ok()?;
    Some(match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    })
}

/// What the binding answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The address may go on.
    Passed,
    /// The address sends too much.
    Exceeded,
    /// Nothing, or nothing that can be understood; why.
    Failed(&'static str),
}

/// What follows from it. A shield that fails stops nobody: it is there against floods, and whoever could make it
/// fail must not be able to stop everybody with it.
///
/// # Errors
/// `too_many_requests` if the address exceeded its count.
pub fn judge(answer: Answer) -> Result<()> {
    if answer != Answer::Exceeded {
        return Ok(());
    }
    let mut error = Error::new(
        Code::TooManyRequests,
        "Too many requests come from your address. Nothing was looked at.",
    );
    error
        .members
        .insert("violated-policies".to_owned(), json!(["address"]));
    error.retry_after_secs = Some(MAX_PERIOD_SECS);
    Err(error)
}

/// The log line of a start without the binding.
#[must_use]
pub fn absence() -> String {
    let detail = "no binding SHIELD: requests are not counted by address before authentication";
    json!({"event": "shield", "detail": detail}).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_as_what_one_subscriber_has() {
        for (ip, counted) in [
            ("203.0.113.9", "203.0.113.9"),
            (" 203.0.113.9 ", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
            ("::1", "0:0:0:0::/64"),
        ] {
            assert_eq!(key(Some(ip)).as_deref(), Some(counted), "{ip}");
        }
        for none in [
            None,
            Some(""),
            Some("unknown"),
            Some("203.0.113.9, 10.0.0.1"),
            Some("1.2.3.4:5"),
        ] {
            assert_eq!(key(none), None, "{none:?}");
        }
    }

    #[test]
    fn only_a_count_that_was_exceeded_stops_a_request() {
        assert_eq!(judge(Answer::Passed), Ok(()));
        assert_eq!(judge(Answer::Failed("no answer")), Ok(()));
        let error = judge(Answer::Exceeded).unwrap_err();
        assert_eq!((error.code.status(), error.retry_after_secs), (429, Some(60)));
        assert_eq!(error.members["violated-policies"], json!(["address"]));
    }

    #[test]
    fn whatever_authenticates_is_counted_and_what_watches_the_service_is_not() {
        assert!(!covers(Route::Health) && !covers(Route::Ready) && !covers(Route::Problem));
        for &route in Route::ALL
            .iter()
            .filter(|route| route.audience() != Audience::Public)
        {
            assert!(covers(route), "{route:?}");
        }
    }
}
