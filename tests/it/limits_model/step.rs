//! What may happen, and one policy as the model sees it.

use super::LISTS;
use proptest::prelude::*;
use serde_json::Value;

#[derive(Debug, Clone)]
pub enum Step {
    Read {
        who: usize,
        times: usize,
    },
    Consume {
        key: usize,
        mail: u64,
        jobs: u64,
        times: usize,
    },
    Release(usize),
    /// Does again what was refused, when its time has come; true after an eviction.
    Heed(bool),
    SetLimits(usize),
    RevokeToken(usize),
    RevokeAll,
    NewToken(usize),
    RevokeKey(usize),
    RotateKey(usize),
    NewKey(usize),
    Wait(i64),
    Back(i64),
    Evict,
    Forget,
    Tick,
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..6_usize, 1..7_usize).prop_map(|(who, times)| Step::Read { who, times }),
        6 => (0..3_usize, 0..5_u64, 0..3_u64, 1..4_usize)
            .prop_map(|(key, mail, jobs, times)| Step::Consume { key, mail, jobs, times }),
        2 => (0..5_usize).prop_map(Step::Release),
        6 => any::<bool>().prop_map(Step::Heed),
        1 => (0..LISTS.len()).prop_map(Step::SetLimits),
        1 => (0..3_usize).prop_map(Step::RevokeToken),
        1 => Just(Step::RevokeAll),
        2 => (0..3_usize).prop_map(Step::NewToken),
        1 => (0..3_usize).prop_map(Step::RevokeKey),
        1 => (0..3_usize).prop_map(Step::RotateKey),
        2 => (0..3_usize).prop_map(Step::NewKey),
        4 => (0..20_000_i64).prop_map(Step::Wait),
        1 => (0..4_000_000_i64).prop_map(Step::Wait),
        2 => (0..100_000_i64).prop_map(Step::Back),
        2 => Just(Step::Evict),
        1 => Just(Step::Forget),
        1 => Just(Step::Tick),
    ]
}

/// One policy as the model sees it: what passed, and when.
#[derive(Debug, Clone)]
pub struct Passed {
    pub q: u64,
    pub w: u64,
    pub burst: u64,
    /// When in the time that really passed, and how much.
    pub costs: Vec<(i64, u64)>,
    /// Whether the model knows all that was spent and all time that counts: then it also knows who must pass.
    pub is_exact: bool,
}

impl Passed {
    pub fn new(policy: &Value) -> Self {
        let number = |name: &str| policy[name].as_u64();
        let q = number("q").unwrap();
        Self {
            q,
            w: number("w").unwrap(),
            burst: number("burst").unwrap_or(q),
            costs: Vec::new(),
            is_exact: true,
        }
    }

    /// The promise itself: no stretch of time that ends now has more than `burst + t · q / w` in it.
    pub fn fits(&self, lived: i64, cost: u64) -> bool {
        let (q, w) = (i128::from(self.q), i128::from(self.w) * 1000);
        let mut sum = i128::from(cost);
        let mut since = lived;
        for (at, cost) in self.costs.iter().rev() {
            if sum * w > i128::from(self.burst) * w + i128::from(lived - since) * q {
                return false;
            }
            sum += i128::from(*cost);
            since = *at;
        }
        sum * w <= i128::from(self.burst) * w + i128::from(lived - since) * q
    }
}
