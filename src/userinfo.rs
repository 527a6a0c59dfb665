//! The user name and the password in a URL ([RFC 3986, section 3.2.1]).
//!
//! ```
//! let (url, userinfo) = refsync::userinfo::split("https://me:p%40ss@git.example.com/r.git");
//! assert_eq!(url, "https://git.example.com/r.git");
//! assert_eq!(userinfo.unwrap().password.unwrap(), b"p@ss");
//! ```
//!
//! [RFC 3986, section 3.2.1]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1

use percent_encoding::percent_decode_str;

/// The part before the `@`, percent-decoded once. The bytes need not be UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub struct Userinfo {
    /// The user name. If it stands alone, it may also be a token: `https://TOKEN@host/…`.
    pub username: Vec<u8>,
    /// The password; `None` if there is no colon.
    pub password: Option<Vec<u8>>,
}

/// Splits the credentials off a URL.
pub fn split(url: &str) -> (String, Option<Userinfo>) {
    let (start, end) = authority(url);
    let Some((userinfo, host)) = url[start..end].rsplit_once('@') else { return (url.to_owned(), None) };
    let decode = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let (username, password) = match userinfo.split_once(':') {
        Some((username, password)) => (username, Some(decode(password))),
        None => (userinfo, None),
    };
    let is_empty = username.is_empty() && password.is_none();
    let userinfo = (!is_empty).then(|| Userinfo { username: decode(username), password });
    (format!("{}{host}{}", &url[..start], &url[end..]), userinfo)
}

/// The start and end of a URL's authority: the credentials, the host and the port.
pub fn authority(url: &str) -> (usize, usize) {
    let start = url.find("://").map_or(0, |at| at + 3);
    // Browsers treat a backslash as a slash.
    let end = url[start..].find(['/', '?', '#', '\\']).map_or(url.len(), |at| start + at);
    (start, end)
}
