//! Any bytes as an archive, and any chunks in an archive whose checksums are right: records or an error, in bounded
//! memory.

use std::io::Cursor;

use haos_archive::{Archive, Identity, Source};
use haos_store_api::Progress;
use sha2::{Digest, Sha256};

/// The first byte chooses: a file as it is, an encrypted one, or chunks to put together.
pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    match choice % 3 {
        0 => read(rest.to_vec(), None),
        1 => read(rest.to_vec(), Some(&Identity::passphrase("p").most_work(4))),
        _ => read(assembled(rest), None),
    }
}

fn read(file: Vec<u8>, identity: Option<&Identity>) {
    let source: Vec<Box<dyn Source>> = vec![Box::new(Cursor::new(file))];
    if let Ok(mut archive) = Archive::open(source, identity) {
        let records = archive.records().take_while(Result::is_ok).count();
        if archive.check(&Progress::none()).is_ok() {
            assert!(archive.records().all(|record| record.is_ok()), "{records} records were read, then an error");
        }
    }
}

/// Puts an archive together: a description and chunks, each after its length in two bytes.
fn assembled(mut data: &[u8]) -> Vec<u8> {
    let mut part = || {
        let (len, rest) = data.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
        let (part, rest) = rest.split_at(len);
        data = rest;
        Some(part)
    };
    let mut file = b"\x89HAOSAR\n\x01\0\0\0".to_vec();
    file.extend([7; 16]);
    file.extend(crc32fast::hash(&file).to_le_bytes());
    let about = part().unwrap_or_default();
    let mut catalogue = (about.len() as u32).to_le_bytes().to_vec();
    catalogue.extend(about);
    while let Some(raw) = part() {
        let (offset, tag) = (file.len() as u64, raw.first().copied().unwrap_or_default());
        let length = frame(&mut file, tag, raw);
        catalogue.extend([tag, 0, 0]);
        catalogue.extend(offset.to_le_bytes());
        catalogue.extend(length.to_le_bytes());
        catalogue.extend((raw.len() as u32).to_le_bytes());
        catalogue.extend(Sha256::digest(raw));
    }
    let offset = file.len() as u64;
    let length = frame(&mut file, b'C', &catalogue);
    file.extend(offset.to_le_bytes());
    file.extend(u64::from(length).to_le_bytes());
    file.extend(Sha256::digest(&catalogue));
    file.extend(b"HAOSEND\n");
    file
}

fn frame(file: &mut Vec<u8>, kind: u8, raw: &[u8]) -> u32 {
    let packed = zstd::bulk::compress(raw, 1).expect("memory for zstd");
    let mut head = vec![kind];
    head.extend((packed.len() as u32).to_le_bytes());
    head.extend((raw.len() as u32).to_le_bytes());
    head.extend(Sha256::digest(raw));
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head);
    crc.update(&packed);
    head.extend(crc.finalize().to_le_bytes());
    file.extend(&head);
    file.extend(&packed);
    (head.len() + packed.len()) as u32
}
