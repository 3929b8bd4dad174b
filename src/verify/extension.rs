//! That the log of today extends the one of a checkpoint that somebody kept: the answers of
//! `GET /customer/me/audit/head?since=`, one after the other, from the older head to the newest. Needs the leaves only,
//! so nobody has to show an entry.

use super::chain::{self, Hash};
use super::{Checkpoint, Fault, Place, PublicKeys, Result};
use serde::Deserialize;

/// Longest answer that is read, in bytes: 10,000 leaves of 67 bytes, and the rest.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What is read of an answer. When its last entry was written is signed by nobody, and not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    seq: u64,
    hash: String,
    checkpoint: String,
    leaves: Option<Vec<String>>,
    next_since: Option<u64>,
}

/// Whether a text is meant to be such an answer.
#[must_use]
pub fn is_meant(text: &[u8]) -> bool {
    text.len() <= MAX_ANSWER_BYTES && serde_json::from_slice::<Answer>(text).is_ok()
}

/// A log on its way from one checkpoint to another.
#[derive(Debug)]
pub struct Extension<'a> {
    keys: &'a PublicKeys,
    customer_id: String,
    seq: u64,
    hash: Hash,
    /// Signed heads that the log must still pass through.
    ahead: Vec<Checkpoint>,
    /// The head of the last answer, and the key that signed it.
    newest: Option<(Checkpoint, String)>,
    is_complete: bool,
}

impl<'a> Extension<'a> {
    /// Begins at the checkpoint that was kept.
    #[must_use]
    pub fn new(older: &Checkpoint, keys: &'a PublicKeys) -> Self {
        Self {
            keys,
            customer_id: older.customer_id.clone(),
            seq: older.seq,
            hash: older.hash,
            ahead: Vec::new(),
            newest: None,
            is_complete: false,
        }
    }

    /// Takes the next answer, which was asked for with `since` where the one before left off.
    ///
    /// # Errors
    /// What is wrong with it, or that the log does not extend what was signed before.
    pub fn feed(&mut self, answer: &[u8]) -> Result<()> {
        if answer.len() > MAX_ANSWER_BYTES {
            return Err(fault("an answer is too long"));
        }
        let answer: Answer = serde_json::from_slice(answer)
            .map_err(|_| fault("an answer is none of /customer/me/audit/head"))?;
        if self.is_complete {
            return Err(fault("an answer follows the last one"));
        }
        let (head, kid) = Checkpoint::open(&answer.checkpoint, self.keys)?;
        if head.customer_id != self.customer_id {
            return Err(fault("an answer is about another customer's log"));
        }
        if answer.seq != head.seq || answer.hash != chain::hex(&head.hash) {
            return Err(fault("an answer says another head than was signed"));
        }
        if head.seq < self.seq {
            return Err(fault("the log has become shorter since"));
        }
        let leaves = answer
            .leaves
            .ok_or_else(|| fault(format!("an answer has no leaves: ask with since={}", self.seq)))?;
        self.ahead.push(head.clone());
        self.pass()?;
        for leaf in &leaves {
            let leaf = chain::unhex(leaf).ok_or_else(|| fault("a leaf is no SHA-256 in hex"))?;
            self.seq = self.seq.saturating_add(1);
            self.hash = chain::link(&self.hash, &leaf);
            self.pass()?;
        }
        let (until, more) = answer.next_since.map_or((head.seq, false), |next| (next, true));
        if self.seq != until || (more && self.seq >= head.seq) {
            return Err(fault("an answer has more or fewer leaves than it says"));
        }
        self.is_complete = !more;
        self.newest = Some((head, kid));
        Ok(())
    }

    /// Checks the signed heads that end here.
    fn pass(&mut self) -> Result<()> {
        let differs = |head: &Checkpoint| head.seq == self.seq && head.hash != self.hash;
        if self.ahead.iter().any(differs) {
            return Err(fault(format!(
                "the log was rewritten: it does not lead to the head that was signed of entry {}",
                self.seq
            )));
        }
        let seq = self.seq;
        self.ahead.retain(|head| head.seq > seq);
        Ok(())
    }

    /// Ends at the newest head: what it is, and the key that signed it.
    ///
    /// # Errors
    /// If answers are missing.
    pub fn finish(self) -> Result<(Checkpoint, String)> {
        match self.newest {
            Some(newest) if self.is_complete => Ok(newest),
            _ => Err(fault(format!("answers are missing: ask with since={}", self.seq))),
        }
    }
}

