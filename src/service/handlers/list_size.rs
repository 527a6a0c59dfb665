//! The size limit of a list's answer. The stats of a run can have many megabytes, so a list contains only stats that fit
//! into 8 MB together. The other runs have `stats: null`, and `counts` as always.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;

use crate::api::{SyncRun, SyncRunStats};
use crate::service::{error::Error, host::Host, store};

/// The most bytes of the items of a list, without stats.
pub(crate) const MAX_ITEMS_BYTES: usize = 7_000_000;
/// The most bytes of a list. The rest of the 8 MB is for the page's own fields, and for fields that the database does not
/// write.
pub(crate) const MAX_BYTES: usize = 7_900_000;

/// Which of these stats, given by their sizes, fit into `left` bytes. If one does not fit, later ones may still fit.
pub fn fitting(sizes: impl IntoIterator<Item = usize>, mut left: usize) -> Vec<bool> {
    let fits = |bytes| match usize::checked_sub(left, bytes) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    sizes.into_iter().map(fits).collect()
}

/// Adds stats to these runs, as far as they fit into `left` bytes. Each run comes with the size of its stats.
pub(crate) async fn put_stats(host: &Host, runs: Vec<(usize, &mut SyncRun)>, left: usize) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Found {
        id: String,
        stats: SyncRunStats,
    }
    let fits = fitting(runs.iter().map(|(bytes, _)| *bytes), left);
    let fit = runs.into_iter().zip(fits).filter(|(_, fits)| *fits);
    let mut runs: HashMap<String, &mut SyncRun> = fit.map(|((_, run), _)| (run.id.clone(), run)).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let params = json!({"ids": runs.keys().collect::<Vec<_>>()});
    let found: Vec<Found> = store::rows(host.database(), sql!("sql/stats_show.sql"), params).await?;
    for Found { id, stats } in found {
        if let Some(run) = runs.get_mut(&id) {
            run.stats = Some(stats);
        }
    }
    Ok(())
}
