//! What a JSON tree has to look like: the wire contract as tables, for requests and answers alike.
//!
//! A table stands for the derived decoder of the type of its name in [`api`](crate::api), and costs a few bytes where
//! that costs kilobytes. Both say the same: the tests feed them the same texts and compare.

use super::json::Json;
use crate::glob::Glob;

/// What a value has to be.
pub enum Shape {
    /// A string.
    Text,
    /// True or false.
    Flag,
    /// An integer from 0 to 2³² − 1.
    Count,
    /// Any number.
    Number,
    /// How many items of a list: 1 to 100.
    Limit,
    /// One of these words.
    Word(&'static [&'static str]),
    /// [`RefGlobs`](crate::api::RefGlobs); a missing one of its two keys becomes `""`.
    Globs,
    /// This, or null.
    OrNull(&'static Self),
    /// An array.
    List(&'static Self),
    /// An object of free keys.
    Map(&'static Self),
    /// An object of these keys.
    Object(&'static [Key]),
    /// An object whose key of this name tells which further keys it has.
    Tagged(&'static str, &'static [(&'static str, &'static [Key])]),
}

/// One key of an object.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub shape: Shape,
    /// What holds where it is missing.
    pub missing: Missing,
}

/// What it means that a key is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// That the object is wrong.
    Refused,
    /// That it is left out, which a null means too, unless the key's shape has a null of its own.
    LeftOut,
    /// That it is left out; a null is refused.
    Absent,
    /// That it is null.
    Null,
    /// `*` for branches and tags.
    AllRefs,
}

/// Who made the tree, which decides about keys that no table has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A caller of ours: a key that is not known is a misspelt one, and refused.
    Caller,
    /// A service: it may be newer than we are, so what is not known is kept.
    Service,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The path of the value, such as `syncs[3].ref_globs.branches`; empty for the whole.
    pub path: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// There is no such key.
    Unknown,
    /// It is out of bounds; these are they.
    Bounds(&'static str),
    /// It is something else.
    Wrong(String),
}

impl Key {
    /// A key that has to be there.
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, missing: Missing::Refused }
    }

    /// A key that may be left out.
    pub const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, missing: Missing::LeftOut }
    }

    /// A key that is null where it is missing.
    pub const fn nullable(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, shape: Shape::OrNull(shape), missing: Missing::Null }
    }
}

impl Shape {
    /// Checks a tree, and makes explicit what may be left implicit in it.
    ///
    /// # Errors
    ///
    /// The first value that is not as it has to be.
    pub fn settle(&self, value: &mut Json, origin: Origin) -> Result<(), Mismatch> {
        match (self, value) {
            (Self::Text, Json::Text(_)) | (Self::Flag, Json::Flag(_)) | (Self::Number, Json::Number(_)) => Ok(()),
            (Self::Count, Json::Number(number)) if number.parse::<u32>().is_ok() => Ok(()),
            (Self::Limit, Json::Number(number)) => match number.parse::<u32>() {
                Ok(1..=100) => Ok(()),
                _ => Err(Mismatch::here(Fault::Bounds("has to be 1 to 100"))),
            },
            (Self::Word(words), Json::Text(text)) => match words.contains(&text.as_str()) {
                true => Ok(()),
                false => Err(Mismatch::wrong(&["unknown variant `", text, "`, expected one of ", &words.join(", ")])),
            },
            (Self::OrNull(_), Json::Null) => Ok(()),
            (Self::OrNull(shape), value) => shape.settle(value, origin),
            (Self::List(shape), Json::List(items)) => {
                for (at, item) in items.iter_mut().enumerate() {
                    shape.settle(item, origin).map_err(|mismatch| mismatch.under(&format!("[{at}]")))?;
                }
                Ok(())
            }
            (Self::Map(shape), Json::Object(pairs)) => {
                for (key, value) in pairs {
                    shape.settle(value, origin).map_err(|mismatch| mismatch.under(key))?;
                }
                Ok(())
            }
            (Self::Globs, Json::Object(pairs)) => globs(pairs),
            (Self::Object(keys), Json::Object(pairs)) => object(keys, None, pairs, origin),
            (Self::Tagged(tag, variants), Json::Object(pairs)) => {
                let tags: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
                let found = pairs.iter().rfind(|(key, _)| key == tag).and_then(|(_, value)| value.as_text());
                let found = found.ok_or_else(|| Mismatch::here(Fault::Missing).under(tag))?;
                let Some((_, keys)) = variants.iter().find(|(name, _)| *name == found) else {
                    let wrong = ["unknown variant `", found, "`, expected one of ", &tags.join(", ")];
                    return Err(Mismatch::wrong(&wrong).under(tag));
                };
                object(keys, Some(tag), pairs, origin)
            }
            (expected, found) => Err(Mismatch::wrong(&["invalid type: ", kind(found), ", expected ", expected.name()])),
        }
    }

