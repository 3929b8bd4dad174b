//! The reader itself, as serde asks it.

use super::access::{Items, Variant};
use super::{Result, Unreadable};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, Visitor};
use serde_json::de::SliceRead;
use std::borrow::Cow;

/// Deepest nesting, in levels: that of serde_json. A JSON value in a document counts anew.
const MAX_DEPTH: u8 = 127;

/// What is still to be read.
pub(super) struct Reader<'de> {
    rest: &'de [u8],
    depth: u8,
}

/// The name of a field or a variant.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Name<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'de> Reader<'de> {
    pub fn of(bytes: &'de [u8]) -> Self {
        Self {
            rest: bytes,
            depth: 0,
        }
    }

    /// What comes next, past white space (RFC 8259 section 2).
    pub fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    /// Takes this sign, which must be next.
    pub fn take(&mut self, sign: u8) -> Result<()> {
        match (self.peek(), self.rest) {
            (Some(next), [_, rest @ ..]) if next == sign => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(Unreadable),
        }
    }

    pub fn end(&mut self) -> Result<()> {
        self.peek().map_or(Ok(()), |_| Err(Unreadable))
    }

    /// The same for all types, which leaves each only the comparison.
    pub fn name(&mut self) -> Result<Name<'de>> {
        self.plain(|reader| Name::deserialize(reader))
    }

    pub fn null(&mut self) -> Result<()> {
        self.plain(|reader| Deserialize::deserialize(reader))
    }

    fn open(&mut self, sign: u8) -> Result<()> {
        if self.depth >= MAX_DEPTH {
            return Err(Unreadable);
        }
        self.depth = self.depth.saturating_add(1);
        self.take(sign)
    }

    fn close(&mut self, sign: u8) -> Result<()> {
        self.depth = self.depth.saturating_sub(1);
        self.take(sign)
    }

    /// What serde_json reads. Where it ended it tells only as the reader of many values that it can become.
    #[inline]
    fn plain<T>(
        &mut self,
        read: impl FnOnce(&mut serde_json::Deserializer<SliceRead<'de>>) -> serde_json::Result<T>,
    ) -> Result<T> {
        let mut reader = serde_json::Deserializer::from_slice(self.rest);
        let value = read(&mut reader).map_err(|_| Unreadable)?;
        let end = reader.into_iter::<IgnoredAny>().byte_offset();
        self.rest = self.rest.get(end..).ok_or(Unreadable)?;
        Ok(value)
    }
}

macro_rules! plain {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                self.plain(|reader| reader.$method(visitor))
            }
        )*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    // `any` too: that is how a JSON value asks, and it holds none of our structs.
    plain! {
        deserialize_any deserialize_ignored_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32
        deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek() == Some(b'n') {
            self.null()?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.open(b'[')?;
        let value = visitor.visit_seq(Items::of(self))?;
        self.close(b']')?;
        Ok(value)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.open(b'{')?;
        let value = visitor.visit_map(Items::of(self))?;
        self.close(b'}')?;
        Ok(value)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let has_value = self.peek() == Some(b'{');
        if has_value {
            self.open(b'{')?;
        }
        let value = visitor.visit_enum(Variant::of(self, has_value))?;
        if has_value {
            self.close(b'}')?;
        }
        Ok(value)
    }
}
