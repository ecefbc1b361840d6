//! A file of the page, read piece by piece.

use std::io;

use futures_util::Stream;
use haos::FileSource;
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The bytes that are read at once.
const PIECE: f64 = 1_048_576.0;

#[wasm_bindgen]
extern "C" {
    /// A file, or another blob.
    pub type Blob;
    #[wasm_bindgen(method, getter)]
    fn size(this: &Blob) -> f64;
    #[wasm_bindgen(method)]
    fn slice(this: &Blob, start: f64, end: f64) -> Blob;
    #[wasm_bindgen(method, js_name = arrayBuffer)]
    fn array_buffer(this: &Blob) -> Promise;
}

/// The bytes of a blob; nothing is read yet.
pub(crate) fn source(blob: Blob) -> FileSource {
    FileSource::stream(pieces(blob))
}

fn pieces(blob: Blob) -> impl Stream<Item = io::Result<Vec<u8>>> {
    futures_util::stream::unfold((blob, 0.0), |(blob, at)| async move {
        if at >= blob.size() {
            return None;
        }
        let piece = read(&blob.slice(at, at + PIECE)).await;
        // What cannot be read ends it.
        let next = if piece.is_ok() { at + PIECE } else { f64::INFINITY };
        Some((piece, (blob, next)))
    })
}

async fn read(piece: &Blob) -> io::Result<Vec<u8>> {
    let failed = |error: JsValue| {
        let words = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
        io::Error::other(words.unwrap_or_else(|| "the browser does not give it".to_owned()))
    };
    let buffer = JsFuture::from(piece.array_buffer()).await.map_err(failed)?;
    let buffer: ArrayBuffer = buffer.dyn_into().map_err(failed)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
