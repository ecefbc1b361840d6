//! Pages without scripts; whatever a message says is shown as text.

use haos_store_api::Room;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::entry::{Entry, Saved};

const STYLE: &str = include_str!("style.css");

/// The page that leads to each room.
pub(super) fn index(rooms: &[(&Room, String)]) -> String {
    let list = html! {
        main {
            h1 { "Rooms" }
            @if rooms.is_empty() { p { "No room was exported." } }
            ul.rooms {
                @for (room, first) in rooms { li { a href=(first) { (title(room)) } } }
            }
        }
    };
    html! { (opening("Rooms")) (list) (PreEscaped("</body></html>\n")) }.into_string()
}

/// The beginning of a page, up to its first message.
pub(super) fn head(room: &Room, number: u64, page_name: &dyn Fn(u64) -> String) -> String {
    let heading = html! {
        header {
            nav { a href="../index.html" { "All rooms" } }
            h1 { (title(room)) }
            @if let Some(topic) = &room.topic { p.topic { (topic) } }
            @if number > 1 { nav { a rel="prev" href=(page_name(number - 1)) { "Older messages" } } }
        }
    };
    html! { (opening(title(room))) (heading) (PreEscaped("<main>\n<ol>\n")) }.into_string()
}

/// The end of a page.
pub(super) fn end(next: Option<&str>) -> String {
    html! {
        (PreEscaped("</ol>\n</main>\n"))
        @if let Some(next) = next { footer { nav { a rel="next" href=(next) { "Newer messages" } } } }
        (PreEscaped("</body></html>\n"))
    }
    .into_string()
}

pub(super) fn entry(entry: &Entry<'_>) -> String {
    let message = &entry.view.message;
    html! {
        li id=(message.id) {
            p.head {
                b title=(message.sender) { (entry.sender) } " "
                time { (entry.time()) }
                @if entry.view.edit.is_some() { " " i { "edited" } }
            }
            @if let Some(quote) = &entry.quote { blockquote { b { (quote.sender) } " " (quote.text) } }
            @match &entry.text {
                Some(text) => p.text dir="auto" { (text) },
                None => p.note { (entry.stand_in()) },
            }
            @if let Some(file) = &entry.file { (attachment(file)) }
            (reactions(entry))
        }
        "\n"
    }
    .into_string()
}

pub(super) fn gap() -> String {
    html! { li.gap { "Messages are missing here: they were not stored." } "\n" }.into_string()
}

fn opening(title: &str) -> Markup {
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\"><head>"))
        meta charset="utf-8";
        // Nothing that a message brings along runs, or is fetched.
        meta http-equiv="Content-Security-Policy"
            content="script-src 'none'; object-src 'none'; frame-src 'none'; connect-src 'none'; form-action 'none'; base-uri 'none'";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="referrer" content="no-referrer";
        title { (title) }
        style { (PreEscaped(STYLE)) }
        (PreEscaped("</head><body>\n"))
    }
}

fn title(room: &Room) -> &str {
    room.name.as_deref().unwrap_or(room.id.as_str())
}

fn attachment(file: &Saved) -> Markup {
    let name = &file.attachment.name;
    html! {
        @match &file.path {
            Some(path) if file.attachment.is_picture => {
                a href=(path) { img src=(path) alt=(name) loading="lazy"; }
            },
            Some(path) => p.file { a href=(path) download=(name) { (name) } },
            None => p.note { (name) " (not stored)" },
        }
    }
}

fn reactions(entry: &Entry<'_>) -> Markup {
    let view = entry.view;
    html! {
        @if !view.reactions.is_empty() {
            p.reactions {
                @for group in &view.reactions {
                    @let senders: Vec<_> = group.senders.iter().map(|sender| sender.as_str()).collect();
                    span title=(senders.join(", ")) { (group.key) " " (group.count) } " "
                }
                @if view.more_reactions > 0 { span { (view.more_reactions) " more" } }
            }
        }
    }
}
