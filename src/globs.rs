//! Several globs of one kind: a name matches if one of them matches.
//!
//! ```
//! use refsync::globs::Globs;
//! let globs: Globs = ["main", "release/*"].into_iter().map(|glob| glob.parse().unwrap()).collect();
//! assert!(globs.matches("release/1") && globs.matches("main"));
//! assert!(!globs.matches("mainly"));
//! assert_eq!(globs.literal_prefixes(), ["main", "release/"]);
//! ```

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

use crate::glob::Glob;

/// Any number of globs. An empty list matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globs(Vec<Glob>);

impl Globs {
    /// Whether one of the globs matches the whole `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|glob| glob.matches(name))
    }

    /// Prefixes of matching names: every matching name starts with one of them. A server can use them to narrow its answer.
    /// A prefix that starts with another prefix is left out.
    pub fn literal_prefixes(&self) -> Vec<String> {
        let mut prefixes: Vec<String> = Vec::new();
        for prefix in self.0.iter().filter(|glob| !glob.is_none()).map(Glob::literal_prefix) {
            if !prefixes.iter().any(|kept| prefix.starts_with(kept.as_str())) {
                prefixes.retain(|kept| !kept.starts_with(&prefix));
                prefixes.push(prefix);
            }
        }
        prefixes
    }

    /// The globs that match none of `names`, as they were written. The empty glob is left out, because it matches nothing
    /// on purpose.
    pub fn unmatched<N: AsRef<str>>(&self, names: impl Iterator<Item = N> + Clone) -> Vec<String> {
        let matches_none = |glob: &&Glob| !glob.is_none() && !names.clone().any(|name| glob.matches(name.as_ref()));
        self.0.iter().filter(matches_none).map(Glob::to_string).collect()
    }
}

impl From<Glob> for Globs {
    fn from(glob: Glob) -> Self {
        Self(vec![glob])
    }
}

impl FromIterator<Glob> for Globs {
    fn from_iter<I: IntoIterator<Item = Glob>>(globs: I) -> Self {
        Self(globs.into_iter().collect())
    }
}

/// Deserialises one glob, or a list of globs.
impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Globs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Globs, E> {
                text.parse::<Glob>().map(Globs::from).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Globs, A::Error> {
                let mut globs = Vec::new();
                while let Some(glob) = list.next_element()? {
                    globs.push(glob);
                }
                Ok(Globs(globs))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}
