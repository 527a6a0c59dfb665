//! Times in the forms of the API and of HTTP.

use refsync::clock;

/// The expected values are the output of GNU coreutils: `date -u -d TEXT +%s%3N`.
#[test]
fn times_are_read_as_date_reads_them() {
    for (text, millis) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T01:02:03Z", 1_795_395_723_000),
        ("2026-11-23T01:02:03.456789Z", 1_795_395_723_456),
        ("2026-11-23T01:02:03.5Z", 1_795_395_723_500),
        ("2026-11-23T01:02:03+05:30", 1_795_375_923_000),
        ("2024-02-29T23:59:59-01:00", 1_709_254_799_000),
    ] {
        assert_eq!(clock::rfc3339(text), Some(millis), "{text}");
    }
    for text in ["", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T01:02:03", "2026-11-23T25:00:00Z", "aTbZ"] {
        assert_eq!(clock::rfc3339(text), None, "{text:?} is no time");
    }
    assert_eq!(clock::http_date("Mon, 23 Nov 2026 01:02:03 GMT"), Some(1_795_395_723_000));
    assert_eq!(clock::http_date("Mon, 23 Nov 2026 01:02:03 CET"), None, "RFC 9110 knows GMT only");
}
