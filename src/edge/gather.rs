//! Which requests to one customer's object go together in a [parcel](super::parcel), as far as that can be said without
//! a platform.
//!
//! Who comes while nobody else is about goes at once. Who comes while others of this isolate are under way to the same
//! object waits until the isolate has taken in what has arrived with it, which is a few turns of the platform's loop and
//! no wait for anybody's answer, then all go together. The first of them leads: it makes the call for all.

use crate::edge::route::{Audience, Route};
use crate::edge::{enclosure, parcel};
use crate::types::{CustomerId, Timestamp};
use std::collections::HashMap;

/// Most customers of which an isolate remembers whether their requests come in crowds.
pub const MAX_LANES: usize = 1_024;
/// After how long somebody else leads, in milliseconds: the platform has ended whoever should have.
pub const STALE_LEADER_MS: i64 = 1_000;
/// After how long without another one a call counts as back, in milliseconds: twice the longest deadline. Whoever made
/// it was ended by the platform and could not say so.
pub const STALE_CALL_MS: i64 = 120_000;

/// Most turns of the platform's loop that a leader waits for, as long as in each of them somebody has joined. (A body
/// takes some turns, so requests with one arrive one after the other.)
pub const MAX_TURNS: u32 = 4;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It goes by itself, at once, and then says that it is back ([`Lanes::back`]).
    Alone,
    /// It waits ([`Lanes::wait`]), and after a turn of the loop takes all that wait with it ([`Lanes::take`]), then
    /// says that it is back.
    Lead,
    /// It waits for who leads.
    Follow,
}

/// What is under way to each customer's object, and who waits.
#[derive(Debug)]
pub struct Lanes<T> {
    lanes: HashMap<CustomerId, Lane<T>>,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: Vec<T>,
    /// Bytes of what waits.
    bytes: usize,
    /// When the first of them came.
    since: Timestamp,
    /// Calls that are not back.
    under_way: usize,
    /// When the last of them began.
    began: Timestamp,
    /// Whether the last that waited were several. Then the next one waits for its neighbours, too.
    is_crowded: bool,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
        }
    }
}

impl<T> Lanes<T> {
    /// What a request of so many bytes does.
    pub fn turn(&mut self, customer: &CustomerId, bytes: usize, now: Timestamp) -> Turn {
        let Some(lane) = self.lane(customer, now) else {
            return Turn::Alone;
        };
        if since(lane.began, now) >= STALE_CALL_MS {
            lane.under_way = 0;
        }
        let is_lonely = lane.waiting.is_empty() && lane.under_way == 0 && !lane.is_crowded;
        let is_stale = !lane.waiting.is_empty() && since(lane.since, now) >= STALE_LEADER_MS;
        let is_full =
            lane.waiting.len() >= parcel::MAX_LETTERS || lane.bytes.saturating_add(bytes) > parcel::MAX_BYTES;
        let turn = if is_stale || (lane.waiting.is_empty() && !is_lonely && !is_full) {
            lane.since = now;
            Turn::Lead
        } else if is_lonely || is_full {
            Turn::Alone
        } else {
            return Turn::Follow;
        };
        lane.under_way = lane.under_way.saturating_add(1);
        lane.began = now;
        turn
    }

    /// Waits, after [`Turn::Lead`] or [`Turn::Follow`].
    pub fn wait(&mut self, customer: &CustomerId, bytes: usize, waiting: T) {
        if let Some(lane) = self.lanes.get_mut(customer) {
            lane.bytes = lane.bytes.saturating_add(bytes);
            lane.waiting.push(waiting);
        }
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self, customer: &CustomerId) -> usize {
        self.lanes.get(customer).map_or(0, |lane| lane.waiting.len())
    }

    /// All that wait, in their order.
    pub fn take(&mut self, customer: &CustomerId) -> Vec<T> {
        let Some(lane) = self.lanes.get_mut(customer) else {
            return Vec::new();
        };
        lane.bytes = 0;
        lane.is_crowded = lane.waiting.len() > 1;
        std::mem::take(&mut lane.waiting)
    }

    /// A call is back, however it ended.
    pub fn back(&mut self, customer: &CustomerId) {
        if let Some(lane) = self.lanes.get_mut(customer) {
            lane.under_way = lane.under_way.saturating_sub(1);
        }
    }

