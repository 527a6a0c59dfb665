//! `refsync` keeps a Git repository and its upstream in step.
//!
//! One crate does three jobs. Each can be used alone. This is how a sync travels through them:
//!
//! ```text
//!   dashboard, script            refsync serve (any JavaScript runtime)              Git servers
//!  ┌───────────────────┐   ┌──────────────────────────────────────────────┐
//!  │ client            │   │ service                                      │
//!  │  repos            │──▶│  routes → syncs::create → queue::enqueue     │
//!  │   .syncUpstream() │   │                              │ PostgreSQL    │
//!  │  syncs.wait()     │◀──│  routes ← syncs::show    queue::claim ◀─ tick│
//!  └───────────────────┘   └──────────────────────────────┼───────────────┘
//!                                                         ▼
//!                          ┌──────────────────────────────────────────────┐    ┌─────────────┐
//!     direct use of  ────▶ │ sync::run                                    │    │ source      │
//!     the engine           │  list refs on both sides → Plan → prove ─────│───▶│ upload-pack │
//!                          │        ╭──────── pack, as it comes ──────────│◀───│             │
//!                          │        ▼                                     │    ├─────────────┤
//!                          │  push(commands, pack) ───────────────────────│───▶│ destination │
//!                          │  SyncRunStats ◀── report-status ─────────────│◀───│ receive-pack│
//!                          └──────────────────────────────────────────────┘    └─────────────┘
//! ```
//!
//! [`api`] holds the shapes that all of them share, from JSON to SQL; [`http`] is the only way out to a network. Only
//! `wasm` depends on WebAssembly (and the `tsify` derives on the shapes). Only [`git`] knows pkt-lines. [`sync`] does not
//! know runs, and [`service`] does not know Git's protocol: it reaches the engine through
//! [`service::engine::Engine`], because the two are separate WebAssembly modules.

pub mod api;
pub mod backoff;
#[cfg(feature = "client")]
pub mod client;
pub mod clock;
#[cfg(any(feature = "client", feature = "engine"))]
pub mod error;
pub mod glob;
#[cfg(feature = "engine")]
pub mod globs;
pub mod http;
#[cfg(feature = "engine")]
pub mod json_path;
#[cfg(any(feature = "engine", feature = "service"))]
pub mod smart_http;
#[cfg(any(feature = "engine", feature = "service"))]
pub mod userinfo;

#[cfg(feature = "engine")]
pub mod git;
#[cfg(feature = "service")]
pub mod service;
#[cfg(feature = "engine")]
pub mod sync;

#[cfg(target_arch = "wasm32")]
pub mod wasm;
