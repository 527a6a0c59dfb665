//! How large the answer of a list may become. The stats of a run can have many megabytes: a list takes those of as many runs,
//! from the first on, as fit into 8 MB. The others have `stats: null`, and `counts` as always.

use std::collections::HashMap;

use serde::Deserialize;

use crate::api::{SyncRun, SyncRunStats};
use crate::service::{error::Error, host::Host, store};

/// The most bytes of the items of a list, without stats.
pub(crate) const MAX_ITEMS_BYTES: usize = 7_000_000;
/// The most bytes of a list. What is left is for the page's own fields, and for those that the database does not write.
pub(crate) const MAX_BYTES: usize = 7_900_000;

/// Which of these stats, by their bytes, fit into `left` bytes. One that does not fit keeps out none of those behind it.
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

/// Puts the stats of runs, whose bytes are given with them, into those for which they fit into `left` bytes.
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
    let ids = serde_json::to_string(&runs.keys().collect::<Vec<_>>()).expect("ids are JSON");
    let found: Vec<Found> = store::rows(host.database(), sql!("sql/stats_show.sql"), vec![Some(ids)]).await?;
    for Found { id, stats } in found {
        if let Some(run) = runs.get_mut(&id) {
            run.stats = Some(stats);
        }
    }
    Ok(())
}