    /// The customer's lane; None where there are too many that are in use.
    fn lane(&mut self, customer: &CustomerId, now: Timestamp) -> Option<&mut Lane<T>> {
        if !self.lanes.contains_key(customer) {
            if self.lanes.len() >= MAX_LANES {
                self.lanes.retain(|_, lane| {
                    let is_under_way = lane.under_way > 0 && since(lane.began, now) < STALE_CALL_MS;
                    is_under_way || !lane.waiting.is_empty()
                });
            }
            if self.lanes.len() >= MAX_LANES {
                return None;
            }
            let lane = Lane {
                waiting: Vec::new(),
                bytes: 0,
                since: now,
                under_way: 0,
                began: now,
                is_crowded: false,
            };
            self.lanes.insert(customer.clone(), lane);
        }
        self.lanes.get_mut(customer)
    }
}

/// Milliseconds from one moment to another.
const fn since(then: Timestamp, now: Timestamp) -> i64 {
    now.as_millis().saturating_sub(then.as_millis())
}

/// Whether a request may go with others: all that go together are answered together, so it must be one that the object
/// decides by itself, with a short answer. What an administrator or a service changes waits for the directory or for
/// an e-mail's claim, a list is long, as is what an entry of the log says of a change, and an export is a stream.
#[must_use]
pub fn may_gather(route: Route, body: Option<&[u8]>) -> bool {
    let is_own = matches!(
        route.audience(),
        Audience::User | Audience::Customer | Audience::Integration
    );
    let is_long = matches!(
        route,
        Route::ListAudit | Route::GetAuditEntry | Route::ListKeys | Route::GetUsage
    );
    is_own && !is_long && !route.streams() && body.is_none_or(|body| body.len() <= enclosure::MAX_BYTES)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn id(name: &str) -> CustomerId {
        CustomerId::parse(name).unwrap()
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    /// A request comes; it waits under its number if it is to wait.
    fn come(lanes: &mut Lanes<u32>, number: u32) -> Turn {
        let turn = lanes.turn(&id("cust_1"), 10, at(0));
        if turn != Turn::Alone {
            lanes.wait(&id("cust_1"), 10, number);
        }
        turn
    }

    #[test]
    fn who_is_lonely_goes_at_once_however_often() {
        let mut lanes = Lanes::default();
        for number in 0..3 {
            assert_eq!(come(&mut lanes, number), Turn::Alone);
            lanes.back(&id("cust_1"));
        }
    }

    #[test]
    fn who_comes_while_others_are_under_way_goes_with_its_neighbours_in_their_order() {
        let mut lanes = Lanes::default();
        assert_eq!(come(&mut lanes, 0), Turn::Alone);
        assert_eq!(come(&mut lanes, 1), Turn::Lead);
        assert_eq!(come(&mut lanes, 2), Turn::Follow);
        assert_eq!(come(&mut lanes, 3), Turn::Follow);
        // Another customer's have nothing to do with it.
        assert_eq!(lanes.turn(&id("cust_2"), 10, at(0)), Turn::Alone);
        assert_eq!(lanes.take(&id("cust_1")), [1, 2, 3]);
        // Nobody waits for an answer: the next to come lead the next parcel.
        assert_eq!(come(&mut lanes, 4), Turn::Lead);
        assert_eq!(lanes.take(&id("cust_1")), [4]);
    }

    #[test]
    fn a_crowd_is_expected_again_until_somebody_has_waited_in_vain() {
        let mut lanes = Lanes::default();
        for number in 0..3 {
            come(&mut lanes, number);
        }
        lanes.take(&id("cust_1"));
        lanes.back(&id("cust_1"));
        lanes.back(&id("cust_1"));
        assert_eq!(come(&mut lanes, 3), Turn::Lead);
        assert_eq!(lanes.take(&id("cust_1")), [3]);
        lanes.back(&id("cust_1"));
        assert_eq!(come(&mut lanes, 4), Turn::Alone);
    }

    #[test]
    fn a_parcel_that_is_full_keeps_nobody_waiting() {
        let mut lanes = Lanes::default();
        come(&mut lanes, 0);
        for number in 0..u32::try_from(parcel::MAX_LETTERS).unwrap() {
            assert_ne!(come(&mut lanes, number), Turn::Alone);
        }
        assert_eq!(come(&mut lanes, 99), Turn::Alone);
        assert_eq!(lanes.take(&id("cust_1")).len(), parcel::MAX_LETTERS);
        assert_eq!(
            lanes.turn(&id("cust_1"), parcel::MAX_BYTES + 1, at(0)),
            Turn::Alone
        );
        assert_eq!(lanes.turn(&id("cust_1"), parcel::MAX_BYTES, at(0)), Turn::Lead);
        lanes.wait(&id("cust_1"), parcel::MAX_BYTES, 1);
        assert_eq!(lanes.turn(&id("cust_1"), 1, at(0)), Turn::Alone);
    }

    #[test]
    fn who_should_have_led_and_is_gone_is_followed_by_another() {
        let mut lanes = Lanes::default();
        come(&mut lanes, 0);
        assert_eq!(come(&mut lanes, 1), Turn::Lead);
        assert_eq!(
            lanes.turn(&id("cust_1"), 1, at(STALE_LEADER_MS - 1)),
            Turn::Follow
        );
        lanes.wait(&id("cust_1"), 1, 2);
        assert_eq!(lanes.turn(&id("cust_1"), 1, at(STALE_LEADER_MS)), Turn::Lead);
        lanes.wait(&id("cust_1"), 1, 3);
        // From then on it is waited for as long again.
        assert_eq!(
            lanes.turn(&id("cust_1"), 1, at(STALE_LEADER_MS + 1)),
            Turn::Follow
        );
        assert_eq!(lanes.take(&id("cust_1")), [1, 2, 3]);
        // Should the first one come after all, it finds nobody, itself not either.
        assert!(lanes.take(&id("cust_1")).is_empty());
    }

    #[test]
    fn a_full_lane_whose_leader_is_gone_is_led_by_another() {
        let mut lanes = Lanes::default();
        come(&mut lanes, 0);
        let most = u32::try_from(parcel::MAX_LETTERS).unwrap();
        for number in 0..most {
            come(&mut lanes, number);
        }
        assert_eq!(come(&mut lanes, 99), Turn::Alone);
        assert_eq!(lanes.turn(&id("cust_1"), 1, at(STALE_LEADER_MS)), Turn::Lead);
        lanes.wait(&id("cust_1"), 1, most);
        // More than one parcel: who leads makes two of them.
        assert_eq!(lanes.take(&id("cust_1")), (0..=most).collect::<Vec<_>>());
    }

    #[test]
    fn a_call_that_never_says_that_it_is_back_is_not_waited_for_for_ever() {
        let mut lanes: Lanes<u32> = Lanes::default();
        assert_eq!(lanes.turn(&id("cust_1"), 1, at(0)), Turn::Alone);
        assert_eq!(lanes.turn(&id("cust_1"), 1, at(STALE_CALL_MS)), Turn::Alone);
        // Its successor is under way, and counts from its own beginning.
        assert_eq!(lanes.turn(&id("cust_1"), 1, at(STALE_CALL_MS + 1)), Turn::Lead);
        for number in 2..=MAX_LANES {
            lanes.turn(&id(&format!("cust_{number}")), 1, at(STALE_CALL_MS));
        }
        assert_eq!(lanes.lanes.len(), MAX_LANES);
        lanes.turn(&id("cust_x"), 1, at(2 * STALE_CALL_MS));
        // That of cust_1 is younger than the others.
        assert_eq!(lanes.lanes.len(), 2);
    }

    #[test]
    fn lanes_are_bounded_and_those_in_use_are_kept() {
        let mut lanes: Lanes<u32> = Lanes::default();
        for number in 0..MAX_LANES {
            let customer = id(&format!("cust_{number}"));
            assert_eq!(lanes.turn(&customer, 1, at(0)), Turn::Alone);
        }
        // All are in use: who comes now goes alone, and leaves no trace.
        for _ in 0..2 {
            assert_eq!(lanes.turn(&id("cust_x"), 1, at(0)), Turn::Alone);
            assert_eq!(lanes.lanes.len(), MAX_LANES);
        }
        lanes.back(&id("cust_x"));
        lanes.back(&id("cust_7"));
        assert_eq!(lanes.turn(&id("cust_x"), 1, at(0)), Turn::Alone);
        assert_eq!(lanes.lanes.len(), MAX_LANES);
        assert_eq!(lanes.turn(&id("cust_8"), 1, at(0)), Turn::Lead);
    }

    #[test]
    fn only_what_an_object_decides_by_itself_goes_with_others() {
        for route in [
            Route::GetCustomer,
            Route::ConsumeLimits,
            Route::PatchPreferences,
            Route::CreateKey,
        ] {
            assert!(may_gather(route, Some(b"{}")), "{route:?}");
        }
        for route in [
            Route::ExportCustomer,
            Route::ListAudit,
            Route::GetAuditEntry,
            Route::ListKeys,
            Route::GetUsage,
            Route::AdminGetCustomer,
            Route::AdminPatchCustomer,
            Route::AdminExport,
            Route::ServicePutEmail,
            Route::ListCustomers,
        ] {
            assert!(!may_gather(route, None), "{route:?}");
        }
        assert!(may_gather(
            Route::PatchCustomer,
            Some(&[b' '; enclosure::MAX_BYTES])
        ));
        assert!(!may_gather(
            Route::PatchCustomer,
            Some(&[b' '; enclosure::MAX_BYTES + 1])
        ));
    }
}