    /// What it is, with its article.
    fn name(&self) -> &'static str {
        match self {
            Self::Text | Self::Word(_) => "a string",
            Self::Flag => "a boolean",
            Self::Count | Self::Limit => "u32",
            Self::Number => "a number",
            Self::List(_) => "a sequence",
            Self::OrNull(shape) => shape.name(),
            Self::Globs | Self::Map(_) | Self::Object(_) | Self::Tagged(..) => "a map",
        }
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Flag(_) => "boolean",
        Json::Number(_) => "number",
        Json::Text(_) => "string",
        Json::List(_) => "sequence",
        Json::Object(_) => "map",
    }
}

fn object(keys: &[Key], tag: Option<&str>, pairs: &mut Vec<(String, Json)>, origin: Origin) -> Result<(), Mismatch> {
    let known = |name: &str| tag == Some(name) || keys.iter().any(|key| key.name == name);
    if origin == Origin::Caller
        && let Some((name, _)) = pairs.iter().find(|(name, _)| !known(name))
    {
        return Err(Mismatch::here(Fault::Unknown).under(name));
    }
    for Key { name, shape, missing } in keys {
        let at = pairs.iter().rposition(|(key, _)| key == name);
        match (at, missing) {
            (Some(at), Missing::LeftOut) if pairs[at].1 == Json::Null && !matches!(shape, Shape::OrNull(_)) => {
                pairs.remove(at);
            }
            (Some(at), _) => shape.settle(&mut pairs[at].1, origin).map_err(|mismatch| mismatch.under(name))?,
            (None, Missing::Refused) => return Err(Mismatch::here(Fault::Missing).under(name)),
            (None, Missing::LeftOut | Missing::Absent) => {}
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
            _ => return Err(Mismatch::here(Fault::Unknown).under(key)),
        };
        *place = match value {
            Json::Null => continue,
            Json::Text(text) => {
                let glob = text.parse::<Glob>();
                glob.map_err(|error| Mismatch::wrong(&[&error.to_string()]).under(key))?;
                Some(text.as_str())
            }
            other => return Err(Mismatch::wrong(&["invalid type: ", kind(other), ", expected a string"]).under(key)),
        };
    }
    if branches.is_none() && tags.is_none() {
        return Err(Mismatch::wrong(&[
            "ref_globs needs at least one of the keys branches and tags; leave ref_globs out to sync all refs",
        ]));
    }
    if let Json::Object(settled) = both(branches.unwrap_or_default(), tags.unwrap_or_default()) {
        *pairs = settled;
    }
    Ok(())
}

fn both(branches: &str, tags: &str) -> Json {
    let pair = |key: &str, value: &str| (key.to_owned(), Json::Text(value.to_owned()));
    Json::Object(vec![pair("branches", branches), pair("tags", tags)])
}

impl Mismatch {
    pub(super) fn here(fault: Fault) -> Self {
        Self { path: String::new(), fault }
    }

    fn wrong(words: &[&str]) -> Self {
        Self::here(Fault::Wrong(words.concat()))
    }

    /// The same as seen from outside: `step` is a key, or an index in brackets.
    fn under(mut self, step: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = [step, joint, &self.path].concat();
        self
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            f.write_str("at ")?;
            f.write_str(&self.path)?;
            f.write_str(": ")?;
        }
        f.write_str(match &self.fault {
            Fault::Missing => "it is missing",
            Fault::Unknown => "there is no such key",
            Fault::Bounds(bounds) => bounds,
            Fault::Wrong(what) => what,
        })
    }
}
