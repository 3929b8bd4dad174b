//! From the credential of a request to a [`Caller`]: pure, so the clock is an argument and fetching the issuer's
//! keys is somebody else's. [`Authenticator::authenticate`] is called again once the keys are there.
//!
//! Every refusal is a [`reason::Reason`]: a stable word for the log, a sentence for the caller, no value of the token.

mod api_key;
mod challenge;
mod claims;
mod credentials;
mod jwks;
mod key;
mod key_set;
mod reason;
mod remembered;
mod service_key;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
mod token;

pub use challenge::www_authenticate;
pub use claims::{MAX_ID_CHARS, MAX_SKEW_SECS};
pub use credentials::{COOKIE_NAME, Credentials};
pub use jwks::{FETCH_DEADLINE_MS, FRESH_MS, JwksCache, Lookup, REFRESH_FLOOR_MS, RETRY_FLOOR_MS, STALE_MS};
pub use key::{Algorithm, MAX_RSA_BITS, MIN_RSA_BITS, VerifyingKey};
pub use key_set::{KeySet, MAX_SET_BYTES, MAX_SET_KEYS, MAX_TRIES, MAX_VERIFIED};
pub use reason::Reason;
pub use remembered::{MAX_REMEMBERED, MAX_REMEMBERED_BYTES};
pub use token::MAX_TOKEN_BYTES;

use crate::caller::{Caller, Service};
use crate::crypto::{ApiKeyPepper, IndexKeys};
use crate::edge::settings::{Settings, TokenPolicy};
use crate::error::Result;
use crate::types::Timestamp;
use credentials::Presented;
use remembered::{Accepted, Remembered, Signer};
use service_key::ServiceKeys;
use subtle::ConstantTimeEq;
use token::UnverifiedToken;

type Claims = serde_json::Map<String, serde_json::Value>;

/// How far authentication has come.
#[derive(Debug)]
pub enum Outcome {
    /// It is decided.
    Done(Result<Caller>),
    /// Fetch `JWKS_URL` within [`FETCH_DEADLINE_MS`], following no redirect and reading at most
    /// [`MAX_SET_BYTES`]; tell the cache, then ask again.
    FetchKeys,
    /// Another request is fetching: ask again in about 10 ms.
    WaitForKeys,
}

/// All that the configuration says about credentials, made ready once per isolate.
pub struct Authenticator {
    secrets: Vec<(Option<String>, VerifyingKey)>,
    static_keys: KeySet,
    has_issuer: bool,
    policy: TokenPolicy,
    service_keys: ServiceKeys,
    legacy_api_keys: bool,
    /// None would accept no API key; deriving it does not fail in practice.
    pepper: Option<ApiKeyPepper>,
    remembered: Remembered,
}

