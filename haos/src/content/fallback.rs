//! The quote that old clients put into an answer (specification, client-server API, "Fallbacks for rich replies").
//! It is the answering client's word alone, and the message that is answered is shown in its place.

use super::read::Object;

/// Tells if a content answers a message.
pub(super) fn is_reply(content: &Object<'_>) -> bool {
    content.object("m.relates_to").object("m.in_reply_to").get("event_id").is_some()
}

/// Strips the quote from a plain text: the lines that begin with `> `, and the empty line after them. A quote without
/// a sender is the writer's own, and stays.
pub(super) fn strip_plain(body: &str) -> &str {
    if !body.starts_with("> <@") && !body.starts_with("> * <@") {
        return body;
    }
    let mut rest = body;
    while rest.starts_with("> ") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest.strip_prefix('\n').or_else(|| rest.strip_prefix("\r\n")).unwrap_or(rest)
}

/// Strips the quote from HTML: every `mx-reply` element, with what is in it.
pub(super) fn strip_html(html: &str) -> String {
    let (mut kept, mut rest, mut depth) = (String::new(), html, 0_usize);
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        let step = if is_tag(tag, "<mx-reply") {
            Some(depth + 1)
        } else if is_tag(tag, "</mx-reply") {
            Some(depth.saturating_sub(1))
        } else {
            None
        };
        let end = match step {
            Some(_) => tag.find('>').map_or(tag.len(), |end| end + 1),
            None => 1,
        };
        if depth == 0 {
            kept.push_str(before);
            if step.is_none() {
                kept.push('<');
            }
        }
        depth = step.unwrap_or(depth);
        rest = &tag[end..];
    }
    if depth == 0 {
        kept.push_str(rest);
    }
    kept.trim_start().to_owned()
}

/// Tells if HTML begins with a tag, given without its end.
fn is_tag(html: &str, tag: &str) -> bool {
    let bytes = html.as_bytes();
    bytes.len() > tag.len()
        && bytes[..tag.len()].eq_ignore_ascii_case(tag.as_bytes())
        && matches!(bytes[tag.len()], b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_stripped_from_plain_texts() {
        for (body, stripped) in [
            ("> <@alice:example.org> first\n> second\n\nThis is the reply", "This is the reply"),
            ("> * <@alice:example.org> waves\n\nreply", "reply"),
            ("> <@alice:example.org> sent an image.\n\n> my own quote\nreply", "> my own quote\nreply"),
            ("> <@alice:example.org> one\nreply\n\nmore", "reply\n\nmore"),
            ("> <@alice:example.org> one\r\n\r\nreply", "reply"),
            ("> <@alice:example.org> all", ""),
            ("> my own quote\n\nreply", "> my own quote\n\nreply"),
            ("reply\n> <@alice:example.org> late", "reply\n> <@alice:example.org> late"),
            ("", ""),
        ] {
            assert_eq!(strip_plain(body), stripped, "{body}");
        }
    }

    #[test]
    fn quotes_are_stripped_from_html() {
        let quote = "<mx-reply><blockquote><a href=\"https://matrix.to/#/!r/$e\">In reply to</a> é</blockquote></mx-reply>";
        for (html, stripped) in [
            (format!("{quote}\nThis is <b>the</b> reply"), "This is <b>the</b> reply"),
            ("<MX-REPLY class=x>a<mx-reply>b</mx-reply>c</mx-reply >d".to_owned(), "d"),
            ("<mx-reply>never ended <b>x</b>".to_owned(), ""),
            ("a</mx-reply>b".to_owned(), "ab"),
            ("a < b <mx-replying>".to_owned(), "a < b <mx-replying>"),
            ("a<mx-reply".to_owned(), "a<mx-reply"),
            (quote.to_owned(), ""),
        ] {
            assert_eq!(strip_html(&html), stripped, "{html}");
        }
    }
}
