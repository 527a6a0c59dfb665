//! The shapes of JSON trees: the contract as data, for both requests and answers.
//!
//! [`Shape`](refsync_derive::Shape) derives the shape of each type in [`api`](super) from its serde attributes. The client
//! checks trees against shapes, because a shape costs a few bytes and a serde decoder costs kilobytes. The service checks
//! each request's body before serde reads it, so that people see our error texts, not serde's.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::json_tree::Json;
use crate::glob::Glob;

/// The shape of a value.
#[derive(Clone, Copy)]
pub enum Shape {
    /// A string.
    Text,
    /// True or false.
    Flag,
    /// An integer from 0 to 2³² − 1.
    Count,
    /// An integer from the first to the second number, inclusive.
    Between(u32, u32),
    /// Any number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// [`RefGlobs`](super::RefGlobs). If one of its two keys is missing, the key becomes `""`.
    Globs,
    /// This shape, or null.
    OrNull(&'static Self),
    /// The value of a key: this shape, or null, which means the same as a missing key.
    NullIsMissing(&'static Self),
    /// An array.
    List(&'static Self),
    /// An object with any keys.
    Map(&'static Self),
    /// An object with these keys.
    Object {
        /// The keys.
        keys: &'static [Key],
        /// Whether other keys are refused even if [`Others::Keep`] applies.
        refuses_others: bool,
    },
    /// An object with a tag: the value of the key with this name decides which other keys there are.
    Tagged(&'static str, &'static [(&'static str, &'static [Key])]),
}

/// One key of an object.
#[derive(Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub shape: Shape,
    /// The effect if the key is missing.
    pub missing: Missing,
}

/// The effect of a missing key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The object is refused.
    Refuse,
    /// The key stays missing.
    LeaveOut,
    /// The key becomes null.
    Null,
    /// The key becomes `*` for branches and tags.
    AllRefs,
}

/// The effect of keys that are not in an object's shape.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They are refused, because such a key in a caller's request is a spelling mistake.
    Refuse,
    /// They are kept, because the writer of the JSON may be newer than this version.
    Keep,
}

/// An error in a tree, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The path of the value, such as `syncs[3].ref_globs.branches`; empty for the whole tree.
    pub path: String,
    /// The error.
    pub fault: Fault,
}

/// An error in a value. In a sentence, this text follows the value's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The value is missing.
    #[error("is missing")]
    Missing,
    /// The object does not have this key. Its possible keys are listed.
    #[error("is an unknown field; the fields are {0}")]
    Unknown(String),
    /// The value has another type, or is out of range.
    #[error("{0}")]
    Wrong(String),
}

/// A type that has a shape. [`Shape`](refsync_derive::Shape) derives it.
pub trait Shaped {
    /// The shape of a value.
    const SHAPE: Shape;
    /// The shape of a key with `#[serde(default, skip_serializing_if = …)]`, if the key is there.
    const IF_THERE: Shape = Self::SHAPE;
    /// Whether null is a valid value.
    const HAS_NULL: bool = false;
    /// The effect of a missing key without `#[serde(default)]`.
    const MISSING: Missing = Missing::Refuse;
    /// The effect of a missing key with `#[serde(default)]`.
    const DEFAULT: Missing = Missing::LeaveOut;
}

macro_rules! plain {
    ($($type:ty: $shape:expr;)*) => {
        $(impl Shaped for $type {
            const SHAPE: Shape = $shape;
        })*
    };
}

plain! {
    (): Shape::Object { keys: &[], refuses_others: true };
    String: Shape::Text;
    bool: Shape::Flag;
    u32: Shape::Count;
    f64: Shape::Number;
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = Shape::OrNull(&T::SHAPE);
    // An update has `Option<Option<T>>`, in which null is a value of its own.
    const IF_THERE: Shape = if T::HAS_NULL { T::SHAPE } else { Shape::NullIsMissing(&T::SHAPE) };
    const HAS_NULL: bool = true;
    const MISSING: Missing = Missing::Null;
    const DEFAULT: Missing = Missing::Null;
}

impl<T: Shaped> Shaped for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

impl<T: Shaped> Shaped for BTreeMap<String, T> {
    const SHAPE: Shape = Shape::Map(&T::SHAPE);
}

