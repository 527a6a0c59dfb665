//! Why a `fetch` failed.

use wasm_bindgen::JsValue;

use super::message::message;
use crate::{
    http::{Error, ErrorKind},
    wasm::object::get,
};

/// The message of a rejected `fetch`: its own, and that of its `cause`, because Node puts the details there.
pub(crate) fn failure(error: &JsValue) -> Error {
    let text = |value: &JsValue, key: &str| get(value, key).as_string();
    let cause = get(error, "cause");
    let code = text(error, "code").or_else(|| text(&cause, "code"));
    let message = message(error);
    let message = match text(&cause, "message").filter(|c| !c.is_empty() && !message.contains(c.as_str())) {
        Some(cause) => format!("{message}: {cause}"),
        None => message,
    };
    let kind = match (text(error, "name").as_deref(), code.as_deref()) {
        (_, Some("ADDRESS_NOT_ALLOWED")) => ErrorKind::AddressNotAllowed,
        (Some("AbortError"), _) => ErrorKind::Aborted,
        (Some("TimeoutError"), _) | (_, Some("ETIMEDOUT")) => ErrorKind::Timeout,
        (_, Some("ERR_INVALID_URL")) => ErrorKind::Invalid,
        (_, Some("ERR_BODY_TOO_LARGE")) => ErrorKind::TooLarge,
        _ if is_redirect(&message) => ErrorKind::Redirected,
        _ => ErrorKind::Network,
    };
    Error::new(kind, message)
}

/// Whether a request failed because of a redirect that it does not follow. No runtime has a code for it, so this looks for
/// the messages of Node, Deno, Bun and this package.
fn is_redirect(message: &str) -> bool {
    ["unexpected redirect", "redirect count", "redirect mode is", "UnexpectedRedirect", "redirected to"]
        .iter()
        .any(|words| message.contains(words))
}
