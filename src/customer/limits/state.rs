//! The bytes in which a [`Limiter`] is stored: format 1, pinned by a test.
//!
//! ```text
//! 0x01 | at ms
//! count | { name | q | w seconds | level } by name    buckets of which something is spent
//! count | { name | count | { id (16 bytes) | cost | ms until it lapses } } by name    leases
//! ```
//!
//! Numbers are LEB128, names a length byte and ASCII. Whatever does not read back exactly is a fault: a limit whose
//! state is lost must not turn into one that is unspent.

use crate::customer::limits::bucket::Bucket;
use crate::customer::limits::leases::{LeaseId, Leases, MAX_LEASES, Place};
use crate::customer::limits::limiter::{Limiter, MAX_BUCKETS};
use crate::customer::limits::policy::is_name;
use crate::error::{Error, Result};
use crate::order;
use crate::types::Timestamp;

/// Version of the form.
const FORMAT: u8 = 1;

impl Limiter {
    /// The bytes to store. They are as of the last call that was given a time; reading them later is the same as
    /// having kept the limiter in memory.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        let at = u128::try_from(self.at.as_millis()).unwrap_or_default();
        put_number(&mut out, at);
        put_count(&mut out, self.buckets.len());
        for (name, bucket) in self.buckets.iter() {
            let (q, w, level) = bucket.figures();
            put_name(&mut out, name);
            put_number(&mut out, q.into());
            put_number(&mut out, w.into());
            put_number(&mut out, level);
        }
        put_count(&mut out, self.leases.held.len());
        for (name, places) in self.leases.held.iter() {
            put_name(&mut out, name);
            put_count(&mut out, places.len());
            for place in places {
                out.extend_from_slice(place.id.as_bytes());
                put_number(&mut out, place.cost.into());
                let lapses_at = u128::try_from(place.lapses_at.as_millis()).unwrap_or_default();
                put_number(&mut out, lapses_at.saturating_sub(at));
            }
        }
        out
    }

    /// The limiter that was stored as `bytes`.
    ///
    /// # Errors
    /// `internal_error` if they are of an unknown version or not what we wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader(bytes);
        reader
            .limiter()
            .filter(|_| reader.0.is_empty())
            .ok_or_else(|| Error::fault("the stored state of the limits is unreadable"))
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u128) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_number(out, u128::try_from(count).unwrap_or_default());
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    put_count(out, name.len());
    out.extend_from_slice(name.as_bytes());
}

/// What is left to read. None is always: these are not bytes that we wrote.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn limiter(&mut self) -> Option<Limiter> {
        if self.take(1)? != [FORMAT] {
            return None;
        }
        let at = self.moment(0)?;
        let mut buckets = order::Map::new();
        for _ in 0..self.count(MAX_BUCKETS)? {
            let name = self.name(buckets.last())?;
            let bucket = Bucket::restored(self.number()?, self.number()?, self.wide()?)?;
            if bucket.is_unspent() {
                return None;
            }
            buckets.insert(name, bucket);
        }
        let mut leases = Leases::default();
        let most = usize::try_from(MAX_LEASES).ok()?;
        for _ in 0..self.count(most)? {
            let name = self.name(leases.held.last())?;
            let mut places = Vec::new();
            for _ in 0..self.count(most)? {
                let id = LeaseId::from_bytes(self.take(16)?.try_into().ok()?);
                let cost = self.number().filter(|cost| (1..=MAX_LEASES).contains(cost))?;
                let lapses_at = self.moment(at.as_millis())?;
                places.push(Place { id, cost, lapses_at });
            }
            if places.is_empty() {
                return None;
            }
            leases.held.insert(name, places);
        }
        (leases.count() <= most).then_some(Limiter { at, buckets, leases })
    }

    fn take(&mut self, bytes: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number in its shortest form.
    fn wide(&mut self) -> Option<u128> {
        let mut number = 0_u128;
        for shift in (0..u128::BITS).step_by(7) {
            let byte = self.byte()?;
            let low = u128::from(byte & 0x7f);
            let shifted = low.checked_shl(shift)?;
            if shifted >> shift != low {
                return None;
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    fn number(&mut self) -> Option<u64> {
        self.wide()?.try_into().ok()
    }

    fn count(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.number()?)
            .ok()
            .filter(|count| *count <= most)
    }

    /// A moment so many milliseconds after `from_ms`.
    fn moment(&mut self, from_ms: i64) -> Option<Timestamp> {
        let ms = i64::try_from(self.number()?).ok()?.checked_add(from_ms)?;
        Some(Timestamp::from_millis(ms)).filter(|moment| moment.as_millis() == ms)
    }

    /// A name that sorts behind the one before it.
    fn name<T>(&mut self, before: Option<(&String, T)>) -> Option<String> {
        let length = self.count(u8::MAX.into())?;
        let name = std::str::from_utf8(self.take(length)?).ok()?;
        let sorted = before.is_none_or(|(before, _)| before.as_str() < name);
        (is_name(name) && sorted).then(|| name.to_owned())
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
