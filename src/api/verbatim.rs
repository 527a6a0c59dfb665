//! Values that the service checks, stores and passes on, but does not read field by field.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::shape::{Missing, Shape, Shaped};

/// The JSON of a `T`, with the shape and the schema of a `T`. Readers and writers of many types of their own would be a
/// large part of the service's build.
pub struct Verbatim<T>(pub Value, PhantomData<T>);

impl<T> Verbatim<T> {
    /// The object of this row, with one more key, as another type.
    pub fn with<U>(mut self, key: &str, value: impl Into<Value>) -> Verbatim<U> {
        self.0[key] = value.into();
        self.0.into()
    }
}

impl<T> From<Value> for Verbatim<T> {
    fn from(value: Value) -> Self {
        Self(value, PhantomData)
    }
}

impl<T> Clone for Verbatim<T> {
    fn clone(&self) -> Self {
        self.0.clone().into()
    }
}

impl<T> fmt::Debug for Verbatim<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> PartialEq for Verbatim<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Verbatim<T> {}

impl<T> Serialize for Verbatim<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Verbatim<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Into::into)
    }
}

impl<T: Shaped> Shaped for Verbatim<T> {
    const SHAPE: Shape = T::SHAPE;
    const IF_THERE: Shape = T::IF_THERE;
    const HAS_NULL: bool = T::HAS_NULL;
    const MISSING: Missing = T::MISSING;
    const DEFAULT: Missing = T::DEFAULT;
}

impl<T: JsonSchema> JsonSchema for Verbatim<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
