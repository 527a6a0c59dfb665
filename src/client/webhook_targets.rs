//! Webhook targets: where an organisation's events are sent.

use super::{
    Client, Error, ListWebhookTargetsRequest, OrgPath, WebhookTargetPath,
    operate::arguments,
    operations::{
        CREATE_WEBHOOK_TARGET, DELETE_WEBHOOK_TARGET, GET_WEBHOOK_TARGET, LIST_WEBHOOK_TARGETS, ROTATE_WEBHOOK_SECRET,
        UPDATE_WEBHOOK_TARGET,
    },
    repos::both,
};
use crate::api::{
    CreateWebhookTargetRequest, DeleteResult, UpdateWebhookTargetRequest, WebhookTarget, WebhookTargetPage,
    WebhookTargetSecret,
};

/// The calls below `/{org}/webhook-targets`; each needs a credential of the scope admin.
pub struct WebhookTargets<'c> {
    pub(super) client: &'c Client,
}

impl WebhookTargets<'_> {
    /// Makes a target; its secret is in this answer only. It is not repeated when its answer is lost.
    ///
    /// # Errors
    ///
    /// Also [`Error::Conflict`] where the organisation has as many as it may.
    pub async fn create(
        &self,
        path: &OrgPath,
        request: &CreateWebhookTargetRequest,
    ) -> Result<WebhookTargetSecret, Error> {
        let request = both(arguments(path), arguments(request));
        Ok(self.client.operate(&CREATE_WEBHOOK_TARGET, request).await?.decode())
    }

    /// One target.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn get(&self, path: &WebhookTargetPath) -> Result<WebhookTarget, Error> {
        Ok(self.client.operate(&GET_WEBHOOK_TARGET, arguments(path)).await?.decode())
    }

    /// One page of an organisation's targets, newest first.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], for the organisation.
    pub async fn list(&self, request: &ListWebhookTargetsRequest) -> Result<WebhookTargetPage, Error> {
        Ok(self.client.operate(&LIST_WEBHOOK_TARGETS, arguments(request)).await?.decode())
    }

    /// Changes a target; what the request leaves out stays.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn update(
        &self,
        path: &WebhookTargetPath,
        request: &UpdateWebhookTargetRequest,
    ) -> Result<WebhookTarget, Error> {
        let request = both(arguments(path), arguments(request));
        Ok(self.client.operate(&UPDATE_WEBHOOK_TARGET, request).await?.decode())
    }

    /// Deletes a target; nothing more is sent to it.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn delete(&self, path: &WebhookTargetPath) -> Result<DeleteResult, Error> {
        Ok(self.client.operate(&DELETE_WEBHOOK_TARGET, arguments(path)).await?.decode())
    }

    /// Gives a target a new secret, which is in this answer only; the one before it is good for another day. It is not
    /// repeated when its answer is lost.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn rotate_secret(&self, path: &WebhookTargetPath) -> Result<WebhookTargetSecret, Error> {
        Ok(self.client.operate(&ROTATE_WEBHOOK_SECRET, arguments(path)).await?.decode())
    }
}
