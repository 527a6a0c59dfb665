//! Calls of whoever holds the data folder, which need no credential: organisations, and every call of the API as an organisation's
//! admin. They come over a socket that only the operator can open, never over the network.

use serde::{Deserialize, Serialize};

use crate::service::{Caller, Error, Scope, Service, error::json, http::body, names, store};
use crate::{
    http::{Body, Method, Response},
    model::{Organization, WhoamiOrg},
};

/// The path of the organisations.
pub(crate) const ORGS: &str = "/operator/orgs";

/// What the operator's calls are counted by.
const OPERATOR: &str = "operator";

#[derive(Serialize)]
struct Organizations {
    orgs: Vec<Organization>,
}

#[derive(Deserialize)]
struct CreateOrganization {
    slug: String,
    name: Option<String>,
}

impl Service {
    /// The operator as the admin of the organisation that a path names, by slug or id.
    pub(crate) async fn operator(&self, org: &str) -> Result<Caller, Error> {
        let row = store::row(self.database(), sql!("sql/organization_find.sql"), vec![Some(org.to_owned())]).await?;
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

    /// Lists the organisations, or makes one.
    pub(crate) async fn organizations(&self, method: Method, body: Body) -> Result<Response, Error> {
        match method {
            Method::Get => {
                let orgs = store::rows(self.database(), sql!("sql/organization_list.sql"), Vec::new()).await?;
                Ok(json(200, &Organizations { orgs }))
            }
            Method::Post => {
                let CreateOrganization { slug, name } = body::read_strictly(body, &["slug", "name"]).await?;
                Ok(json(201, &self.create_organization(&slug, name).await?))
            }
            _ => Err(Error::NotFound(format!("there is no call {} {ORGS}", method.as_str()))),
        }
    }

    async fn create_organization(&self, slug: &str, name: Option<String>) -> Result<Organization, Error> {
        if let Some(refusal) = names::org_refusal(slug) {
            return Err(Error::field("slug", refusal));
        }
        if let Some(refusal) = name.as_deref().and_then(crate::service::handlers::webhook_targets::name_refusal) {
            return Err(Error::field("name", refusal));
        }
        let slug = slug.to_ascii_lowercase();
        let params = vec![Some(slug.clone()), name];
        let row = store::row(self.database(), sql!("sql/organization_add.sql"), params).await?;
        row.ok_or_else(|| Error::Conflict(format!("there is an organisation {slug} already")))
    }
}
