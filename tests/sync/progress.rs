//! The progress of a sync, with a clock of the test.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures_executor::block_on;
use refsync::sync::{self, Observer, Options, Phase, Progress, Selection};

use crate::support::{Backend, Repository};

/// The progress reports of a first pull of a megabyte. The clock advances by `step` milliseconds at each look.
fn told(step: f64) -> Vec<Progress> {
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let mut noise = 1u64;
    let content: String = (0..1 << 20)
        .map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b' ' + (noise >> 58) as u8)
        })
        .collect();
    let length = content.len();
    upstream.import(&format!(
        "commit refs/heads/main\ncommitter C <c@example.com> 1700000000 +0000\ndata 1\nc\nM 644 inline f\ndata {length}\n{content}\n"
    ));
    let (time, seen) = (Cell::new(0.0), Rc::new(RefCell::new(Vec::new())));
    let now = move || {
        time.set(time.get() + step);
        time.get()
    };
    let telling = seen.clone();
    let observer = Observer::new(now, move |progress| telling.borrow_mut().push(progress));
    let (from, _) = Backend::new(&upstream).remote();
    let (to, _) = Backend::new(&local).remote();
    block_on(sync::run(&Selection::default(), &from, &to, &Options { observer, ..Options::default() }))
        .expect("it succeeds");
    seen.take()
}

#[test]
fn each_phase_is_told_and_within_one_ten_times_a_second() {
    let phases: Vec<Phase> = told(0.0).iter().map(|progress| progress.phase).collect();
    assert_eq!(phases, [Phase::Listing, Phase::Transferring, Phase::Storing], "no time passes");
    let all = told(1.0).len();
    let every = told(100.0).len();
    assert!(all * 50 < every, "{all} of {every} looks, of which each hundredth is due");
}

#[test]
fn the_rate_is_told_from_half_a_second_on_and_is_the_average_since_the_first_byte() {
    let seen = told(100.0);
    let transferring: Vec<&Progress> = seen.iter().filter(|p| p.phase == Phase::Transferring).collect();
    for (n, progress) in transferring.iter().enumerate() {
        let seconds = n as f64 / 10.0;
        let expected = (seconds >= 0.5).then(|| (progress.bytes / seconds).round());
        assert_eq!(progress.bytes_per_second, expected, "after {seconds} s: {progress:?}");
    }
    assert!(transferring.len() > 100, "the server answers in pieces of 1,000 bytes");
    let last = seen.last().expect("there are some");
    assert_eq!((last.phase, last.bytes_per_second), (Phase::Storing, None));
    assert!(last.bytes > 750_000.0 && last.objects == Some(3), "{last:?}");
}
