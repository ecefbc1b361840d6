//! `haos views`: views for people with a SQLite shell.

use std::io::Write as _;

use haos_store::OpenOptions;
use serde::Serialize;

use crate::error::Result;
use crate::open::Target;
use crate::out::Out;

/// The names of the views that SQLite stores make.
const VIEWS: [&str; 6] = ["rooms", "messages", "gaps", "outbox", "media_items", "states"];

#[derive(Serialize)]
struct Made {
    views: [&'static str; 6],
}

pub(crate) async fn run(store: Target, out: &mut Out) -> Result<()> {
    let options = OpenOptions { views: true, ..store.options.clone() };
    let opened = Target { options, ..store }.existing().await?;
    opened.store.close().await?;
    out.tell(&Made { views: VIEWS }, |out| {
        writeln!(out, "Any SQLite shell now reads {}, such as", VIEWS.join(", "))?;
        Ok(writeln!(
            out,
            "  SELECT sender, content ->> 'body' FROM messages WHERE room_id = '!…' ORDER BY position"
        )?)
    })
}
