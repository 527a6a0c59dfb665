//! What a server that wants credentials offers: the header `WWW-Authenticate` ([RFC 9110, section 11.6.1]).
//!
//! [RFC 9110, section 11.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1

/// The scheme and the realm in the values of `WWW-Authenticate`. If there are several challenges, `Basic` is used, because
/// we support only that; else the first one.
pub(super) fn scheme_and_realm(header: &str) -> (String, Option<String>) {
    let header = header.trim();
    let challenge = basic_challenge(header).unwrap_or(header);
    let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
    let at = parameters.to_ascii_lowercase().find("realm=");
    let realm = at.map(|at| &parameters[at + "realm=".len()..]).map(|value| match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => value.split([',', ' ']).next().unwrap_or_default(),
    });
    (scheme.trim_end_matches(',').to_owned(), realm.map(str::to_owned))
}

/// The text from the `Basic` challenge to the end.
fn basic_challenge(header: &str) -> Option<&str> {
    let starts = std::iter::once(0).chain(header.match_indices(',').map(|(at, _)| at + 1));
    starts.map(|at| header[at..].trim_start()).find(|rest| {
        rest.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
            && rest[5..].chars().next().is_none_or(|next| next == ' ' || next == ',')
    })
}

/// Whether a server that wants credentials accepts a user name and a password: it offers `Basic`, or it names no scheme.
pub(super) fn offers_basic(header: &str) -> bool {
    header.trim().is_empty() || basic_challenge(header.trim()).is_some()
}
