//! The caller and its organisation.

use serde_json::json;

use crate::api::{Organization, Verbatim, Whoami};
use crate::service::{error::Error, host::Host, http::call::Incoming, store};

pub(crate) fn whoami(call: &Incoming<'_>) -> Whoami {
    let caller = &call.caller;
    Whoami {
        org: caller.org.clone(),
        key_id: caller.key_id.clone(),
        scopes: caller.scope.included().map(|scope| scope.as_str().to_owned()).collect(),
    }
}

pub(crate) async fn show(host: &Host, call: &Incoming<'_>) -> Result<Verbatim<Organization>, Error> {
    let params = json!({"org_id": call.caller.org.id});
    let row = store::row(host.database(), sql!("sql/organization_show.sql"), params).await?;
    row.ok_or_else(|| Error::NotFound(format!("there is no organisation {}", call.caller.org.slug)))
}
