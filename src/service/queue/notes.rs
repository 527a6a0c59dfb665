//! The service's own messages for a run, about globs that match nothing.

use crate::{
    api::{Direction, MessageSide, RefGlobs, SyncRunMessage, SyncRunStats},
    glob::Glob,
};

/// A message from the service itself.
pub(crate) fn note(text: String) -> SyncRunMessage {
    SyncRunMessage { side: MessageSide::Refsync, text }
}

/// One note for each glob that matches no ref of the source. If both globs are `*`, one note if the source has no ref at
/// all.
pub fn unmatched(direction: Direction, globs: &RefGlobs, stats: &SyncRunStats) -> Vec<SyncRunMessage> {
    let source = match direction {
        Direction::Pull => "the upstream",
        Direction::Push => "the repository",
    };
    // Every ref of the source that matches is in the stats.
    let kinds = [("branch", "refs/heads/", &globs.branches), ("tag", "refs/tags/", &globs.tags)];
    let is_unmatched = |namespace: &str| !stats.refs.iter().any(|r| r.name.starts_with(namespace));
    let about = |(kind, namespace, glob): &(&str, &str, &Glob)| {
        let is_mistaken = !glob.is_none() && glob.as_str() != "*" && is_unmatched(namespace);
        is_mistaken
            .then(|| note(format!("No {kind} of {source} matches the glob {glob}.{}", hint(kind, glob.as_str()))))
    };
    let mut notes: Vec<SyncRunMessage> = kinds.iter().filter_map(about).collect();
    if notes.is_empty() && stats.refs.is_empty() {
        notes.push(note(match (globs.branches.is_none(), globs.tags.is_none()) {
            (true, true) => "Both globs are empty, and match no ref.".to_owned(),
            (false, true) => format!("There is no branch at {source}."),
            (true, false) => format!("There is no tag at {source}."),
            (false, false) => format!("There is no branch and no tag at {source}."),
        }));
    }
    notes
}

/// The glob that the user probably meant, if it starts with `refs/`.
fn hint(kind: &str, glob: &str) -> String {
    if !glob.starts_with("refs/") {
        return String::new();
    }
    let rule = " Globs match short names, without refs/heads/ and refs/tags/";
    match glob
        .strip_prefix("refs/heads/")
        .map(|short| ("branch", short))
        .or_else(|| Some(("tag", glob.strip_prefix("refs/tags/")?)))
    {
        Some((meant, short)) if meant == kind => format!("{rule}: did you mean {short}?"),
        Some((meant, short)) => format!("{rule}: did you mean the {meant} glob {short}?"),
        None => format!("{rule}."),
    }
}
