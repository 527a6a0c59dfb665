//! Decodes serde types from a [`Json`] tree. So a body is parsed only once: into a tree, which is checked and then decoded.
//!
//! A struct can only be an object. (The decoders that serde derives also accept an array with the fields in order.)

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error as _, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::json_tree::Json;

impl Json {
    /// Decodes the tree as a `T`.
    ///
    /// # Errors
    ///
    /// If the tree is not a `T`. The error's text is for programmers: check the tree against a
    /// [`Shape`](super::shape::Shape) first.
    pub fn decode<T: DeserializeOwned>(self) -> Result<T, Error> {
        T::deserialize(self)
    }
}

impl<'de> Deserializer<'de> for Json {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Flag(flag) => visitor.visit_bool(flag),
            Self::Number(number) => {
                if let Ok(number) = number.parse() {
                    return visitor.visit_u64(number);
                }
                match number.parse() {
                    Ok(number) => visitor.visit_i64(number),
                    // Not `parse`: its tables are 12 KB gzipped, and serde_json has a parser anyway.
                    Err(_) => visitor.visit_f64(serde_json::from_str(&number).map_err(Error::custom)?),
                }
            }
            Self::Text(text) => visitor.visit_string(text),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Object(pairs) => visitor.visit_map(MapDeserializer::new(pairs.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            // Does not use `deserialize_any`, which would compile an array reader for each struct.
            Self::Object(pairs) => visitor.visit_map(MapDeserializer::new(pairs.into_iter())),
            _ => Err(Error::custom("it is no object")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(word) => visitor.visit_enum(word.into_deserializer()),
            _ => Err(Error::custom("it is no word")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Json {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
