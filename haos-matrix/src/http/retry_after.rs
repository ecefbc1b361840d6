/// How long a `Retry-After` header asks to wait, in milliseconds (RFC 9110, 10.2.3): seconds, or a moment,
/// which counts from the answer's own date where it has one, since clocks differ.
pub(super) fn wait_ms(text: &str, date: Option<&str>, now_ms: i64) -> Option<u64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse::<u64>().map_or(u64::MAX, |seconds| seconds.saturating_mul(1000)));
    }
    let until_ms = moment_ms(text)?;
    let from_ms = date.and_then(|date| moment_ms(date.trim())).unwrap_or(now_ms);
    u64::try_from(until_ms.saturating_sub(from_ms)).ok()
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The one form of an HTTP date that is still written, such as `Sun, 06 Nov 1994 08:49:37 GMT`, in
/// milliseconds since 1970.
fn moment_ms(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once(", ")?;
    let parts: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let number = |text: &str, max: i64| -> Option<i64> {
        let number = text.parse::<u32>().ok().map(i64::from);
        number.filter(|number| *number <= max && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (day, year) = (number(day, 31)?, number(year, 9999)?);
    let clock: Vec<&str> = time.split(':').collect();
    let [hours, minutes, seconds] = clock[..] else { return None };
    let seconds = (number(hours, 23)? * 60 + number(minutes, 59)?) * 60 + number(seconds, 60)?;
    Some((days(year, month, day) * 86_400 + seconds) * 1000)
}

/// Days since 1970 of a date in the Gregorian calendar. Years begin in March here, so that the odd day is
/// the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + in_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777_000)),
            ("Thu, 29 Feb 2024 23:59:60 GMT", Some(1_709_251_200_000)),
            ("Sun, 22 Nov 2026 15:55:20 GMT", Some(1_795_362_920_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Now 1994 08:49:37 GMT", None),
            ("Sun, +6 Nov 1994 08:49:37 GMT", None),
            ("soon", None),
        ] {
            assert_eq!(moment_ms(text), expected, "{text}");
        }
    }

    #[test]
    fn seconds_and_moments() {
        assert_eq!(wait_ms(" 20 ", None, 0), Some(20_000));
        assert_eq!(wait_ms("99999999999999999999", None, 0), Some(u64::MAX));
        assert_eq!(wait_ms("-1", None, 0), None);
        assert_eq!(wait_ms("", None, 0), None);
        let (date, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:00 GMT");
        assert_eq!(wait_ms(later, Some(date), 5), Some(23_000), "the server's clock counts");
        assert_eq!(wait_ms(later, None, 784_111_790_000), Some(10_000));
        assert_eq!(wait_ms(date, Some(later), 0), None, "it is over");
    }
}
