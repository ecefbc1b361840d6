use haos_store_api::{
    MessageView, Page, Result, Room, Start, StorageAdapter, StorageAdapterExt as _, ViewItem,
};

use super::entry::Entry;
use super::folder::{Folder, Written, failed};
use super::media::Media;
use super::names::Names;
use super::{Export, Exported, Format, Steps, html, json, markdown, name};

/// The items that are read at once.
const PAGE: usize = 200;
/// The messages of one HTML page.
const PAGE_OF_HTML: u64 = 1_000;

/// Writes a room, and returns the path of its first file.
pub(super) async fn export(
    export: &Export<'_>,
    store: &dyn StorageAdapter,
    room: &Room,
    folder: &mut dyn Folder,
    steps: &mut Steps,
    done: &mut Exported,
) -> Result<String> {
    let slug = name::slug(room.name.as_deref().unwrap_or_default(), room.id.as_str());
    let mut pages = Pages::begin(export.format, room, &slug, folder)?;
    let first = pages.path.clone();
    let (mut names, mut media) = (Names::new(export.shows, room.id.clone()), Media::new(slug.clone()));
    let (mut page, mut behind_gap) = (Page::oldest(PAGE), false);
    loop {
        let slice = store.timeline(&room.id, page.clone()).await?;
        let (read, more) = (slice.messages().count() as u64, slice.more);
        let view = store.view_of(&room.id, slice).await?;
        let next = view.newer.clone();
        for item in view.items {
            match item {
                ViewItem::Gap(_) => behind_gap = true,
                ViewItem::Message(view) => {
                    let message = &view.message;
                    if !export.filter.accepts(&message.sender, message.timestamp_ms) {
                        continue;
                    }
                    // With a filter, only a gap between two messages is one of the export.
                    if std::mem::take(&mut behind_gap) && (export.filter.is_none() || pages.has_items) {
                        done.gaps += 1;
                        pages.gap()?;
                    }
                    pages.turn(folder)?;
                    let file = attached(export, store, &view, folder, &mut media, done).await?;
                    let entry = Entry::read(store, export.shows, &mut names, &view, file).await?;
                    pages.entry(&entry)?;
                    done.messages += 1;
                }
            }
        }
        steps.by(read);
        match next {
            Some(cursor) if more => page.start = Start::Beyond(cursor),
            _ => break,
        }
    }
    if behind_gap && export.filter.is_none() {
        done.gaps += 1;
        pages.gap()?;
    }
    pages.end(None)?;
    Ok(first)
}

/// Exports the file that a message shows.
async fn attached(
    export: &Export<'_>,
    store: &dyn StorageAdapter,
    view: &MessageView,
    folder: &mut dyn Folder,
    media: &mut Media,
    done: &mut Exported,
) -> Result<Option<super::entry::Saved>> {
    let attachment = match view.is_redacted() {
        true => None,
        false => export.shows.attachment(view),
    };
    let Some(attachment) = attachment else { return Ok(None) };
    if !export.with_media {
        return Ok(Some(super::entry::Saved { attachment, path: None }));
    }
    let (saved, is_new) = media.save(store, folder, attachment).await?;
    match &saved.path {
        Some(_) => done.media += u64::from(is_new),
        None => done.missing_media += u64::from(is_new),
    }
    Ok(Some(saved))
}

/// The files of a room, one after the other.
struct Pages<'r> {
    format: Format,
    room: &'r Room,
    slug: &'r str,
    /// The path of the file that is written.
    path: String,
    file: Box<dyn Written>,
    number: u64,
    /// The entries of the file.
    entries: u64,
    /// True if the file has an item.
    has_items: bool,
}

impl<'r> Pages<'r> {
    fn begin(format: Format, room: &'r Room, slug: &'r str, folder: &mut dyn Folder) -> Result<Self> {
        let path = path(format, slug, 1);
        let file = folder.create(&path).map_err(|e| failed(&path, e))?;
        let mut pages = Self { format, room, slug, path, file, number: 1, entries: 0, has_items: false };
        pages.head()?;
        Ok(pages)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.file.write_all(text.as_bytes()).map_err(|e| failed(&self.path, e))
    }

    fn head(&mut self) -> Result<()> {
        let text = match self.format {
            Format::Html => html::head(self.room, self.number, &page_name),
            Format::Markdown => markdown::head(self.room),
            Format::Json => json::head(self.room)?,
        };
        self.write(&text)
    }

    /// Begins the next page, if this one is full.
    fn turn(&mut self, folder: &mut dyn Folder) -> Result<()> {
        if self.format != Format::Html || self.entries < PAGE_OF_HTML {
            return Ok(());
        }
        self.number += 1;
        let next = page_name(self.number);
        self.end(Some(&next))?;
        self.path = path(self.format, self.slug, self.number);
        self.file = folder.create(&self.path).map_err(|e| failed(&self.path, e))?;
        (self.entries, self.has_items) = (0, false);
        self.head()
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<()> {
        let text = match self.format {
            Format::Html => html::entry(entry),
            Format::Markdown => markdown::entry(entry),
            Format::Json => json::entry(entry, self.has_items)?,
        };
        self.entries += 1;
        self.has_items = true;
        self.write(&text)
    }

    fn gap(&mut self) -> Result<()> {
        let text = match self.format {
            Format::Html => html::gap(),
            Format::Markdown => markdown::gap(),
            Format::Json => json::gap(self.has_items),
        };
        self.has_items = true;
        self.write(&text)
    }

    fn end(&mut self, next: Option<&str>) -> Result<()> {
        let text = match self.format {
            Format::Html => html::end(next),
            Format::Markdown => String::new(),
            Format::Json => json::end(),
        };
        self.write(&text)?;
        self.file.flush().map_err(|e| failed(&self.path, e))
    }
}

fn path(format: Format, slug: &str, number: u64) -> String {
    match format {
        Format::Html => format!("{slug}/{}", page_name(number)),
        Format::Markdown => format!("{slug}/messages.md"),
        Format::Json => format!("{slug}/messages.json"),
    }
}

fn page_name(number: u64) -> String {
    format!("{number:04}.html")
}
