//! Parses headers.

use std::time::Duration;

use refsync::{clock, http::Headers};

#[test]
fn a_retry_after_is_seconds_or_a_date_by_the_answers_own_clock() {
    let now = clock::http_date("Mon, 23 Nov 2026 01:02:03 GMT").expect("it is a date");
    let asked = |value: &str, date: Option<&str>| {
        let headers = [Some(("Retry-After", value)), date.map(|date| ("Date", date))];
        headers.into_iter().flatten().collect::<Headers>().retry_after(now)
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(asked("12", None), seconds(12));
    assert_eq!(asked("Mon, 23 Nov 2026 01:02:13 GMT", None), seconds(10));
    assert_eq!(asked("Mon, 23 Nov 2026 01:00:00 GMT", None), seconds(0), "it has passed");
    assert_eq!(asked("soon", None), None);
    // The server's clock is an hour ahead of ours, and its `Date` shows it.
    let date = Some("Mon, 23 Nov 2026 02:02:03 GMT");
    assert_eq!(asked("Mon, 23 Nov 2026 02:02:08 GMT", date), seconds(5));
}
