//! JSON text, read without types. serde's code for each type, and for the numbers in its errors, is 30 KB of a module.

/// The parts of a value, one after the other.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over one of the given bytes, if it is next.
    fn step(&mut self, is_it: impl Fn(u8) -> bool) -> Option<u8> {
        let byte = self.peek().filter(|byte| is_it(*byte))?;
        self.at += 1;
        Some(byte)
    }

    fn space(&mut self) {
        while self.step(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).is_some() {}
    }

    fn digits(&mut self) -> Option<()> {
        self.step(|byte| byte.is_ascii_digit())?;
        while self.step(|byte| byte.is_ascii_digit()).is_some() {}
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        self.step(|byte| byte == b'-');
        if self.step(|byte| byte == b'0').is_none() {
            self.digits()?;
        }
        if self.step(|byte| byte == b'.').is_some() {
            self.digits()?;
        }
        if self.step(|byte| matches!(byte, b'e' | b'E')).is_some() {
            self.step(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.step(|byte| byte == b'"')?;
        loop {
            match self.step(|byte| byte >= b' ')? {
                b'"' => return Some(()),
                b'\\' => {
                    if self.step(|byte| b"\"\\/bfnrtu".contains(&byte))? == b'u' {
                        for _ in 0..4 {
                            self.step(|byte| byte.is_ascii_hexdigit())?;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.space();
        self.string()?;
        self.space();
        self.step(|byte| byte == b':').map(drop)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.bytes().try_for_each(|byte| self.step(|next| next == byte).map(drop))
    }

    /// Steps over a value, and tells of each number in it.
    fn value(&mut self, number: &mut dyn FnMut(&str)) -> Option<()> {
        // The ends of what the value is within, however deep that is.
        let mut open = Vec::new();
        loop {
            self.space();
            let begin = self.at;
            match self.peek()? {
                byte @ (b'{' | b'[') => {
                    self.at += 1;
                    self.space();
                    // `}` and `]` stand two behind their beginnings.
                    let end = byte + 2;
                    if self.step(|byte| byte == end).is_none() {
                        if end == b'}' {
                            self.key()?;
                        }
                        open.push(end);
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => {
                    self.number()?;
                    number(&self.text[begin..self.at]);
                }
            }
            loop {
                let Some(end) = open.last().copied() else { return Some(()) };
                self.space();
                if self.step(|byte| byte == end).is_some() {
                    open.pop();
                    continue;
                }
                self.step(|byte| byte == b',')?;
                if end == b'}' {
                    self.key()?;
                }
                break;
            }
        }
    }
}

/// Tells whether a text is one JSON value and nothing else; if not, up to which byte it could be.
#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
pub(super) fn check(text: &str) -> Result<(), usize> {
    let mut scan = Scan { text, at: 0 };
    let is_value = scan.value(&mut |_| {}).is_some();
    scan.space();
    if is_value && scan.at == text.len() { Ok(()) } else { Err(scan.at) }
}

/// Visits the numbers of a value.
pub(super) fn numbers(text: &str, visit: &mut dyn FnMut(&str)) {
    Scan { text, at: 0 }.value(visit);
}

/// Visits the items of an array, or the members of an object, with their keys as they are written. Returns `None` for
/// another value.
pub(super) fn parts<'a>(
    text: &'a str,
    kind: char,
    visit: &mut dyn FnMut(&'a str, &'a str) -> Option<()>,
) -> Option<()> {
    let mut scan = Scan { text, at: 0 };
    let end = kind as u8 + 2;
    scan.space();
    scan.step(|byte| byte == kind as u8)?;
    scan.space();
    if scan.step(|byte| byte == end).is_some() {
        return Some(());
    }
    loop {
        scan.space();
        let begin = scan.at;
        let mut key = "";
        if end == b'}' {
            scan.string()?;
            key = &text[begin..scan.at];
            scan.space();
            scan.step(|byte| byte == b':')?;
            scan.space();
        }
        let begin = scan.at;
        scan.value(&mut |_| {})?;
        visit(key, &text[begin..scan.at])?;
        scan.space();
        if scan.step(|byte| byte == end).is_some() {
            return Some(());
        }
        scan.step(|byte| byte == b',')?;
    }
}

/// Returns the text that a JSON string stands for; a lone surrogate reads as U+FFFD.
pub(super) fn string(json: &str) -> Option<String> {
    let within = json.strip_prefix('"')?.strip_suffix('"')?;
    if !within.contains('\\') {
        return Some(within.to_owned());
    }
    let within = crate::without_lone_surrogates(within);
    let mut text = String::with_capacity(within.len());
    let mut parts = within.split('\\');
    text.push_str(parts.next()?);
    let mut high = None;
    while let Some(part) = parts.next() {
        let (escaped, rest) = part.split_at_checked(1).unwrap_or_default();
        text.push(match escaped {
            "b" => '\u{8}',
            "f" => '\u{c}',
            "n" => '\n',
            "r" => '\r',
            "t" => '\t',
            "u" => {
                let (unit, rest) = rest.split_at_checked(4)?;
                let unit = u32::from_str_radix(unit, 16).ok()?;
                match (high.take(), unit) {
                    (None, 0xD800..0xDC00) => {
                        high = Some(unit);
                        continue;
                    }
                    (high, unit) => {
                        let code = high.map_or(unit, |high| {
                            0x1_0000 + ((high - 0xD800) << 10) + unit.saturating_sub(0xDC00)
                        });
                        text.push(char::from_u32(code)?);
                        text.push_str(rest);
                        continue;
                    }
                }
            }
            // Two backslashes are one; what follows the second is a part of its own.
            "" => {
                text.push('\\');
                text.push_str(parts.next()?);
                continue;
            }
            other => other.chars().next()?,
        });
        text.push_str(rest);
    }
    Some(text)
}

/// Tells whether a number is beyond those that a double holds.
pub(super) fn is_beyond_double(number: &str) -> bool {
    /// The digits of the greatest double, and the place of their point.
    const GREATEST: (&str, i64) = ("17976931348623157", 309);
    let number = number.trim_start_matches('-');
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits: String = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return false;
    }
    let zeros = (digits.len() - significant.len()) as i64;
    // An exponent that no i64 holds is far beyond, on the one side or the other.
    let far = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    let exponent = exponent.parse().unwrap_or(far);
    let point = exponent.saturating_add(whole.len() as i64 - zeros);
    (point, significant) > (GREATEST.1, GREATEST.0)
}

#[cfg(test)]
mod tests;
