//! Builds the API's URLs: a base, path segments and a query, percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The API's base address, which ends in `/v1`. The input may end in `/v1` or not.
///
/// # Errors
///
/// Why `address` cannot be a base address.
pub fn base(text: &str) -> Result<String, &'static str> {
    let text = text.trim().trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.filter(|rest| !rest.is_empty()).ok_or("has to start with https:// or http://")?;
    if rest.contains(['?', '#']) {
        return Err("has to be without a query and a fragment");
    }
    if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
        return Err("has to be without credentials; pass the API key as apiKey");
    }
    Ok(if text.ends_with("/v1") { text.to_owned() } else { format!("{text}/v1") })
}

/// Checks that `segment` can be a path segment.
///
/// # Errors
///
/// If it is empty, or if it is `.` or `..`. Every URL parser treats those as steps, even if they are encoded.
pub fn check_segment(segment: &str) -> Result<(), &'static str> {
    match segment {
        "" => Err("is missing or empty"),
        "." | ".." => Err("is . or .., which cannot be a name"),
        _ => Ok(()),
    }
}

/// The URL below `base` with these path segments and this query.
pub fn join(base: &str, segments: &[&str], query: &[(&str, String)]) -> String {
    let mut url = base.to_owned();
    for segment in segments {
        url.push('/');
        url.extend(utf8_percent_encode(segment, ENCODED));
    }
    for (at, (key, value)) in query.iter().enumerate() {
        url.push(if at == 0 { '?' } else { '&' });
        url.push_str(key);
        url.push('=');
        url.extend(utf8_percent_encode(value, ENCODED));
    }
    url
}
