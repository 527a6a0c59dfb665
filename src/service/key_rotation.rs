//! What a start does with the secret keys: it refuses a wrong one, and seals everything with the present one.

use serde::Deserialize;

use super::{Error, Service, secrets::Unreadable, store};

/// A stored secret.
#[derive(Deserialize)]
struct Sealed {
    /// Which column it is in.
    place: String,
    owner_id: String,
    sealed: String,
}

/// How many secrets there were.
#[derive(Default)]
struct Count {
    readable: usize,
    unreadable: usize,
    resealed: usize,
}

impl Service {
    /// Checks that the present key, or one of the others, is what the stored secrets are sealed with, and seals them with
    /// the present one where there are others.
    ///
    /// # Errors
    ///
    /// Where none of the keys is, unless its loss is accepted, or that the database failed.
    pub(super) async fn settle_keys(&self) -> Result<(), Error> {
        let check: Option<String> =
            store::row(self.database(), sql!("sql/secret_key_check_show.sql"), Vec::new()).await?;
        let verdict = match check.as_deref() {
            Some(check) => Some(self.secrets.reseal(check, CHECK).await),
            None => None,
        };
        let is_lost = matches!(verdict, Some(Err(Unreadable)));
        if is_lost && !self.options.accept_lost_key {
            return Err(Error::Internal(WRONG_KEY.into()));
        }
        if matches!(verdict, Some(Ok(None))) && !self.secrets.has_others() {
            return Ok(());
        }
        let count = self.reseal_all().await?;
        // A database from before there was a check.
        if verdict.is_none() && count.readable == 0 && count.unreadable > 0 && !self.options.accept_lost_key {
            return Err(Error::Internal(WRONG_KEY.into()));
        }
        if count.resealed + count.unreadable > 0 {
            let Count { resealed, unreadable, .. } = count;
            self.log(&format!(
                "secret key: {resealed} stored secrets were sealed anew, {unreadable} cannot be read and have to be set again"
            ));
        }
        if !matches!(verdict, Some(Ok(None))) {
            let sealed = self.secrets.seal(&CHECK, CHECK).await?;
            let sql = sql!("sql/secret_key_check_set.sql");
            store::row::<bool>(self.database(), sql, vec![Some(sealed)]).await?;
        }
        Ok(())
    }

    /// Seals every secret with the present key. One that is changed meanwhile is left as it then is.
    async fn reseal_all(&self) -> Result<Count, Error> {
        let mut count = Count::default();
        let secrets: Vec<Sealed> = store::rows(self.database(), sql!("sql/sealed_list.sql"), Vec::new()).await?;
        for Sealed { place, owner_id, sealed } in secrets {
            match self.secrets.reseal(&sealed, &owner_id).await {
                Ok(None) => count.readable += 1,
                Ok(Some(anew)) => {
                    count.readable += 1;
                    count.resealed += 1;
                    let params = [place, owner_id, sealed, anew].map(Some).to_vec();
                    store::rows::<bool>(self.database(), sql!("sql/sealed_replace.sql"), params).await?;
                }
                Err(Unreadable) => count.unreadable += 1,
            }
        }
        Ok(count)
    }
}

/// What the check holds, and whose it is.
const CHECK: &str = "secret-key-check";
const WRONG_KEY: &str = "the secret key is not the one that this database's secrets are sealed with: start with that one, or \
    with it in REFSYNC_PREVIOUS_SECRET_KEYS; where it is lost, --accept-lost-key";
