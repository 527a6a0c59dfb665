//! Replays the seeds of the fuzz targets, so that old bugs do not come back.

#[expect(dead_code, unreachable_pub, reason = "the programs of the fuzz targets use it as a library")]
#[path = "../fuzz/parsers/mod.rs"]
mod parsers;

use std::{fs, panic, path::Path};

#[test]
fn every_fuzz_target_holds_for_each_of_its_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (name, target) in parsers::TARGETS {
        let seeds = fs::read_dir(folder.join(name)).unwrap_or_else(|e| panic!("{name} has no seeds: {e}"));
        for seed in seeds {
            let seed = seed.expect("the folder can be listed").path();
            let data = fs::read(&seed).expect("a seed can be read");
            let result = panic::catch_unwind(|| target(&data));
            assert!(result.is_ok(), "cargo +nightly fuzz run {name} {}", seed.display());
        }
    }
}

#[test]
fn every_fuzz_target_has_a_program_that_runs_it() {
    let manifest = include_str!("../fuzz/Cargo.toml");
    for (name, _) in parsers::TARGETS {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is in fuzz/Cargo.toml");
    }
}
