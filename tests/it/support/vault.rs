//! The vault of the one customer in a test: its storage, the errands it was sent, and what may go wrong with it.

use super::workerd::Workerd;
use user_api::crypto::Wrapped;
use user_api::error::{Error, Result};
use user_api::vault::{Call, Decision, Errand, Held, decide};

/// How an errand comes to harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The vault never hears of it.
    Call,
    /// The vault does it, and the answer is lost.
    Answer,
}

pub struct Vault {
    pub sql: Workerd,
    /// All errands so far, in their order.
    pub errands: Vec<Errand>,
    /// What happens to the next errand, or to one after it.
    pub loss: Option<Loss>,
    unharmed: usize,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            sql: Workerd::new(),
            errands: Vec::new(),
            loss: None,
            unharmed: 0,
        }
    }
}

impl Vault {
    /// One errand, over the wire's form.
    pub fn ask(&mut self, errand: Errand) -> Result<Held> {
        self.errands.push(errand.clone());
        let is_harmed = self.unharmed == 0;
        self.unharmed = self.unharmed.saturating_sub(1);
        let loss = if is_harmed { self.loss.take() } else { None };
        if loss == Some(Loss::Call) {
            return Err(Error::fault("the call is lost"));
        }
        let customer = user_api::types::CustomerId::parse(super::people::CUSTOMER).unwrap();
        let call = Call { customer, errand }.encode().unwrap();
        let held = match decide(&self.sql, &Call::decode(&call).unwrap().errand)? {
            Decision::Holds(held) => held,
            Decision::DeleteAll => {
                self.lose();
                Held { wrapped: None }
            }
        };
        if loss == Some(Loss::Answer) {
            return Err(Error::fault("the answer is lost"));
        }
        Held::decode(&held.encode().unwrap())
    }

    /// Lets the errand after so many more come to harm.
    pub fn lose_after(&mut self, unharmed: usize, loss: Loss) {
        (self.unharmed, self.loss) = (unharmed, Some(loss));
    }

    /// What it holds.
    pub fn held(&self) -> Option<Wrapped> {
        match decide(&self.sql, &Errand::Look).unwrap() {
            Decision::Holds(held) => held.wrapped,
            Decision::DeleteAll => None,
        }
    }

    /// All that it holds is gone.
    pub fn lose(&mut self) {
        self.sql = Workerd::new();
    }
}