/// How many keys these parts have in total.
pub const fn total(parts: &[&[Key]]) -> usize {
    let (mut total, mut at) = (0, 0);
    while at < parts.len() {
        total += parts[at].len();
        at += 1;
    }
    total
}

/// The keys of these parts, joined: those of an object and those of its flattened fields.
pub const fn join<const N: usize>(parts: &[&[Key]]) -> [Key; N] {
    let mut all = [Key { name: "", shape: Shape::Text, missing: Missing::Refuse }; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut key = 0;
        while key < parts[part].len() {
            all[at] = parts[part][key];
            at += 1;
            key += 1;
        }
        part += 1;
    }
    all
}

impl Shape {
    /// The keys of an object.
    ///
    /// # Panics
    ///
    /// If the shape is not an object. The compiler evaluates this, so it cannot panic at run time.
    pub const fn keys(&self) -> &'static [Key] {
        match self {
            Self::Object { keys, .. } => keys,
            _ => panic!("only objects have keys"),
        }
    }

    /// Checks a tree, and adds the values that the contract allows to leave out.
    ///
    /// # Errors
    ///
    /// The first value that does not match.
    pub fn check(&self, value: &mut Json, others: Others) -> Result<(), Mismatch> {
        match (self, value) {
            (Self::Text, Json::Text(_)) | (Self::Flag, Json::Flag(_)) | (Self::Number, Json::Number(_)) => Ok(()),
            (Self::Count, Json::Number(number)) if number.parse::<u32>().is_ok() => Ok(()),
            (Self::Between(min, max), Json::Number(number))
                if number.parse().is_ok_and(|number: u32| (*min..=*max).contains(&number)) =>
            {
                Ok(())
            }
            (Self::Word(words), Json::Text(text)) => one_of(words.iter().copied(), text),
            (Self::OrNull(_), Json::Null) => Ok(()),
            (Self::OrNull(shape) | Self::NullIsMissing(shape), value) => shape.check(value, others),
            (Self::List(shape), Json::List(items)) => {
                for (at, item) in items.iter_mut().enumerate() {
                    shape.check(item, others).map_err(|mismatch| mismatch.under(&format!("[{at}]")))?;
                }
                Ok(())
            }
            (Self::Map(shape), Json::Object(pairs)) => {
                for (key, value) in pairs {
                    shape.check(value, others).map_err(|mismatch| mismatch.under(key))?;
                }
                Ok(())
            }
            (Self::Globs, Json::Object(pairs)) => globs(pairs),
            (Self::Object { keys, refuses_others }, Json::Object(pairs)) => {
                object(&[keys], pairs, if *refuses_others { Others::Refuse } else { others })
            }
            (Self::Tagged(tag, variants), Json::Object(pairs)) => {
                let found = pairs.iter().rfind(|(key, _)| key == tag).and_then(|(_, value)| value.as_text());
                let found = found.ok_or_else(|| Mismatch::here(Fault::Missing).under(tag))?;
                one_of(variants.iter().map(|(word, _)| *word), found).map_err(|mismatch| mismatch.under(tag))?;
                let keys = variants.iter().find(|(word, _)| *word == found).map_or(&[][..], |(_, keys)| keys);
                let tag = Key { name: tag, shape: Self::Text, missing: Missing::Refuse };
                object(&[&[tag], keys], pairs, others)
            }
            (expected, found) => Err(expected.refusal(found)),
        }
    }

    /// Describes the expected value and the value that was found.
    fn refusal(&self, found: &Json) -> Mismatch {
        let whole;
        let expected = match self {
            Self::Text | Self::Word(_) => "a string",
            Self::Flag => "true or false",
            Self::Count => return Self::Between(0, u32::MAX).refusal(found),
            Self::Between(min, max) => {
                whole = format!("a whole number from {min} to {max}");
                &whole
            }
            Self::Number => "a number",
            Self::List(_) => "an array",
            Self::OrNull(shape) | Self::NullIsMissing(shape) => return shape.refusal(found),
            Self::Globs | Self::Map(_) | Self::Object { .. } | Self::Tagged(..) => "an object",
        };
        let found = match found {
            Json::Null => ", not null",
            Json::Flag(_) => ", not true or false",
            Json::Number(_) if matches!(self, Self::Count | Self::Between(..)) => "",
            Json::Number(_) => ", not a number",
            Json::Text(_) => ", not a string",
            Json::List(_) => ", not an array",
            Json::Object(_) => ", not an object",
        };
        Mismatch::wrong(&["must be ", expected, found])
    }
}

