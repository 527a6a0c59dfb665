//! One function for each parser of what comes from outside: it takes any bytes, must not panic, and holds what has to be
//! true of every input, such as that it makes no difference in which pieces the bytes came.
//!
//! `npm run fuzz` feeds them to libFuzzer; `cargo test` replays what is in `seeds/`.

mod git;
mod pack;
mod replies;
mod service;
mod text;

/// A target's name, which is its folder in `seeds/` too, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("pkt_line", git::pkt_line),
    ("sideband", git::sideband),
    ("advertisement", git::advertisement),
    ("ls_refs", git::ls_refs),
    ("fetch_answer", git::fetch_answer),
    ("report", git::report),
    ("pack", pack::pack),
    ("delta", pack::delta),
    ("glob", text::glob),
    ("url", text::url),
    ("json", text::json),
    ("names", service::names),
    ("body", service::body),
    ("cursor", service::cursor),
    ("access_token", service::access_token),
];

/// Runs one by its name.
///
/// # Panics
///
/// Where the target finds something wrong, or there is none of that name.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(n, _)| *n == name).expect("the name is in the table");
    target(data);
}
