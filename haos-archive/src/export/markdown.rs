use haos_store_api::Room;

use super::entry::Entry;

pub(super) fn head(room: &Room) -> String {
    let mut head = format!("# {}\n\n", line(room.name.as_deref().unwrap_or(room.id.as_str())));
    if let Some(topic) = &room.topic {
        head += &format!("{}\n\n", block(topic));
    }
    head
}

pub(super) fn entry(entry: &Entry<'_>) -> String {
    let edited = if entry.view.edit.is_some() { " (edited)" } else { "" };
    let mut text = format!("**{}** {}{edited}\n\n", line(&entry.sender), entry.time());
    if let Some(quote) = &entry.quote {
        text += &format!("> **{}** {}\n\n", line(&quote.sender), line(&quote.text));
    }
    text += &match &entry.text {
        Some(text) => format!("{}\n\n", block(text)),
        None => format!("*{}*\n\n", line(&entry.stand_in())),
    };
    if let Some(file) = &entry.file {
        let (name, mark) = (line(&file.attachment.name), if file.attachment.is_picture { "!" } else { "" });
        text += &match &file.path {
            Some(path) => format!("{mark}[{name}]({path})\n\n"),
            None => format!("*{name} (not stored)*\n\n"),
        };
    }
    if !entry.view.reactions.is_empty() {
        let groups = entry.view.reactions.iter().map(|group| format!("{} {}", line(&group.key), group.count));
        let mut groups: Vec<String> = groups.collect();
        if entry.view.more_reactions > 0 {
            groups.push(format!("{} more", entry.view.more_reactions));
        }
        text += &format!("{}\n\n", groups.join(" · "));
    }
    text
}

pub(super) fn gap() -> String {
    "*Messages are missing here: they were not stored.*\n\n".to_owned()
}

/// Escapes a text of several lines. Each line ends so that the next one begins on a line of its own.
fn block(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("  \n")
}

/// Escapes a text so that it shows as it is; see <https://spec.commonmark.org/0.31.2/#backslash-escapes>.
fn line(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.trim_start().chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            c if c.is_ascii_punctuation()
                && !matches!(c, ',' | '\'' | '"' | '?' | ';' | '%' | '/' | ':' | '=' | '@' | '$') =>
            {
                escaped.extend(['\\', c]);
            }
            // `https://…` and `www.` would become links, which is what people expect of them.
            c => escaped.push(c),
        }
    }
    escaped
}
