//! Every reason for which a credential is refused: the stable word that the log gets, the code, and what the
//! caller is told. One table, so that no refusal can carry a value from the token.

use crate::error::{Code, Error};

macro_rules! reasons {
    ($($variant:ident $word:literal $code:ident $public:literal;)*) => {
        /// Why a credential was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Reason { $($variant,)* }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The word for the log (`Error::internal`), stable, so that alerts may match on it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The refusal.
            #[must_use]
            pub fn error(self) -> Error {
                match self { $(Self::$variant => Error::new(Code::$code, $public).because($word),)* }
            }
        }
    };
}

reasons! {
    NoCredential "no_credential" AuthenticationRequired "The request carries no credential.";
    SeveralCredentials "several_credentials" InvalidToken "The request carries more than one credential. Send one.";
    WrongScheme "wrong_scheme" InvalidToken "The Authorization header must be `Bearer` and one token.";
    BadApiKey "bad_api_key" InvalidApiKey "The API key is malformed or mistyped.";
    LegacyKeysOff "legacy_keys_off" InvalidApiKey "API keys of the older form are not accepted here.";
    LegacyKeyWithoutCustomer "legacy_key_without_customer" InvalidApiKey "A key of the older form needs the id of its customer in `X-Customer-Id`.";
    ApiKeyOfAnotherCustomer "api_key_of_another_customer" InvalidApiKey "The `X-Customer-Id` header is not the customer of the API key.";
    TokenTooLarge "token_too_large" InvalidToken "The token is larger than 8192 bytes.";
    MalformedToken "malformed_token" InvalidToken "The token is not a JWS in compact serialization.";
    MalformedHeader "malformed_header" InvalidToken "The header of the token is malformed.";
    CriticalHeader "critical_header" InvalidToken "The token demands an extension that is not supported.";
    WrongType "wrong_type" InvalidToken "The token is not of type JWT or at+jwt.";
    UnsupportedAlgorithm "unsupported_algorithm" InvalidToken "The token is signed by an algorithm that is not accepted.";
    UnknownKid "unknown_kid" InvalidToken "The token is not signed by a key that is known here.";
    BadSignature "bad_signature" InvalidToken "The token is not signed by a key that is known here.";
    MalformedPayload "malformed_payload" InvalidToken "The payload of the token is not a JSON object.";
    IdToken "id_token" InvalidToken "The token is an ID token. Send an access token.";
    BadExp "bad_exp" InvalidToken "The `exp` claim of the token is absent or malformed.";
    BadIat "bad_iat" InvalidToken "The `iat` claim of the token is absent or malformed.";
    BadNbf "bad_nbf" InvalidToken "The `nbf` claim of the token is malformed.";
    BadSub "bad_sub" InvalidToken "The `sub` claim of the token is absent or malformed.";
    BadJti "bad_jti" InvalidToken "The `jti` claim of the token is malformed.";
    BadScope "bad_scope" InvalidToken "The `scope` claim of the token is malformed.";
    BadCsrf "bad_csrf" InvalidToken "The `csrf` claim of the token is malformed.";
    BadCustomerId "bad_customer_id" InvalidToken "The `customerId` claim of the token is malformed.";
    WrongIssuer "wrong_issuer" InvalidToken "The issuer of the token is not trusted here.";
    WrongAudience "wrong_audience" InvalidToken "The token is meant for another audience.";
    LifetimeNotPositive "lifetime_not_positive" InvalidToken "The token expires before it was issued.";
    LifetimeTooLong "lifetime_too_long" InvalidToken "The token is valid for longer than is accepted.";
    Expired "expired" TokenExpired "The token has expired.";
    NotYetValid "not_yet_valid" TokenNotYetValid "The `nbf` claim of the token lies in the future.";
    IssuedInFuture "issued_in_future" TokenNotYetValid "The `iat` claim of the token lies in the future.";
    UnknownServiceKey "unknown_service_key" InvalidServiceKey "The service key is not known.";
    CsrfNoClaim "csrf_no_claim" CsrfFailed "The token has no `csrf` claim, so by cookie it can only read.";
    CsrfNoHeader "csrf_no_header" CsrfFailed "The request needs the `X-CSRF-Token` header.";
    CsrfMismatch "csrf_mismatch" CsrfFailed "The `X-CSRF-Token` header does not match the token.";
    IssuerUnavailable "issuer_unavailable" IssuerUnavailable "The keys of the token's issuer cannot be fetched at the moment.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_a_word_of_its_own_fit_for_a_log() {
        let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        assert!(
            words
                .iter()
                .all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
        for reason in Reason::ALL {
            assert_eq!(reason.error().internal.as_deref(), Some(reason.word()));
        }
    }
}
