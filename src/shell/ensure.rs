//! Carries out what the ensuring of an account asks, and the claim of an e-mail that is to change.

use crate::caller::{Caller, User};
use crate::customer::account::Wanted;
use crate::customer::errand::By;
use crate::customer::profile::{NewCustomer, Plan, Profile};
use crate::customer::status::Status;
use crate::directory::change::{self, Change};
use crate::directory::ensure::{Ask, Ensure, Ensured, Heard, Step, Wish};
use crate::directory::errand::{Answer, What};
use crate::edge::route::Route;
use crate::email::EmailIndex;
use crate::entropy::random;
use crate::error::{Error, Result};
use crate::order;
use crate::shell::host::{self, PlatformEntropy, Site};
use crate::shell::{legacy, object};
use crate::types::CustomerId;
use worker::Env;

/// Most errands of one run: five a round, in eight rounds, and a few more.
const MAX_STEPS: u32 = 64;

/// Makes sure that there is a customer of this e-mail.
///
/// # Errors
/// `customer_erased`, or `unavailable` where a part of the service does not answer; whoever comes next goes on.
pub async fn ensure(env: &Env, site: &Site, wish: Wish) -> Result<Ensured> {
    let minted = CustomerId::mint(host::now(), random(&mut PlatformEntropy)?);
    let (mut ensure, mut ask) = Ensure::start(wish, minted);
    for _ in 0..MAX_STEPS {
        ask = match ensure.step(carry_out(env, site, ask).await?)? {
            Step::Ask(ask) => ask,
            Step::Done(ensured) => return Ok(ensured),
        };
    }
    Err(Error::fault("ensuring an account took too many steps"))
}

/// Claims an e-mail for a customer that wants to change to it. True if it holds it now.
///
/// # Errors
/// `unavailable` where a part of the service does not answer.
pub async fn claim(env: &Env, site: &Site, own: &CustomerId, wanted: &Wanted) -> Result<bool> {
    let (mut change, mut ask) = Change::start(own.clone(), wanted.clone());
    for _ in 0..MAX_STEPS {
        ask = match change.step(carry_out(env, site, ask).await?)? {
            change::Step::Ask(ask) => ask,
            change::Step::Done(held) => return Ok(held),
        };
    }
    Err(Error::fault("claiming an e-mail took too many steps"))
}

async fn carry_out(env: &Env, site: &Site, ask: Ask) -> Result<Heard> {
    Ok(match ask {
        Ask::Customer(errand) => {
            Heard::Customer(object::ask_customer(env, &errand, site.settings.object_deadline_ms).await?)
        }
        Ask::Directory(what) => Heard::Directory(object::tell_directory(env, &site.settings, what).await?),
    })
}

/// A user with a verified e-mail, for whom an account may be found, or made, at its first request.
pub struct Newcomer<'a> {
    user: &'a User,
    email: &'a str,
    by: &'a By,
}

impl<'a> Newcomer<'a> {
    /// The newcomer who makes this request, if its caller is one: administrators' operations are for customers that
    /// exist.
    #[must_use]
    pub fn of(route: Route, by: &'a By) -> Option<Self> {
        let Caller::User(user) = &by.caller else {
            return None;
        };
        let email = user.email.as_deref().filter(|_| user.email_verified)?;
        (!route.audience().is_admin()).then_some(Self { user, email, by })
    }

    fn index(&self, site: &Site) -> Result<EmailIndex> {
        site.customers.index.email(self.email)
    }

    /// Where a request goes first whose token names no customer: to whoever has the e-mail. The holder's object
    /// checks that it has it indeed.
    ///
    /// # Errors
    /// `unavailable` where a part of the service does not answer.
    pub async fn find(&self, env: &Env, site: &Site) -> Result<CustomerId> {
        let look = What::Look {
            index: self.index(site)?,
        };
        match object::tell_directory(env, &site.settings, look).await? {
            Answer::Claim(Some(claim)) => Ok(claim.holder),
            Answer::Claim(None) => Ok(self.ensure(env, site).await?.customer_id),
            _ => Err(Error::fault("an answer to another errand")),
        }
    }

    /// Makes sure that the account is there, moving it in from the older store where it is still there.
    ///
    /// # Errors
    /// As [`ensure`].
    pub async fn ensure(&self, env: &Env, site: &Site) -> Result<Ensured> {
        // Who is in the older store moves in from there, and is found then.
        legacy::of_user(env, &site.settings, self.user, &self.by.origin).await?;
        let new = NewCustomer {
            customer_id: None,
            plan: Plan::Free,
            status: Status::Active,
            features: order::Map::new(),
            profile: Profile {
                email: Some(self.email.to_owned()),
                ..Profile::default()
            },
        };
        let wish = Wish {
            named: self.user.customer.clone(),
            index: self.index(site)?,
            new,
            by: self.by.clone(),
        };
        ensure(env, site, wish).await
    }
}
