//! Random lives of keys against a model that knows nothing but who works when.
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Create { lives_secs: Option<i64> },
    Rotate { key: usize, grace_secs: i64 },
    Revoke { key: usize },
    Patch { key: usize, lives_secs: Option<i64> },
    Wait { ms: i64 },
    ClockBack { ms: i64 },
    Reload,
}

fn lives() -> impl Strategy<Value = Option<i64>> {
    proptest::option::of(1i64..20)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => lives().prop_map(|lives_secs| Step::Create { lives_secs }),
        3 => (0usize..64, 0i64..20).prop_map(|(key, grace_secs)| Step::Rotate { key, grace_secs }),
        2 => (0usize..64).prop_map(|key| Step::Revoke { key }),
        2 => (0usize..64, lives()).prop_map(|(key, lives_secs)| Step::Patch { key, lives_secs }),
        4 => (0i64..8000).prop_map(|ms| Step::Wait { ms }),
        1 => (0i64..8000).prop_map(|ms| Step::ClockBack { ms }),
        1 => Just(Step::Reload),
    ];
    vec(step, 1..80)
}

/// What the model knows of a key.
#[derive(Debug, Clone)]
struct Known {
    issued: Issued,
    ends_ms: Option<i64>,
    rotated: bool,
    revoked: bool,
}

impl Known {
    fn expected(&self, now_ms: i64) -> Result<(), &'static str> {
        if self.revoked {
            Err("token_revoked")
        } else if self.ends_ms.is_some_and(|end| end <= now_ms) {
            Err("invalid_api_key")
        } else {
            Ok(())
        }
    }

    fn is_active(&self, now_ms: i64) -> bool {
        !self.rotated && self.expected(now_ms).is_ok()
    }
}

struct Model {
    world: World,
    known: Vec<Known>,
    /// The latest moment at which something changed.
    floor_ms: i64,
}

impl Model {
    fn live(&self, now_ms: i64) -> usize {
        self.known
            .iter()
            .filter(|key| key.expected(now_ms).is_ok())
            .count()
    }

    fn add(&mut self, issued: Issued, ends_ms: Option<i64>) {
        let (rotated, revoked) = (false, false);
        self.known.push(Known {
            issued,
            ends_ms,
            rotated,
            revoked,
        });
    }

    #[allow(clippy::too_many_lines)] // One arm a kind of step, each short.
    fn step(&mut self, step: Step) {
        let now = self.world.now_ms.max(self.floor_ms);
        let ends = |secs: Option<i64>| secs.map(|secs| now + secs * 1000);
        let (number, count) = match step {
            Step::Rotate { key, .. } | Step::Revoke { key } | Step::Patch { key, .. } => {
                (key, self.known.len())
            }
            _ => (0, 1),
        };
        if count == 0 {
            return;
        }
        let index = number % count;
        match step {
            Step::Create { lives_secs } => {
                let expires_at = ends(lives_secs).map(Timestamp::from_millis);
                let made = self.world.create(&NewKey {
                    expires_at,
                    ..plain()
                });
                if self.live(now) >= MAX_LIVE_KEYS {
                    assert_eq!(code(made), "limit_reached");
                    return;
                }
                self.add(made.unwrap(), ends(lives_secs));
            }
            Step::Rotate { grace_secs, .. } => {
                let old = self.known[index].clone();
                let made = self.world.rotate(&old.issued.record.key_id, grace_secs);
                if !old.is_active(now) {
                    assert_eq!(code(made), "key_ended");
                    return;
                }
                if self.live(now) >= MAX_LIVE_KEYS && grace_secs > 0 {
                    assert_eq!(code(made), "limit_reached");
                    return;
                }
                let grace_end = now + grace_secs * 1000;
                self.known[index].rotated = true;
                self.known[index].ends_ms = Some(old.ends_ms.map_or(grace_end, |end| end.min(grace_end)));
                self.add(made.unwrap(), old.ends_ms);
            }
            Step::Revoke { .. } => {
                let key = &mut self.known[index];
                let changed = self.world.revoke(&key.issued.record.key_id).unwrap();
                assert_eq!(changed, !key.revoked);
                if !changed {
                    return;
                }
                key.revoked = true;
            }
            Step::Patch { lives_secs, .. } => {
                let at = ends(lives_secs).map(|ms| Timestamp::from_millis(ms).to_rfc3339());
                let key = &mut self.known[index];
                let patched = self
                    .world
                    .patch(&key.issued.record.key_id, json!({ "expiresAt": at }));
                if !key.is_active(now) {
                    assert_eq!(code(patched), "key_ended");
                    return;
                }
                patched.unwrap();
                if key.ends_ms == ends(lives_secs) {
                    return;
                }
                key.ends_ms = ends(lives_secs);
            }
            Step::Wait { ms } => {
                self.world.now_ms += ms;
                return;
            }
            Step::ClockBack { ms } => {
                self.world.now_ms -= ms;
                return;
            }
            Step::Reload => {
                self.world.keys = Keys::load(&self.world.sql, &self.world.fields).unwrap();
                // A changed expiry is no event in the life of a key, so its moment is not stored.
                let at = self.world.keys.floor.map_or(0, Timestamp::as_millis);
                assert!(at <= self.floor_ms);
                self.floor_ms = at;
                return;
            }
        }
        self.floor_ms = now;
    }

    fn check(&self) {
        let now = self.world.now_ms.max(self.floor_ms);
        for key in &self.known {
            let found = self.world.present(key.issued.secret(), None);
            let found = found.map(|key_id| assert_eq!(key_id, key.issued.record.key_id));
            assert_eq!(
                found.map_err(|error| error.code.as_str()),
                key.expected(now),
                "{key:?}"
            );
        }
        assert!(self.live(now) <= MAX_LIVE_KEYS);
        self.world.check_stored();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn keys_work_exactly_when_the_model_says(steps in steps()) {
        let mut model = Model { world: World::new(), known: Vec::new(), floor_ms: 0 };
        for step in steps {
            model.step(step);
            model.check();
        }
    }
}
