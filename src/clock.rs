//! Times as the API and HTTP write them, as milliseconds since 1970 in UTC.

/// A time such as `2026-11-23T01:02:03.456Z` or with an offset, [RFC 3339]; `None` if the text is not one.
///
/// [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339#section-5.6
pub fn rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date.split('-'))?;
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hours, minutes, seconds] = numbers(clock.split(':'))?;
    // Three digits are milliseconds. Fewer digits are padded with zeros, more are cut.
    let millis: i64 = [fraction, "00"].concat().get(..3)?.parse().ok()?;
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, offset) => {
            let [hours, minutes] = numbers(offset.split(':'))?;
            (hours * 60 + minutes) * if sign == "-" { -60_000 } else { 60_000 }
        }
    };
    Some(at(year, month, day, hours, minutes, seconds)? + millis - offset)
}

/// A time such as `Mon, 23 Nov 2026 01:02:03 GMT`, [RFC 9110]; the two obsolete forms are not read.
///
/// [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
pub fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(',')?.1.trim_start().strip_suffix(" GMT")?.split(' ');
    let day = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? + 1;
    let year = words.next()?.parse().ok()?;
    let [hours, minutes, seconds] = numbers(words.next()?.split(':'))?;
    at(year, month.try_into().ok()?, day, hours, minutes, seconds)
}

fn numbers<'a, const N: usize>(parts: impl Iterator<Item = &'a str>) -> Option<[i64; N]> {
    let numbers: Vec<i64> = parts.map(|part| part.parse::<u16>().map(i64::from)).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

fn at(year: i64, month: i64, day: i64, hours: i64, minutes: i64, seconds: i64) -> Option<i64> {
    // 60 is a leap second, which Unix time does not count.
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day) && hours < 24 && minutes < 60 && seconds <= 60;
    // Days since 1970 in the proleptic Gregorian calendar, with years that start in March so that a leap day is last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5;
    valid.then(|| (((days + day - 719_469) * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000)
}
