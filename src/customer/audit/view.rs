//! How an entry is shown, and to whom how much of it.
//!
//! Everybody who may read the log sees each entry: who, what, when, with which outcome, under which credential. Of
//! the detail:
//!
//! - whose entry it is, and administrators, see all of it;
//! - where a request of the operator's staff or of a service came from concerns no customer: `ip`, `userAgent`,
//!   `callerRequestId` and `jti` of those are left out for the customer's own callers;
//! - a user who is not the owner does not learn where other users' requests came from (`ip`, `userAgent`,
//!   `callerRequestId`), nor what they changed about themselves.

use serde_json::{Map, Value, json};

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer<'a> {
    /// An administrator.
    Operator,
    /// The customer's owner, or an API key that the owner gave `audit:read`.
    Owner,
    /// Another user of the customer, by its id.
    Member(&'a str),
}

/// Where a request came from.
const ORIGIN: [&str; 3] = ["callerRequestId", "ip", "userAgent"];

/// Whether it was somebody who does not belong to the customer.
#[must_use]
pub fn is_staff(kind: Option<&str>) -> bool {
    matches!(kind, Some("admin" | "service"))
}

/// The entry as JSON; `detail` is null where it is no longer kept.
#[must_use]
pub fn entry(header: &Value, detail: Option<Map<String, Value>>, hash: &str, viewer: &Viewer<'_>) -> Value {
    let detail = detail.map(|mut detail| {
        withhold(header, &mut detail, viewer);
        detail
    });
    let of = |name: &str| header.get(name).cloned().unwrap_or_default();
    json!({
        "seq": of("seq"), "at": of("at"), "actor": of("actor"), "action": of("action"), "target": of("target"),
        "outcome": of("outcome"), "requestId": of("requestId"), "hash": hash, "detail": detail,
    })
}

fn withhold(header: &Value, detail: &mut Map<String, Value>, viewer: &Viewer<'_>) {
    let text = |pointer: &str| header.pointer(pointer).and_then(Value::as_str);
    let mut without = |names: &[&str]| names.iter().for_each(|name| drop(detail.remove(*name)));
    if *viewer != Viewer::Operator && is_staff(text("/actor/kind")) {
        without(&ORIGIN);
        without(&["jti"]);
    }
    if let Viewer::Member(own) = viewer
        && text("/actor/id") != Some(own)
    {
        without(&ORIGIN);
        if !matches!(text("/target"), Some(target) if target == "customer" || target == *own) {
            without(&["changed"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(viewer: Viewer<'_>, actor: (&str, &str), target: &str) -> Vec<String> {
        let header = json!({"actor": {"id": actor.0, "kind": actor.1}, "target": target});
        let Value::Object(detail) =
            json!({"ip": "1", "userAgent": "u", "callerRequestId": "c", "jti": "j", "changed": {}})
        else {
            return Vec::new();
        };
        let shown = entry(&header, Some(detail), "", &viewer);
        let detail = shown.get("detail").and_then(Value::as_object);
        detail
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default()
    }

    #[test]
    fn where_staff_sat_is_told_to_no_customer() {
        for (id, kind) in [("admin_1", "admin"), ("key_1", "service")] {
            for viewer in [Viewer::Owner, Viewer::Member("user_a")] {
                assert_eq!(names(viewer, (id, kind), "customer"), ["changed"]);
            }
            assert_eq!(names(Viewer::Operator, (id, kind), "customer").len(), 5);
        }
    }

    #[test]
    fn a_member_sees_all_of_its_own_and_of_others_only_what_concerns_all() {
        assert_eq!(
            names(Viewer::Member("user_a"), ("user_a", "user"), "user_a").len(),
            5
        );
        assert_eq!(
            names(Viewer::Member("user_a"), ("user_b", "user"), "user_b"),
            ["jti"]
        );
        let on_all = names(Viewer::Member("user_a"), ("user_b", "user"), "customer");
        assert_eq!(on_all, ["changed", "jti"]);
        assert_eq!(names(Viewer::Owner, ("user_b", "user"), "user_b").len(), 5);
    }
}