fn fault(what: impl Into<String>) -> Fault {
    Fault::new(Place::Checkpoint, what)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;
    use crate::crypto::SigningKeys;
    use serde_json::{Value, json};

    fn keys() -> SigningKeys {
        SigningKeys::new([("k1", &[7; 32])].into_iter()).unwrap()
    }

    fn leaf(seq: u64) -> Hash {
        chain::leaf(format!("entry {seq}").as_bytes())
    }

    fn head(seq: u64) -> Checkpoint {
        let begin = chain::genesis("cust_1");
        Checkpoint {
            customer_id: "cust_1".into(),
            seq,
            hash: (1..=seq).fold(begin, |hash, seq| chain::link(&hash, &leaf(seq))),
            at: "2026-01-01T00:00:00.000Z".into(),
        }
    }

    /// The answer of a log of `seq` entries, with the leaves after `since` up to `until`.
    fn answer(seq: u64, since: u64, until: u64) -> Value {
        let head = head(seq);
        let leaves: Vec<_> = (since + 1..=until).map(|seq| chain::hex(&leaf(seq))).collect();
        let mut answer = json!({
            "seq": seq, "hash": chain::hex(&head.hash), "at": head.at, "checkpoint": keys().note(&head),
            "leaves": leaves,
        });
        if until < seq {
            answer["nextSince"] = json!(until);
        }
        answer
    }

    fn extended(older: &Checkpoint, answers: &[Value]) -> Result<(Checkpoint, String)> {
        let keys = keys();
        let mut extension = Extension::new(older, keys.public());
        for answer in answers {
            extension.feed(answer.to_string().as_bytes())?;
        }
        extension.finish()
    }

    fn what(outcome: Result<(Checkpoint, String)>) -> String {
        outcome.unwrap_err().what
    }

    #[test]
    fn a_log_extends_its_older_head_in_one_answer_and_in_several() {
        for older in [0, 3, 8] {
            let told = extended(&head(older), &[answer(8, older, 8)]).unwrap();
            assert_eq!(told, (head(8), "k1".to_owned()));
        }
        // It grows while it is asked.
        let answers = [answer(8, 3, 5), answer(9, 5, 7), answer(10, 7, 10)];
        assert_eq!(extended(&head(3), &answers).unwrap().0, head(10));
        assert!(what(extended(&head(3), &answers[..2])).contains("since=7"));
        assert!(what(extended(&head(3), &[])).contains("since=3"));
    }

    #[test]
    fn what_does_not_extend_it_is_found() {
        let rewritten = Checkpoint {
            hash: [1; 32],
            ..head(3)
        };
        let shown = answer(8, 3, 8);
        assert!(what(extended(&rewritten, std::slice::from_ref(&shown))).contains("rewritten"));
        assert!(what(extended(&head(9), &[answer(8, 8, 8)])).contains("shorter"));
        assert!(what(extended(&rewritten, &[answer(3, 3, 3)])).contains("rewritten"));
        let other = Checkpoint {
            customer_id: "cust_2".into(),
            ..head(3)
        };
        assert!(what(extended(&other, std::slice::from_ref(&shown))).contains("another customer"));
        // A head on the way that the log does not pass through, though it ends where it says.
        let mut fork = answer(8, 3, 5);
        let forked = Checkpoint {
            hash: [2; 32],
            ..head(8)
        };
        fork["checkpoint"] = json!(keys().note(&forked));
        fork["hash"] = json!(chain::hex(&forked.hash));
        assert!(what(extended(&head(3), &[fork, answer(9, 5, 9)])).contains("entry 8"));
        for (member, value) in [
            ("leaves", json!(null)),
            ("nextSince", json!(8)),
            ("nextSince", json!(7)),
        ] {
            let mut changed = shown.clone();
            changed[member] = value;
            assert!(extended(&head(3), &[changed]).is_err(), "{member}");
        }
        assert!(extended(&head(3), &[shown.clone(), shown]).is_err());
        let others = SigningKeys::new([("k1", &[8; 32])].into_iter()).unwrap();
        let (older, shown) = (head(3), answer(8, 3, 8).to_string());
        let mut unknown = Extension::new(&older, others.public());
        assert!(unknown.feed(shown.as_bytes()).is_err());
    }

    #[test]
    fn every_flipped_bit_of_an_answer_is_found_or_changes_nothing_that_is_told() {
        let (keys, older) = (keys(), head(3));
        let text = answer(5, 3, 5).to_string().into_bytes();
        let sound = extended(&older, &[answer(5, 3, 5)]).unwrap();
        let mut found = 0;
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                let mut extension = Extension::new(&older, keys.public());
                match extension.feed(&flipped).and_then(|()| extension.finish()) {
                    Ok(told) => assert_eq!(told, sound, "byte {at} bit {bit}"),
                    Err(_) => found += 1,
                }
            }
        }
        // All but those within the time of the last entry, which is not read.
        assert!(found > (text.len() - 40) * 8, "{found} of {}", text.len() * 8);
    }
}
