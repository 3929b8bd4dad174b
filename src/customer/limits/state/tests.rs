//! The stored bytes.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::*;
use crate::customer::limits::limiter::Charge;
use crate::customer::limits::policy::{MAX_POLICIES, Policy, parse_list};
use crate::entropy::Entropy;
use proptest::prelude::*;

struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        out.fill(0xab);
        Ok(())
    }
}

fn spent(body: &str, cost: u64) -> Limiter {
    let policies = parse_list(body.as_bytes()).unwrap();
    let charges: Vec<_> = policies.iter().map(|policy| Charge { policy, cost }).collect();
    let mut limiter = Limiter::default();
    let now = Timestamp::from_millis(1_767_225_600_000);
    assert!(limiter.check(&charges, now, &mut Fixed).unwrap().allowed);
    limiter
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn stored_bytes_are_unchanged() {
    assert_eq!(hex(&Limiter::default().encode()), "01000000");
    let free = r#"[{"name":"burst","q":60,"w":60},{"name":"day","q":5000,"w":86400}]"#;
    let limiter = spent(free, 1);
    assert_eq!(
        hex(&limiter.encode()),
        "0180d0eab6b733020562757273743c3ce0d40303646179882780a30580b8992900"
    );
    let leases = spent(r#"[{"name":"j","q":3,"w":60,"unit":"concurrent-requests"}]"#, 2);
    assert_eq!(
        hex(&leases.encode()),
        format!("0180d0eab6b7330001016a01{}02e0d403", "ab".repeat(16))
    );
    for limiter in [limiter, leases, Limiter::default()] {
        assert_eq!(Limiter::decode(&limiter.encode()).unwrap(), limiter);
    }
}

#[test]
fn two_policies_take_a_few_dozen_bytes_and_unspent_ones_none() {
    let enterprise = r#"[{"name":"burst","q":6000,"w":60},{"name":"day","q":5000000,"w":86400}]"#;
    let mut limiter = spent(enterprise, 6000);
    assert!(limiter.encode().len() <= 40, "{}", limiter.encode().len());
    let later = Timestamp::from_millis(1_767_225_600_000 + 110_000);
    assert!(limiter.usage(&[], later).unwrap().is_empty());
    assert_eq!(limiter.encode().len(), 9);
}

#[test]
fn the_most_that_can_be_stored_reads_back_and_is_bounded() {
    let wide = "n".repeat(31);
    let policies: Vec<_> = (0..MAX_POLICIES)
        .map(|number| {
            Policy::requests(&format!("{wide}{number:x}"), 1_000_000_000, 34_560_000, None).unwrap()
        })
        .collect();
    let charges: Vec<_> = policies
        .iter()
        .map(|policy| Charge {
            policy,
            cost: 1_000_000_000,
        })
        .collect();
    let mut limiter = Limiter::default();
    limiter.check(&charges, Timestamp::MAX, &mut Fixed).unwrap();
    let leases = parse_list(br#"[{"name":"j","q":1000,"w":34560000,"unit":"concurrent-requests"}]"#).unwrap();
    for _ in 0..MAX_LEASES {
        let charge = [Charge {
            policy: &leases[0],
            cost: 1,
        }];
        let now = Timestamp::from_millis(1);
        assert!(limiter.check(&charge, now, &mut Fixed).unwrap().allowed);
    }
    let bytes = limiter.encode();
    assert!(bytes.len() < 24_000, "{}", bytes.len());
    assert_eq!(Limiter::decode(&bytes).unwrap(), limiter);
}

#[test]
fn rubbish_is_a_fault_and_never_an_unspent_limit() {
    let limiter = spent(
        r#"[{"name":"a","q":60,"w":60},{"name":"b","q":5,"w":9},{"name":"j","q":1,"w":1,"unit":"concurrent-requests"}]"#,
        1,
    );
    let bytes = limiter.encode();
    for length in 0..bytes.len() {
        assert!(Limiter::decode(&bytes[..length]).is_err(), "cut at {length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Limiter::decode(&longer).is_err());
    for version in [0, 2, 255] {
        let mut other = bytes.clone();
        other[0] = version;
        assert!(Limiter::decode(&other).is_err());
    }
    // A bucket that holds nothing, names out of order or twice, a number not in its shortest form, an empty list.
    for bad in [
        "01000101610101000000",
        "0100020162010101016101010100",
        "0100020161010101016101010100",
        "0180000000",
    ] {
        let bytes: Vec<u8> = (0..bad.len() / 2)
            .map(|index| u8::from_str_radix(&bad[index * 2..index * 2 + 2], 16).unwrap())
            .collect();
        assert!(Limiter::decode(&bytes).is_err(), "{bad}");
    }
    assert!(Limiter::decode(&[1, 0, 0, 1, 1, b'j', 0]).is_err());
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..80), flip in any::<prop::sample::Index>(), with: u8) {
        if let Ok(limiter) = Limiter::decode(&bytes) {
            prop_assert_eq!(limiter.encode(), bytes);
        }
        let mut bytes = spent(r#"[{"name":"a","q":7,"w":60},{"name":"j","q":1,"w":1,"unit":"concurrent-requests"}]"#, 1).encode();
        let flip = flip.index(bytes.len());
        bytes[flip] = with;
        if let Ok(mut limiter) = Limiter::decode(&bytes) {
            prop_assert_eq!(limiter.encode(), bytes);
            limiter.usage(&[], Timestamp::MAX).unwrap();
        }
    }
}
