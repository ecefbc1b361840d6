use crate::ParseError;

/// Members are read so far down: of receipts, the users below an event of a room.
const DEPTH: usize = 16;

/// Refuses a text with a list or an object of more than `widest` items, which would take many times its bytes
/// once it is taken apart. What is no JSON is not noticed here.
pub(crate) fn check_width(text: &str, widest: usize) -> Result<(), ParseError> {
    let (mut items, mut depth) = ([0_usize; DEPTH], 0_usize);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_text(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                if let Some(items) = items.get_mut(depth) {
                    *items = 0;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => {
                if let Some(items) = items.get_mut(depth) {
                    *items += 1;
                    if *items >= widest {
                        return Err(ParseError::TooMuch { limit: widest });
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn skip_text(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_one_list_or_object_are_counted() {
        let fits = |text: &str| check_width(text, 3).is_ok();
        assert!(fits("[1,2,3]") && !fits("[1,2,3,4]"));
        assert!(fits(r#"{"a":[1,2,3],"b":[1,2,3]}"#) && !fits(r#"{"a":1,"b":2,"c":3,"d":4}"#));
        assert!(!fits(r#"{"a":{"b":[[1,2],[1,2],[3,4],5]}}"#));
        assert!(fits(r#"["1,2,3,4,5","\",\\",",,,"]"#), "texts are no items");
        assert!(fits("]]]],[,") && fits("\"") && fits("\"\\"), "no JSON");
        let deep = format!("{}1,2,3,4{}", "[".repeat(99), "]".repeat(99));
        assert!(fits(&deep), "nobody takes that apart");
    }
}
