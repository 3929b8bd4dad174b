//! Sorting, for lists that are short. The standard library's sort is compiled once for each type that is sorted, 4 kB of
//! the module each, and so is the one with which a `BTreeMap` is collected: here all types share one copy, which
//! sorts places (`docs/adr/0032-size-and-speed-of-the-module.md`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Sorts stably, smallest first.
pub fn sort<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, T::cmp);
}

/// Sorts, and leaves one of those that are equal.
pub fn sort_distinct<T: Ord>(items: &mut Vec<T>) {
    sort(items);
    items.dedup();
}

/// Sorts stably by `compare`, which must be a total order; with any other all items are there still, in some order.
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

/// As `collect` into a map; of entries with the same key the last one stays.
pub fn map<K: Ord, V>(entries: impl Iterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
}

/// The places of so many items in their order. The one copy: no type of an item is known here.
#[inline(never)]
fn places(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<_> = (0..len).collect();
    places.sort_by(|&a, &b| compare(a, b));
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

            prop_assert_eq!(map(items.iter().copied()), items.into_iter().collect::<BTreeMap<_, _>>());
        }
    }

    #[test]
    fn nothing_is_lost_where_the_order_is_none() {
        let mut items = vec![3, 1, 2];
        sort_by(&mut items, |_, _| Ordering::Less);
        sort(&mut items);
        assert_eq!(items, [1, 2, 3]);
    }
}
