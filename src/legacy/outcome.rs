//! What is told of each record that was sent.

use crate::types::CustomerId;
use serde::{Deserialize, Serialize};

/// What a record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ImportOutcome")
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Outcome {
    Created,
    Merged,
    Unchanged,
    Skipped,
    Conflict,
    Invalid,
}

impl Outcome {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Merged,
        Self::Unchanged,
        Self::Skipped,
        Self::Conflict,
        Self::Invalid,
    ];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Merged => "merged",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
        }
    }
}

/// The line that answers a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ImportResult")
)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The record's key, cut off at [`super::line::MAX_KEY_BYTES`]; empty where the line had none.
    pub key: String,
    /// What it came to.
    pub outcome: Outcome,
    /// Whose record it is, under the id that it has here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Why, in words of `docs/MIGRATION.md` separated by a comma and a space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

macro_rules! words {
    ($($variant:ident $word:literal $help:literal;)*) => {
        /// Why a record came to what it came to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)]
        pub enum Word { $($variant,)* }

        impl Word {
            /// All, in the order of the documentation.
            pub const ALL: &'static [Word] = &[$(Word::$variant,)*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Word::$variant => $word,)* }
            }

            /// What it means.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Word::$variant => $help,)* }
            }
        }
    };
}

words! {
    NotJson "not_json" "The line is no JSON object with a text `key` and a `value`.";
    TooLong "too_long" "The line or its key is longer than may be. The companion shortens long lines before it sends them.";
    ValueType "value_type" "The value is not of the type that the key demands.";
    BadHash "bad_hash" "The hash in the key is none, or the value names another one.";
    BadId "bad_id" "There is no customer id, or it is too long.";
    OtherId "other_id" "The value names another customer than the key does. Nothing was moved in.";
    Foreign "foreign" "Not a record that we know.";
    NotHere "not_here" "Its customer has not moved in. Sent again after the customer's record, it is taken.";
    Erased "erased" "The customer was erased here and stays erased.";
    Alias "alias" "The id is an alias of another customer here, and never becomes one itself.";
    EmailHeld "email_held" "Another customer holds the e-mail: an older one, one that was made here or in which somebody has been, or one that is about to move in. This one is kept, and a sign-in by e-mail alone finds the other.";
    IndexElsewhere "index_elsewhere" "The e-mail index points at a customer whose e-mail it is not. It is not needed here and nothing follows it.";
    LimitReached "limit_reached" "The customer has as many of these as it may have.";
    Expired "expired" "The token has expired, so its revocation means nothing any more.";
    TooLarge "too_large" "A field was larger than may be and was left out.";
    IdReplaced "id_replaced" "The id has not our form; the customer has another one here, which is the same every time.";
    NoEmail "no_email" "There is no e-mail, or none that is one: nobody finds the customer by e-mail.";
    StatusUnknown "status_unknown" "The status is none that we know; the customer is suspended until an administrator decides.";
    TypesOdd "types_odd" "A field has another type than it should; its value is kept under `legacy`.";
    ScopesUnknown "scopes_unknown" "The key has scopes that we do not know; it has the others.";
    OriginsUnknown "origins_unknown" "The key has origins that are none; it has the others, and if there are none no browser may use it.";
    Unavailable "unavailable" "The record could not be taken now. Send it again.";
    NotSent "not_sent" "It was only looked at (`--dry-run`), or came after the last line that one request may have.";
}

/// Words as `detail` has them.
#[must_use]
pub fn detail(words: &[Word]) -> Option<String> {
    let words: Vec<_> = words.iter().map(|word| word.as_str()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