impl Authenticator {
    /// Makes the keys ready.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let secrets = settings.jwt_secrets.iter();
        Self {
            secrets: secrets
                .filter_map(|key| Some((key.kid.clone(), VerifyingKey::hs256(key.secret.expose())?)))
                .collect(),
            static_keys: settings.jwks.clone(),
            has_issuer: settings.jwks_url.is_some(),
            policy: settings.tokens.clone(),
            service_keys: ServiceKeys::new(&settings.service_keys),
            legacy_api_keys: settings.legacy_api_keys,
            pepper: IndexKeys::derive(settings.index_key.expose())
                .map(|keys| keys.api_keys().clone())
                .ok(),
            remembered: Remembered::default(),
        }
    }

    /// Who is calling.
    ///
    /// 1. Exactly one credential counts. 2. A service's key is looked up, an API key is taken apart. 3. A token is taken apart. 4. Its keys
    ///    are found. 5. Its signature is verified. 6. Its claims are judged. (Of a token that was accepted before only
    ///    what can have changed: its keys and its times.) 7. By cookie, an unsafe method needs
    ///    the CSRF token.
    ///
    /// # Errors
    /// Within [`Outcome::Done`]: `authentication_required`, `invalid_token`, `token_expired`,
    /// `token_not_yet_valid`, `invalid_service_key`, `invalid_api_key`, `csrf_failed`, or `issuer_unavailable`.
    pub fn authenticate(
        &self,
        credentials: &Credentials<'_>,
        cache: &mut JwksCache,
        now: Timestamp,
    ) -> Outcome {
        match self.decide(credentials, cache, now) {
            Ok(caller) => Outcome::Done(Ok(caller)),
            Err(Pending::Refused(reason)) => {
                let mut error = reason.error();
                if reason == Reason::IssuerUnavailable {
                    error.retry_after_secs = Some(cache.retry_after_secs(now));
                }
                Outcome::Done(Err(error))
            }
            Err(Pending::Fetch) => Outcome::FetchKeys,
            Err(Pending::Wait) => Outcome::WaitForKeys,
        }
    }

    fn decide(
        &self,
        credentials: &Credentials<'_>,
        cache: &mut JwksCache,
        now: Timestamp,
    ) -> std::result::Result<Caller, Pending> {
        let presented = credentials.presented()?; // 1
        let text = match &presented {
            Presented::ServiceKey(key) => return Ok(self.service(key)?), // 2
            Presented::ApiKey(key) => return Ok(self.integration(key, credentials)?), // 2
            Presented::Header(token) => token,
            Presented::Cookie(token) => token.as_str(),
        };
        let digest = Remembered::digest(text);
        let (caller, csrf) = match self.recall(&digest, cache, now)? {
            Some(accepted) => accepted.now(&self.policy, now)?,
            None => self.accept(text, digest, cache, now)?,
        };
        if credentials.unsafe_method && matches!(presented, Presented::Cookie(_)) {
            check_csrf(credentials.csrf_header, csrf.as_deref())?; // 7
        }
        Ok(caller)
    }

    /// What is known of a token, if the key that signed it still counts.
    fn recall(
        &self,
        digest: &[u8; 32],
        cache: &mut JwksCache,
        now: Timestamp,
    ) -> std::result::Result<Option<Accepted>, Pending> {
        let Some(accepted) = self.remembered.get(digest) else {
            return Ok(None);
        };
        let counts = match &accepted.signer {
            Signer::Own => true,
            Signer::Issuer(kid, algorithm) => match cache.lookup(kid.as_deref(), *algorithm, now) {
                Lookup::Keys(keys) => keys.has_verified(digest),
                Lookup::Unknown | Lookup::Unavailable => false,
                Lookup::Fetch => return Err(Pending::Fetch),
                Lookup::Wait => return Err(Pending::Wait),
            },
        };
        Ok(counts.then_some(accepted))
    }

    /// Steps 3 to 6 with a token that is not known.
    fn accept(
        &self,
        text: &str,
        digest: [u8; 32],
        cache: &mut JwksCache,
        now: Timestamp,
    ) -> std::result::Result<(Caller, Option<String>), Pending> {
        let token = UnverifiedToken::parse(text)?; // 3
        let (claims, signer) = self.verify(&token, cache, now)?; // 4, 5
        let (mut caller, csrf, times) = claims::judge(&claims, &self.policy, now)?; // 6
        if let Caller::User(user) = &mut caller {
            user.legacy_hashes = token.legacy_hashes();
        }
        let accepted = Accepted {
            caller: caller.clone(),
            csrf: csrf.clone(),
            times,
            signer,
        };
        self.remembered.put(text, digest, accepted);
        Ok((caller, csrf))
    }

    fn service(&self, key: &str) -> std::result::Result<Caller, Reason> {
        let id = self.service_keys.identify(key).ok_or(Reason::UnknownServiceKey)?;
        Ok(Caller::Service(Service {
            id,
            jti: None,
            issued_at: None,
        }))
    }

    fn integration(&self, key: &str, credentials: &Credentials<'_>) -> std::result::Result<Caller, Reason> {
        let pepper = self.pepper.as_ref().ok_or(Reason::BadApiKey)?;
        if !self.legacy_api_keys && api_key::is_legacy(key) {
            return Err(Reason::LegacyKeysOff);
        }
        api_key::identify(key, pepper, credentials.customer_id, credentials.origin)
    }

    /// The header's `alg` only says where to look; what is found there verifies by its own algorithm.
    fn verify(
        &self,
        token: &UnverifiedToken<'_>,
        cache: &mut JwksCache,
        now: Timestamp,
    ) -> std::result::Result<(Claims, Signer), Pending> {
        let kid = token.kid.as_deref();
        if token.algorithm == Algorithm::Hs256 {
            return Ok((token.verify(self.secrets_for(kid)?)?, Signer::Own));
        }
        let mut own = self.static_keys.candidates(kid, token.algorithm);
        // A `kid` that the configuration holds is decided by it; a token without one may be either's.
        if own.next().is_some() {
            match self.static_keys.verify(token) {
                Err(Reason::BadSignature) if kid.is_none() && self.has_issuer => {}
                decided => return Ok((decided?, Signer::Own)),
            }
        }
        if !self.has_issuer {
            return Err(Reason::UnknownKid.into());
        }
        let issuer = || Signer::Issuer(token.kid.clone(), token.algorithm);
        match cache.lookup(kid, token.algorithm, now) {
            Lookup::Keys(keys) => Ok((keys.verify(token)?, issuer())),
            Lookup::Unknown => Err(Reason::UnknownKid.into()),
            Lookup::Unavailable => Err(Reason::IssuerUnavailable.into()),
            Lookup::Fetch => Err(Pending::Fetch),
            Lookup::Wait => Err(Pending::Wait),
        }
    }

    /// The secrets that a token with this `kid` may be signed by: the one of that id; all (at most 4) where the
    /// token names none; and a secret that was configured without an id fits every `kid`, since an issuer may
    /// name its only secret as it likes.
    fn secrets_for(
        &self,
        kid: Option<&str>,
    ) -> std::result::Result<impl Iterator<Item = &VerifyingKey>, Reason> {
        let fits = move |id: &Option<String>| kid.is_none() || id.is_none() || id.as_deref() == kid;
        let mut fitting = self
            .secrets
            .iter()
            .filter(move |(id, _)| fits(id))
            .map(|(_, key)| key)
            .peekable();
        if fitting.peek().is_none() {
            Err(Reason::UnknownKid)
        } else {
            Ok(fitting)
        }
    }
}

/// A double-submit check whose second half is signed into the token: a page of another origin can make a browser
/// send the cookie, but can neither read the claim nor set the header. Administrators are not exempt.
fn check_csrf(header: Option<&str>, claim: Option<&str>) -> std::result::Result<(), Reason> {
    let claim = claim.ok_or(Reason::CsrfNoClaim)?;
    let header = header.ok_or(Reason::CsrfNoHeader)?;
    if bool::from(header.as_bytes().ct_eq(claim.as_bytes())) {
        Ok(())
    } else {
        Err(Reason::CsrfMismatch)
    }
}

enum Pending {
    Refused(Reason),
    Fetch,
    Wait,
}

impl From<Reason> for Pending {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}
