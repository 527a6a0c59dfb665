//! Cross-origin calls from browsers, for the origins that an operator allows (the Fetch standard, "CORS protocol").
//!
//! Credentials are in the `Authorization` header, never in cookies, so `Access-Control-Allow-Credentials` is not sent.

use crate::http::{Body, Headers, Method, Request, Response};

/// The request's origin, if it is one of these; `*` allows any.
pub(crate) fn allowed_origin(headers: &Headers, allowed: &[String]) -> Option<String> {
    let origin = headers.get("origin")?;
    allowed.iter().any(|one| one == "*" || one.eq_ignore_ascii_case(origin)).then(|| origin.to_owned())
}

/// The answer to a preflight; `None` if the request is not one.
pub(crate) fn preflight(request: &Request) -> Option<Response> {
    if request.method != Method::Options || request.headers.get("access-control-request-method").is_none() {
        return None;
    }
    let headers = [
        ("access-control-allow-methods", "GET, HEAD, POST, PATCH, DELETE"),
        ("access-control-allow-headers", "authorization, content-type, last-event-id, prefer"),
        ("access-control-max-age", "7200"),
    ];
    Some(Response { status: 204, url: String::new(), headers: Headers::from_iter(headers), body: Body::Empty })
}

/// Lets a page of this origin read the answer.
pub(crate) fn allow(response: &mut Response, origin: Option<String>) {
    response.headers.set("vary", "Origin");
    if let Some(origin) = origin {
        response.headers.set("access-control-allow-origin", origin);
        response.headers.set("access-control-expose-headers", "Retry-After, Preference-Applied");
    }
}
