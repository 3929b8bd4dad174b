//! What an administrator's wish for a new customer meets: whether there is anything already under the id, and who has
//! the e-mail. Nothing that exists is changed by it, and unlike a user's token it makes no id an alias.

use crate::customer::errand::Standing;
use crate::error::{Code, Error, Result};

/// What is under the id that the customer is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// A customer that an earlier request of the same idempotency key made, since nobody else could know its id.
    Ours,
    /// A customer of which that cannot be said.
    Somebody,
}

impl Before {
    /// What it means that the id is that. `is_derived` says that the id is made of an idempotency key.
    ///
    /// # Errors
    /// `customer_erased`, or `customer_exists` for an alias.
    pub fn of(standing: &Standing, is_derived: bool) -> Result<Self> {
        match standing {
            Standing::Absent => Ok(Self::Nothing),
            Standing::Customer { holds: true } if is_derived => Ok(Self::Ours),
            Standing::Customer { .. } => Ok(Self::Somebody),
            Standing::Alias(_) => Err(refusal(Code::CustomerExists)),
            Standing::Erased => Err(refusal(Code::CustomerErased)),
        }
    }
}

/// Whether the customer may get the e-mail though another id holds its claim, given what that id is. A stale claim is
/// taken over. One whose holder is nothing yet is a customer that somebody began to make: it is finished only where
/// the new one may get the holder's id.
///
/// # Errors
/// `email_taken`.
pub fn may_take(holder: &Standing, has_id: bool) -> Result<()> {
    match holder {
        Standing::Customer { holds: true } => Err(email_taken()),
        Standing::Absent if has_id => Err(email_taken()),
        _ => Ok(()),
    }
}

/// Another customer has the e-mail.
#[must_use]
pub fn email_taken() -> Error {
    refusal(Code::EmailTaken)
}

fn refusal(code: Code) -> Error {
    Error::new(code, code.title())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(outcome: Result<T>) -> Option<Code> {
        outcome.err().map(|error| error.code)
    }

    #[test]
    fn an_id_that_is_anything_already_is_not_made_a_customer() {
        let (mine, other) = (
            Standing::Customer { holds: true },
            Standing::Customer { holds: false },
        );
        for is_derived in [true, false] {
            assert_eq!(Before::of(&Standing::Absent, is_derived), Ok(Before::Nothing));
            assert_eq!(Before::of(&other, is_derived), Ok(Before::Somebody));
            let alias = Before::of(&Standing::Alias(None), is_derived);
            assert_eq!(code(alias), Some(Code::CustomerExists));
            let erased = Before::of(&Standing::Erased, is_derived);
            assert_eq!(code(erased), Some(Code::CustomerErased));
        }
        assert_eq!(Before::of(&mine, true), Ok(Before::Ours));
        assert_eq!(Before::of(&mine, false), Ok(Before::Somebody));
    }

    #[test]
    fn an_e_mail_is_taken_from_nobody_but_a_holder_that_has_given_it_up() {
        let taken = Some(Code::EmailTaken);
        for (holder, with_id, without_id) in [
            (Standing::Customer { holds: true }, taken, taken),
            (Standing::Customer { holds: false }, None, None),
            (Standing::Absent, taken, None),
            (Standing::Alias(None), None, None),
            (Standing::Erased, None, None),
        ] {
            assert_eq!(code(may_take(&holder, true)), with_id, "{holder:?}");
            assert_eq!(code(may_take(&holder, false)), without_id, "{holder:?}");
        }
    }
}
