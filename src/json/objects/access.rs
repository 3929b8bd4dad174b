//! What a value is made of, one after the other, as serde asks for it.

use super::reader::{Name, Reader};
use super::{Result, Unreadable};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

/// The items of an array, the fields of an object.
pub(super) struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
}

impl<'a, 'de> Items<'a, 'de> {
    pub fn of(reader: &'a mut Reader<'de>) -> Self {
        Self {
            reader,
            is_first: true,
        }
    }

    /// Whether there is another before this end, past the comma. After a comma the end is no item, and none is read.
    fn has_next(&mut self, end: u8) -> Result<bool> {
        if self.reader.peek() == Some(end) {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.is_first, false) {
            self.reader.take(b',')?;
        }
        Ok(true)
    }

    fn next_name(&mut self) -> Result<Option<Name<'de>>> {
        if !self.has_next(b'}')? {
            return Ok(None);
        }
        let name = self.reader.name()?;
        self.reader.take(b':')?;
        Ok(Some(name))
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.has_next(b']')? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        match self.next_name()? {
            Some(name) => seed.deserialize(StrDeserializer::new(&name.0)).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant: its name alone, or the one field of an object.
pub(super) struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    has_value: bool,
}

impl<'a, 'de> Variant<'a, 'de> {
    pub fn of(reader: &'a mut Reader<'de>, has_value: bool) -> Self {
        Self { reader, has_value }
    }

    fn name(&mut self) -> Result<Name<'de>> {
        let name = self.reader.name()?;
        if self.has_value {
            self.reader.take(b':')?;
        }
        Ok(name)
    }

    fn value(self) -> Result<&'a mut Reader<'de>> {
        self.has_value.then_some(self.reader).ok_or(Unreadable)
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self)> {
        let name = self.name()?;
        let which = seed.deserialize(StrDeserializer::<Unreadable>::new(&name.0))?;
        Ok((which, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        if self.has_value {
            self.reader.null()
        } else {
            Ok(())
        }
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.value()?)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.value()?.deserialize_seq(visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.value()?.deserialize_map(visitor)
    }
}
