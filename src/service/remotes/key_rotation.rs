//! Prepares the stored secrets at each start. It refuses a wrong key, encrypts everything with the current key, and binds
//! credentials of an earlier version to their servers.
//!
//! The first start of a version that binds credentials binds each unbound one (`v1`) to the server of the URL in its row.
//! After that, `v1` credentials are refused, so nobody can put an old one into another row. The sealed check stores the
//! progress of this.

use serde::Deserialize;
use serde_json::json;

use crate::service::{
    error::Error,
    host::Host,
    remotes,
    secrets::{Owner, Unreadable, is_unbound},
    store,
};

/// A stored secret.
#[derive(Deserialize)]
struct SealedRow {
    /// The column of the secret.
    place: String,
    owner_id: String,
    /// The server of a remote's credential; `None` for secrets that are not sent.
    url: Option<String>,
    sealed: String,
}

/// The state of the binding of credentials to their servers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// An earlier version wrote the check.
    Unbound,
    /// A start has begun to bind them.
    Binding,
    /// All are bound.
    Bound,
}

/// The content of the stored check.
enum Check {
    /// There is no check: the database is new, or a version without checks made it.
    Missing,
    /// No key can open it.
    Unreadable,
    Readable {
        stage: Stage,
        /// Whether it is sealed with the present key.
        is_present: bool,
    },
}

/// The decision about the stored secrets.
#[derive(Default)]
struct Settled {
    readable: usize,
    unreadable: usize,
    /// Each secret with its new text.
    changed: Vec<(SealedRow, String)>,
}

/// Checks that the stored secrets are sealed with the present key or one of the others. Seals them with the present key,
/// bound to their servers.
///
/// # Errors
///
/// If no key can open them, unless the loss of the key is accepted, or if the database failed.
pub(crate) async fn run(host: &Host) -> Result<(), Error> {
    let check = check(host).await?;
    let is_lost_key_accepted = host.options.accept_lost_key;
    if matches!(check, Check::Unreadable) && !is_lost_key_accepted {
        return Err(Error::Internal(WRONG_KEY.into()));
    }
    let is_settled = matches!(check, Check::Readable { stage: Stage::Bound, is_present: true });
    if is_settled && !host.secrets.has_others() {
        return Ok(());
    }
    let stored: Vec<SealedRow> = store::rows(host.database(), sql!("sql/sealed_list.sql"), ()).await?;
    let may_bind = match check {
        Check::Readable { stage: Stage::Bound, .. } => false,
        Check::Readable { stage: Stage::Binding, .. } => true,
        // If a credential is bound already, somebody has restored an old check.
        _ => stored.iter().all(|secret| secret.url.is_none() || is_unbound(&secret.sealed)),
    };
    let Settled { readable, unreadable, changed } = settled(host, stored, may_bind).await;
    if matches!(check, Check::Missing) && readable == 0 && unreadable > 0 && !is_lost_key_accepted {
        return Err(Error::Internal(WRONG_KEY.into()));
    }
    if changed.len() + unreadable > 0 {
        let resealed = changed.len();
        host.log(&format!(
            "secret key: {resealed} stored secrets were encrypted again, {unreadable} cannot be read and have to be set again"
        ));
    }
    if may_bind && !changed.is_empty() {
        set_check(host, Stage::Binding).await?;
    }
    for (SealedRow { place, owner_id, sealed, .. }, anew) in changed {
        // Skips a secret that was set meanwhile.
        let params = json!({"place": place, "owner_id": owner_id, "sealed": sealed, "sealed_anew": anew});
        store::rows::<bool>(host.database(), sql!("sql/sealed_replace.sql"), params).await?;
    }
    if !is_settled {
        set_check(host, Stage::Bound).await?;
    }
    Ok(())
}

/// The new texts of the secrets.
async fn settled(host: &Host, stored: Vec<SealedRow>, may_bind: bool) -> Settled {
    let mut settled = Settled::default();
    for secret in stored {
        let server = secret.url.as_deref().map(|url| remotes::server_of(host, url));
        let owner = match &server {
            Some(server) => Owner::remote(&secret.owner_id, server),
            None => Owner::target(&secret.owner_id),
        };
        let anew = if may_bind && server.is_some() && is_unbound(&secret.sealed) {
            host.secrets.bind(&secret.sealed, owner).await.map(Some)
        } else {
            host.secrets.reseal(&secret.sealed, owner).await
        };
        match anew {
            Ok(anew) => {
                settled.readable += 1;
                settled.changed.extend(anew.map(|anew| (secret, anew)));
            }
            Err(Unreadable) => settled.unreadable += 1,
        }
    }
    settled
}

async fn check(host: &Host) -> Result<Check, Error> {
    let sql = sql!("sql/secret_key_check_show.sql");
    let Some(sealed) = store::row::<String>(host.database(), sql, ()).await? else {
        return Ok(Check::Missing);
    };
    for stage in [Stage::Bound, Stage::Binding, Stage::Unbound] {
        if let Ok(anew) = host.secrets.reseal(&sealed, Owner::target(stage.word())).await {
            return Ok(Check::Readable { stage, is_present: anew.is_none() });
        }
    }
    Ok(Check::Unreadable)
}

async fn set_check(host: &Host, stage: Stage) -> Result<(), Error> {
    let sealed = host.secrets.seal(&stage.word(), Owner::target(stage.word())).await?;
    store::row::<bool>(host.database(), sql!("sql/secret_key_check_set.sql"), json!({"sealed": sealed})).await?;
    Ok(())
}

impl Stage {
    /// The content of the check, and the owner that it is sealed for.
    fn word(self) -> &'static str {
        match self {
            Self::Unbound => "secret-key-check",
            Self::Binding => "secret-key-check/binding",
            Self::Bound => "secret-key-check/bound",
        }
    }
}

const WRONG_KEY: &str = "the secret key is not the one that encrypted this database's secrets: start with that one, or \
    with it in REFSYNC_PREVIOUS_SECRET_KEYS; where it is lost, --accept-lost-key";
