//! A server's capabilities (`gitprotocol-capabilities`, and `gitprotocol-v2` "Capability Advertisement").

use gix_hash::Kind;

/// The capabilities of a server: names, some with a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<(String, Option<String>)>);

impl Capabilities {
    /// Reads the list after the NUL of a v0 or v1 advertisement's first line; spaces separate its items.
    pub fn from_list(list: &[u8]) -> Self {
        let list = String::from_utf8_lossy(list);
        list.split(' ').filter(|word| !word.is_empty()).map(String::from).collect()
    }

    /// Whether it is there, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// The first of these names that the server has.
    pub(in crate::git) fn first_of<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// Its first value.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, value)| n == name && value.is_some()).and_then(|(_, value)| value.as_deref())
    }

    /// All its values; `symref` may come several times.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).filter_map(|(_, value)| value.as_deref())
    }

    /// Whether a v0 server can leave out trees and blobs and nothing else. Dulwich leaves out commits too; it names no
    /// agent.
    pub fn has_sound_filter(&self) -> bool {
        self.has("filter") && self.has("agent")
    }

    /// Whether a v2 command has this feature, such as `filter` for `fetch`.
    pub fn has_feature(&self, command: &str, feature: &str) -> bool {
        self.values(command).any(|features| features.split(' ').any(|f| f == feature))
    }

    /// The object format; SHA-1 if the server names none. `Err` holds the name of an unknown format.
    ///
    /// # Errors
    ///
    /// A format other than `sha1` and `sha256`.
    pub fn object_format(&self) -> Result<Kind, String> {
        match self.value("object-format") {
            None | Some("sha1") => Ok(Kind::Sha1),
            Some("sha256") => Ok(Kind::Sha256),
            Some(other) => Err(other.to_owned()),
        }
    }
}

/// What we call ourselves in the capability `agent`.
pub(in crate::git) const AGENT: &str = concat!("refsync/", env!("CARGO_PKG_VERSION"));

impl FromIterator<String> for Capabilities {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        let parts = words.into_iter().map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        });
        Self(parts.collect())
    }
}
