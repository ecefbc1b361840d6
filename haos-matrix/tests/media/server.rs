//! A server that answers downloads as it is told, and counts them.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::stream;
use haos_matrix::{Chunks, Download, PageRequest, Reply, Server, SyncRequest, Variant};
use haos_queue::Answer;
use haos_store_api::*;

/// An answer to one request.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) mime: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) chunks: Vec<Reply<Vec<u8>>>,
}

impl File {
    /// All of it, its size announced, in chunks of `chunk` bytes.
    pub(crate) fn of(bytes: &[u8], chunk: usize) -> Self {
        let chunks = bytes.chunks(chunk).map(|part| Ok(part.to_vec())).collect();
        Self { mime: Some("image/png".to_owned()), size: Some(bytes.len() as u64), chunks }
    }

    pub(crate) fn announced(self, size: Option<u64>) -> Self {
        Self { size, ..self }
    }
}

type Script = VecDeque<Reply<File>>;

/// Each request takes the next answer of its script; the last one stays.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    scripts: Mutex<HashMap<(String, Variant), Script>>,
    requests: AtomicUsize,
    chunks: std::sync::Arc<AtomicUsize>,
}

impl Scripted {
    pub(crate) fn answer(&self, uri: &MediaUri, variant: Variant, answers: Vec<Reply<File>>) {
        self.scripts.lock().unwrap().insert((uri.as_str().to_owned(), variant), answers.into());
    }

    pub(crate) fn has(&self, uri: &MediaUri, item: File) {
        self.answer(uri, Variant::Original, vec![Ok(item)]);
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Chunks that were given.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks.load(Ordering::Relaxed)
    }
}

/// Lets others go on, once.
#[derive(Default)]
pub(crate) struct Pause(bool);

impl Future for Pause {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[async_trait]
impl Server for Scripted {
    async fn download(&self, uri: &MediaUri, variant: Variant) -> Reply<Download> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Pause::default().await;
        let item = {
            let mut scripts = self.scripts.lock().unwrap();
            match scripts.get_mut(&(uri.as_str().to_owned(), variant)) {
                Some(script) if script.len() > 1 => script.pop_front().unwrap()?,
                Some(script) => script[0].clone()?,
                None => return Err(Answer::Unsent),
            }
        };
        let given = self.chunks.clone();
        let chunks: Chunks = Box::pin(stream::unfold(item.chunks.into_iter(), move |mut rest| {
            let given = given.clone();
            async move {
                Pause::default().await;
                given.fetch_add(1, Ordering::Relaxed);
                rest.next().map(|chunk| (chunk, rest))
            }
        }));
        Ok(Download { mime: item.mime, size: item.size, chunks })
    }

    async fn sync(&self, _: &SyncRequest) -> Reply<Vec<u8>> {
        Err(Answer::Unsent)
    }
    async fn sliding_sync(&self, _: Option<&str>, _: u64, _: &Json) -> Reply<Vec<u8>> {
        Err(Answer::Unsent)
    }
    async fn offers_sliding_sync(&self) -> Reply<bool> {
        Err(Answer::Unsent)
    }
    async fn upload_filter(&self, _: &Json) -> Reply<String> {
        Err(Answer::Unsent)
    }
    async fn messages(&self, _: &PageRequest<'_>) -> Reply<Vec<u8>> {
        Err(Answer::Unsent)
    }
    async fn context(&self, _: &RoomId, _: &EventId, _: usize) -> Reply<Vec<u8>> {
        Err(Answer::Unsent)
    }
    async fn members(&self, _: &RoomId, _: Option<&str>) -> Reply<Vec<u8>> {
        Err(Answer::Unsent)
    }
}
