//! Order for lists and maps that are short. The standard library's sort is compiled once for each type that is sorted,
//! 4 kB of the module each: here all types share one copy, which sorts places. A `BTreeMap` is as much code again for
//! each type, so our maps are sorted lists (`docs/adr/0032-size-and-speed-of-the-module.md`).

use litemap::LiteMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Sorts stably, smallest first.
pub fn sort<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, T::cmp);
}

/// Sorts, and leaves one of those that are equal.
pub fn sort_distinct<T: Ord>(items: &mut Vec<T>) {
    sort(items);
    items.dedup();
}

/// Sorts stably by `compare`, which must be a total order, else it may panic.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let places = places(items.len(), &mut |a, b| {
        let pair = items.get(a).zip(items.get(b));
        pair.map_or(Ordering::Equal, |(a, b)| compare(a, b))
    });
    let mut slots: Vec<_> = items.drain(..).map(Some).collect();
    items.extend(
        places
            .into_iter()
            .filter_map(|place| slots.get_mut(place)?.take()),
    );
}

/// The places of so many items in their order. The one copy: no type of an item is known here.
#[inline(never)]
fn places(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<_> = (0..len).collect();
    places.sort_by(|&a, &b| compare(a, b));
    places
}

/// A map with its keys in order, by `LiteMap`: to insert in the midst costs as many moves as there are keys behind, so
/// it is for some hundreds. In JSON it is an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V>(LiteMap<K, V>);

impl<K: Ord, V> Map<K, V> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(LiteMap::new())
    }
}

impl<K: Ord + Clone, V> Map<K, V> {
    /// Takes the greatest key out. (LiteMap takes out by key alone, hence the copy.)
    pub fn pop_last(&mut self) {
        if let Some(key) = self.last().map(|(key, _)| key.clone()) {
            self.remove(&key);
        }
    }
}

// These two are not LiteMap's own, which sort what they are given.
impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Deref for Map<K, V> {
    type Target = LiteMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K, V> DerefMut for Map<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_tuple_vec().into_iter()
    }
}

// Not LiteMap's own: of an empty map it makes an array.
impl<K: Ord + Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Map<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<K, V>(PhantomData<(K, V)>);

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
    type Value = Map<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = entries.next_entry()? {
            map.insert(key, value);
        }
        Ok(map)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(items in prop::collection::vec((0..20_u8, any::<u8>()), 0..60)) {
            let by_first = |a: &(u8, u8), b: &(u8, u8)| a.0.cmp(&b.0);
            let (mut ours, mut theirs) = (items.clone(), items.clone());
            sort_by(&mut ours, by_first);
            theirs.sort_by(by_first);
            prop_assert_eq!(&ours, &theirs);

            sort_distinct(&mut ours);
            theirs.sort_unstable();
            theirs.dedup();
            prop_assert_eq!(ours, theirs);

            // Maps, too.
            let ours: Map<_, _> = items.iter().copied().collect();
            let theirs: BTreeMap<_, _> = items.into_iter().collect();
            prop_assert!(ours.iter().eq(theirs.iter()));
            prop_assert_eq!(serde_json::to_string(&ours).unwrap(), serde_json::to_string(&theirs).unwrap());
            prop_assert_eq!(&serde_json::from_str::<Map<u8, u8>>(&serde_json::to_string(&theirs).unwrap()).unwrap(), &ours);
            let (mut ours, mut theirs) = (ours, theirs);
            ours.pop_last();
            theirs.pop_last();
            prop_assert!(ours.into_iter().eq(theirs));
        }
    }

    #[test]
    fn an_empty_map_is_an_object() {
        assert_eq!(serde_json::to_string(&Map::<String, u8>::new()).unwrap(), "{}");
        assert!(serde_json::from_str::<Map<String, u8>>("[]").is_err());
    }
}
