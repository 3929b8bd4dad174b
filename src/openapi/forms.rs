//! The forms of the types that are written as text: ids, times, scopes.

use crate::customer::api_keys::Scope;
use crate::types::{CustomerId, KeyId, Timestamp, UserId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! form {
    ($type:ty, $name:literal, $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

form!(
    CustomerId,
    "CustomerId",
    json_schema!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", "example": "demo"})
);
form!(
    UserId,
    "UserId",
    json_schema!({"type": "string", "pattern": "^user_[a-z0-9]{12,32}$"})
);
form!(
    KeyId,
    "KeyId",
    json_schema!({"type": "string", "pattern": "^key_[0-9a-f]{32}$"})
);
form!(
    Scope,
    "Scope",
    json_schema!({"type": "string", "enum": Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "description": "What an API key may do."})
);

/// A time as every resource shows it; what is stored is another form of it.
impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}
