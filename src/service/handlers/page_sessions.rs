//! Sessions of the page. The operator opens an address with a code. The code works once, and expires after ten minutes. The
//! page exchanges it for a session: an API key with an expiry. So no address in the browser's history contains a key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use refsync_derive::Shape;
use serde::Deserialize;
use serde_json::json;

use crate::service::{
    auth::{self, NewApiKey},
    error::Error,
    host::Host,
    http::body,
    random::random,
    store,
};
use crate::{
    api::{ApiKey, ApiKeySecret, Verbatim},
    http::Body,
};

/// The path of the exchange. It needs only the code, and no other credential.
pub(crate) const PATH: &str = "/v1/sessions";

#[derive(Deserialize, Shape)]
#[serde(deny_unknown_fields)]
struct Exchange {
    code: String,
}

/// Makes a code for the page's address. It can be exchanged once, for a session of this organisation's admin. Only its hash
/// is stored.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such organisation, or the database's failure.
pub async fn create_code(host: &Host, org: &str) -> Result<String, Error> {
    let code = URL_SAFE_NO_PAD.encode(random::<32>());
    let hash = auth::hash(host, &code).await?;
    let params = json!({"hash": hash, "org": org, "expires_in_seconds": CODE_SECONDS});
    let row: Option<String> = store::row(host.database(), sql!("sql/page_code_add.sql"), params).await?;
    row.map(|_| code).ok_or_else(|| Error::NotFound(format!("there is no organisation {org}")))
}

/// Exchanges a code for a session.
pub(crate) async fn start(host: &Host, body: Body) -> Result<Verbatim<ApiKeySecret>, Error> {
    let Exchange { code } = body::read(body).await?;
    let NewApiKey { id, api_key } = NewApiKey::random();
    let params = json!({
        "code_hash": auth::hash(host, &code).await?,
        "key_id": id,
        "key_hash": auth::hash(host, &api_key).await?,
        "expires_in_seconds": SESSION_SECONDS,
    });
    let row: Option<Verbatim<ApiKey>> = store::row(host.database(), sql!("sql/page_session_start.sql"), params).await?;
    row.map(|key| key.with("api_key", api_key)).ok_or(Error::Unauthenticated(
        "this address was used already, or is older than ten minutes; restart refsync serve for a new one, or type an API key",
    ))
}

const CODE_SECONDS: u32 = 10 * 60;
/// The length of a working day.
const SESSION_SECONDS: u32 = 12 * 60 * 60;
