//! How a list is asked for.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// Which part of a list to give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct PageRequest {
    /// A `next_cursor` of an earlier page; the newest items when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cursor: Option<String>,
    /// How many items, 1 to 100; 50 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub limit: Option<u32>,
}
