//! Calls of the operator, who owns the data folder and needs no credential: organisations, and every call of the API as an
//! organisation's admin. They come over a socket that only the operator can open, never over the network.

use refsync_derive::Shape;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::service::{
    auth::{Caller, Scope},
    error::{Error, json},
    host::Host,
    http::body,
    names, store,
};
use crate::{
    api::{Organization, Verbatim, WhoamiOrg},
    http::{Body, Method, Response},
};

/// The path of the organisations.
pub(crate) const ORGS: &str = "/operator/orgs";

/// The id under which the operator's calls are counted.
const OPERATOR: &str = "operator";

#[derive(Serialize)]
struct Organizations {
    orgs: Vec<Verbatim<Organization>>,
}

#[derive(Deserialize, Shape)]
#[serde(deny_unknown_fields)]
struct CreateOrganization {
    slug: String,
    name: Option<String>,
}

/// The operator as the admin of the organisation that a path names, by slug or id.
pub(crate) async fn caller(host: &Host, org: &str) -> Result<Caller, Error> {
    let row = store::row(host.database(), sql!("sql/organization_find.sql"), json!({"org": org})).await?;
    let no_such_org = || Error::NotFound(format!("there is no organisation {}", org.escape_default()));
    let org: WhoamiOrg = row.ok_or_else(no_such_org)?;
    Ok(Caller {
        key_id: None,
        public_key_id: None,
        org,
        scope: Scope::Admin,
        access: None,
        only_repo_id: None,
        credential: OPERATOR.into(),
    })
}

/// Lists the organisations, or makes a new one.
pub(crate) async fn organizations(host: &Host, method: Method, body: Body) -> Result<Response, Error> {
    match method {
        Method::Get => {
            let orgs = store::rows(host.database(), sql!("sql/organization_list.sql"), ()).await?;
            Ok(json(200, &Organizations { orgs }))
        }
        Method::Post => {
            let CreateOrganization { slug, name } = body::read(body).await?;
            Ok(json(201, &create_organization(host, &slug, name).await?))
        }
        _ => Err(Error::NotFound(format!("there is no call {} {ORGS}", method.as_str()))),
    }
}

async fn create_organization(host: &Host, slug: &str, name: Option<String>) -> Result<Verbatim<Organization>, Error> {
    if let Some(refusal) = names::org_refusal(slug) {
        return Err(Error::field("slug", refusal));
    }
    if let Some(refusal) = name.as_deref().and_then(names::name_refusal) {
        return Err(Error::field("name", refusal));
    }
    let slug = slug.to_ascii_lowercase();
    let params = json!({"slug": slug, "name": name});
    let row = store::row(host.database(), sql!("sql/organization_add.sql"), params).await?;
    row.ok_or_else(|| Error::Conflict(format!("there is an organisation {slug} already")))
}

/// Makes an organisation if it does not exist. A `name` renames it.
///
/// # Errors
///
/// [`Error::Invalid`] if the slug is not allowed, or the database's failure.
pub async fn ensure_organization(host: &Host, slug: &str, name: Option<&str>) -> Result<(), Error> {
    if let Some(refusal) = names::org_refusal(slug) {
        return Err(Error::field("slug", refusal));
    }
    let params = json!({"slug": slug.to_ascii_lowercase(), "name": name});
    let sql = sql!("sql/organization_ensure.sql");
    store::row::<WhoamiOrg>(host.database(), sql, params).await?;
    Ok(())
}