/// Refuses a word that is not one of these. The error does not repeat the word, because it may be a secret in the wrong
/// place.
fn one_of(words: impl Iterator<Item = &'static str>, found: &str) -> Result<(), Mismatch> {
    let words: Vec<&str> = words.collect();
    match words.contains(&found) {
        true => Ok(()),
        false => Err(Mismatch::wrong(&["is not one of: ", &words.join(", ")])),
    }
}

/// Checks an object that has the keys of all these groups.
pub(crate) fn object(groups: &[&[Key]], pairs: &mut Vec<(String, Json)>, others: Others) -> Result<(), Mismatch> {
    let keys = || groups.iter().copied().flatten();
    if others == Others::Refuse
        && let Some((name, _)) = pairs.iter().find(|(name, _)| keys().all(|key| key.name != name))
    {
        let known: Vec<&str> = keys().map(|key| key.name).collect();
        return Err(Mismatch::here(Fault::Unknown(known.join(", "))).under(name));
    }
    for Key { name, shape, missing } in keys() {
        let at = pairs.iter().rposition(|(key, _)| key == name);
        match (at, missing) {
            (Some(at), _) if pairs[at].1 == Json::Null && matches!(shape, Shape::NullIsMissing(_)) => {
                pairs.remove(at);
            }
            (Some(at), _) => shape.check(&mut pairs[at].1, others).map_err(|mismatch| mismatch.under(name))?,
            (None, Missing::Refuse) => return Err(Mismatch::here(Fault::Missing).under(name)),
            (None, Missing::LeaveOut) => {}
            (None, Missing::Null) => pairs.push(((*name).to_owned(), Json::Null)),
            (None, Missing::AllRefs) => pairs.push(((*name).to_owned(), both("*", "*"))),
        }
    }
    Ok(())
}

fn globs(pairs: &mut Vec<(String, Json)>) -> Result<(), Mismatch> {
    let (mut branches, mut tags) = (None, None);
    for (key, value) in &*pairs {
        let place = match key.as_str() {
            "branches" => &mut branches,
            "tags" => &mut tags,
            _ => return Err(Mismatch::here(Fault::Unknown("branches, tags".into())).under(key)),
        };
        *place = match value {
            Json::Null => continue,
            Json::Text(text) => {
                let glob = text.parse::<Glob>();
                glob.map_err(|error| Mismatch::wrong(&["is refused: ", &error.to_string()]).under(key))?;
                Some(text.as_str())
            }
            other => return Err(Shape::Text.refusal(other).under(key)),
        };
    }
    if branches.is_none() && tags.is_none() {
        return Err(Mismatch::wrong(&[
            "needs at least one of the keys branches and tags; leave ref_globs out to sync all refs",
        ]));
    }
    if let Json::Object(filled) = both(branches.unwrap_or_default(), tags.unwrap_or_default()) {
        *pairs = filled;
    }
    Ok(())
}

fn both(branches: &str, tags: &str) -> Json {
    let pair = |key: &str, value: &str| (key.to_owned(), Json::Text(value.to_owned()));
    Json::Object(vec![pair("branches", branches), pair("tags", tags)])
}

impl Mismatch {
    pub(crate) fn here(fault: Fault) -> Self {
        Self { path: String::new(), fault }
    }

    /// The error that the whole tree is not an object.
    #[cfg(feature = "client")]
    pub(crate) fn no_object(found: &Json) -> Self {
        Shape::Object { keys: &[], refuses_others: false }.refusal(found)
    }

    fn wrong(words: &[&str]) -> Self {
        Self::here(Fault::Wrong(words.concat()))
    }

    /// Adds `step`, a key or an index in brackets, to the front of the path.
    fn under(mut self, step: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = [step, joint, &self.path].concat();
        self
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.path.is_empty() { "it" } else { &self.path })?;
        f.write_str(" ")?;
        self.fault.fmt(f)
    }
}

/// Distinguishes a key whose value is null (`Some(None)`) from a missing key (`None`).
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
