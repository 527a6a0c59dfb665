//! A call of the API, in the form that handlers get.

use std::rc::Rc;

use percent_encoding::percent_decode_str;

use crate::http::{Body, Headers};
use crate::service::{auth::Caller, http::places::Places, stop::Stop};

/// A call whose caller is known and may make it.
pub(crate) struct Incoming<'a> {
    pub(crate) caller: Caller,
    pub(crate) params: Params,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a Headers,
    pub(crate) body: Body,
    pub(crate) shares: &'a Shares,
    pub(crate) stop: &'a Stop,
}

/// The names in the path, decoded. Empty if the path has no such part.
#[derive(Default)]
pub(crate) struct Params {
    pub(crate) org: String,
    pub(crate) repo: String,
    pub(crate) sync_id: String,
    pub(crate) target_id: String,
    pub(crate) key_id: String,
}

impl Params {
    /// `None` if a value cannot be a name: it is not UTF-8, or has a NUL, which PostgreSQL cannot hold.
    pub(crate) fn decode<'p>(parameters: impl Iterator<Item = (&'p str, &'p str)>) -> Option<Self> {
        let mut params = Self::default();
        for (name, raw) in parameters {
            let value = percent_decode_str(raw).decode_utf8().ok().filter(|value| !value.contains('\0'))?.into_owned();
            match name {
                "org" => params.org = value,
                "repo" => params.repo = value,
                "target_id" => params.target_id = value,
                "key_id" => params.key_id = value,
                _ => params.sync_id = value,
            }
        }
        Some(params)
    }
}

/// Limits on simultaneous expensive calls of one organisation.
pub(crate) struct Shares {
    /// Open streams of events, and calls that wait.
    pub(crate) streams: Rc<Places>,
    /// Running plans.
    pub(crate) plans: Rc<Places>,
}

impl Default for Shares {
    fn default() -> Self {
        Self { streams: Places::new("streams of events", MAX_STREAMS), plans: Places::new("plans", MAX_PLANS) }
    }
}

/// How many streams of events an organisation may have open in a process.
const MAX_STREAMS: usize = 200;
/// How many plans an organisation may run at the same time in a process.
const MAX_PLANS: usize = 8;
