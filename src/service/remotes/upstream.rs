//! The upstream in a request: its URL is checked, and a credential inside the URL is moved out of it.

use crate::{
    api::UpstreamAuth,
    userinfo::{self, Userinfo},
};

/// A URL that may be stored and shown, and the credential that it contained.
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The URL without a credential.
    pub url: String,
    /// The credential that was in the URL: `user:password@`, or a token as `token@`, which is a user name without a password.
    pub auth: Option<UpstreamAuth>,
}

/// Checks an upstream's URL.
///
/// # Errors
///
/// Why the URL is refused and what to write instead, without quoting a credential.
pub fn parse(url: &str) -> Result<Parsed, String> {
    if url.len() > MAX_URL {
        return Err(format!("has more than {MAX_URL} bytes"));
    }
    if !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains('\\') {
        return Err("has a character that a URL cannot have; percent-encode it, and write a host as xn--…".into());
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(
            "must be an http or https URL, such as https://host/owner/repository.git; SSH is not supported".into()
        );
    };
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err("must be an http or https URL; SSH, git:// and files cannot be reached from here".into());
    }
    if rest.contains(['?', '#']) {
        return Err("must have neither a query nor a fragment".into());
    }
    let (plain, userinfo) = userinfo::split(&format!("{scheme}://{rest}"));
    let host = plain[scheme.len() + 3..].split('/').next().unwrap_or_default();
    check_host(host)?;
    let auth = userinfo.map(credential).transpose()?;
    Ok(Parsed { url: plain, auth })
}

fn check_host(host: &str) -> Result<(), String> {
    let (name, port) = match host.strip_prefix('[') {
        Some(v6) => v6.split_once(']').ok_or("has an IPv6 address without a closing ]")?,
        None => host.find(':').map_or((host, ""), |colon| host.split_at(colon)),
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err("needs a host name or address behind ://".into());
    }
    let valid = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    if valid { Ok(()) } else { Err("has a port that is not a number from 1 to 65535".into()) }
}

fn credential(Userinfo { username, password }: Userinfo) -> Result<UpstreamAuth, String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| "has a credential that is not UTF-8");
    let is_alone = password.is_none();
    let auth =
        UpstreamAuth::UsernamePassword { username: text(username)?, password: text(password.unwrap_or_default())? };
    match refusal(&auth) {
        // A user name without a password may be a token.
        Some(("password", _)) if is_alone => Ok(auth),
        Some(_) => Err("has an empty or unusable credential before @; use upstream.auth instead".into()),
        None => Ok(auth),
    }
}

/// Combines a given credential with that of the URL; `None` if both are complete. A user name in the URL is used with a
/// given token.
pub fn join(in_url: &UpstreamAuth, given: &UpstreamAuth) -> Option<UpstreamAuth> {
    match (in_url, given) {
        (
            UpstreamAuth::UsernamePassword { username, password },
            UpstreamAuth::Token { token, token_username: None },
        ) if password.is_empty() => {
            Some(UpstreamAuth::Token { token: token.clone(), token_username: Some(username.clone()) })
        }
        _ => None,
    }
}

/// Why HTTP Basic authentication cannot carry this credential, as a field below `auth` and the reason.
pub fn refusal(auth: &UpstreamAuth) -> Option<(&'static str, &'static str)> {
    let (username, password) = auth.basic();
    let (username_field, password_field) = match auth {
        UpstreamAuth::Token { .. } => ("token_username", "token"),
        UpstreamAuth::UsernamePassword { .. } => ("username", "password"),
    };
    if username.contains(':') {
        return Some((username_field, "must not have a colon, which HTTP Basic authentication cannot carry"));
    }
    for (field, value) in [(username_field, username), (password_field, password)] {
        if value.chars().any(char::is_control) {
            return Some((field, "must not have control characters, such as a line's end"));
        }
        if value.len() > MAX_SECRET {
            return Some((field, "has more than 16384 bytes"));
        }
    }
    password.is_empty().then_some((password_field, "must not be empty; send auth: null for a public upstream"))
}

const MAX_URL: usize = 2048;
const MAX_SECRET: usize = 16_384;
