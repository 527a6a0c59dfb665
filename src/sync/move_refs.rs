//! Moves refs of one remote to objects that it has already.

use futures_util::{StreamExt, stream};

use super::policy::Move;
use crate::git::{self, Command, PushOptions, Remote, empty_pack};

/// Moves the refs, all or none. Returns the remote's reason if it refuses.
///
/// # Errors
///
/// If the remote cannot be reached, or if it cannot move all refs or none.
pub async fn move_refs(remote: &Remote, moves: &[Move]) -> Result<Option<String>, git::Error> {
    let receive = remote.receive_pack().await?;
    let null = receive.object_format.null();
    let command = |wanted: &Move| Command {
        name: wanted.name.clone(),
        old: Some(wanted.from).filter(|old| *old != null),
        new: wanted.to,
    };
    let commands: Vec<Command> = moves.iter().map(command).collect();
    let options = PushOptions { atomic: commands.len() > 1, ..PushOptions::default() };
    let pack = stream::iter([Ok(empty_pack(receive.object_format))]).boxed_local();
    let report = receive.push(&commands, &options, pack).await?;
    Ok(report.unpack_error.or_else(|| report.refs.into_values().flatten().next()))
}
