//! Why a sync failed.

use gix_hash::Kind;

use crate::git;

/// Why a sync failed, and on which side.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The side that refs come from.
    #[error("source: {0}")]
    Source(#[source] git::Error),
    /// The side that refs go to.
    #[error("destination: {0}")]
    Destination(#[source] git::Error),
    /// One side names its objects by SHA-1 and the other by SHA-256.
    #[error(
        "the source's object format is {source_format} and the destination's is {destination_format}: objects cannot travel between them"
    )]
    ObjectFormat {
        /// The source's.
        source_format: Kind,
        /// The destination's.
        destination_format: Kind,
    },
    /// More refs would be deleted than the policy allows.
    #[error(
        "{count} refs would be deleted at the destination, and at most {limit} may be: nothing was done; allow more, or narrow the globs"
    )]
    TooManyDeletions {
        /// How many refs would be deleted.
        count: usize,
        /// How many may be deleted.
        limit: u32,
    },
}

impl Error {
    /// A stable word for a program to act on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(error) | Self::Destination(error) => error.code(),
            Self::ObjectFormat { .. } => "object_format_mismatch",
            Self::TooManyDeletions { .. } => "too_many_deletions",
        }
    }

    /// Whether the same sync may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Source(error) | Self::Destination(error) => error.is_transient(),
            Self::ObjectFormat { .. } | Self::TooManyDeletions { .. } => false,
        }
    }
}
