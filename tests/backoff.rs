use std::time::Duration;

use refsync::backoff::Backoff;

#[test]
fn waits_grow_up_to_the_longest_one() {
    let seconds = Duration::from_secs;
    let backoff = Backoff { first: seconds(2), factor: 4, longest: seconds(30) };
    let waits = [1, 2, 3, 4, u32::MAX].map(|failures| backoff.after(failures));
    assert_eq!(waits, [2, 8, 30, 30, 30].map(seconds));
    let doubling = Backoff::doubling(Duration::from_millis(250), seconds(1));
    assert_eq!([1, 2, 3, 4].map(|failures| doubling.after(failures).as_millis()), [250, 500, 1000, 1000]);
}
