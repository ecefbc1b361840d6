//! Encrypted rooms: what a sync brings for the device's keys, what is asked of the server for them, and rows that are
//! read and sealed with them.
//!
//! Everything stands in the store. A sync commits what it brought for this device with its token ([`inbox`]); after the
//! commit it is given to the machine, and removed once that is stored. A machine that another context overtook, or whose
//! work was dropped in the middle, is made anew from what is stored ([`machine`]).

mod call;
mod code;
mod devices;
mod file;
mod heal;
mod inbox;
mod machine;
mod names;
mod open;
mod pump;
mod sealing;
mod share;
mod trouble;
mod words;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use haos_queue::{Outbox, RetryPolicy, SealFile};
use haos_store_api::{Json, Result, StorageAdapter};
use matrix_sdk_common::ruma::{OwnedDeviceId, OwnedUserId, UserId as RumaUserId};
use tokio::sync::watch;

use crate::Server;

pub use self::code::KeyCode;
pub use self::devices::{Device, DeviceList};
pub use self::words::{ORIGINAL, UNREAD};

pub(crate) use self::file::SealedFile;

use self::machine::Held;
pub(crate) use self::open::Waits;
pub(crate) use self::sealing::Sealer;

/// The encryption of one device, over the store of its account. Clones are the same.
///
/// An event that could be read stands in the store as what it says, and has its ciphertext in its member [`ORIGINAL`] of
/// `extra`. One that could not is stored as it came, with the reason under [`UNREAD`], and is read as soon as its key
/// comes.
#[derive(Clone)]
pub struct Encryption {
    inner: Arc<Inner>,
}

struct Inner {
    server: Arc<dyn Server>,
    outbox: Outbox,
    /// The outbox's store.
    store: Arc<dyn StorageAdapter>,
    user: OwnedUserId,
    device: OwnedDeviceId,
    request_ms: u64,
    retry: RetryPolicy,
    /// Loads the code of all this, where it comes apart.
    code: Option<Arc<dyn KeyCode>>,
    /// The account is known to have had an encrypted room.
    wanted: AtomicBool,
    held: tokio::sync::Mutex<Option<Held>>,
    /// One at a time sends what the machine asks for. Taken before `held`.
    sending: tokio::sync::Mutex<()>,
    /// There may be something to ask for, or to be read.
    stirred: watch::Sender<u64>,
    /// The counts of one-time keys that the machine was told last.
    counts: Mutex<Option<Json>>,
    /// The last time that something was given to the machine, rows were read with it to the end.
    settled: AtomicBool,
}

impl Encryption {
    /// The encryption of a user's device, which asks `server`; none for a user whose id Matrix does not know.
    pub(crate) fn new(
        server: Arc<dyn Server>,
        outbox: Outbox,
        (user, device): (&str, &str),
        (request_ms, retry): (u64, RetryPolicy),
        code: Option<Arc<dyn KeyCode>>,
    ) -> Option<Self> {
        let user = RumaUserId::parse(user).ok()?;
        let store = outbox.store().clone();
        let (wanted, held, sending, counts, settled) = Default::default();
        let stirred = watch::Sender::new(0);
        let device = OwnedDeviceId::from(device);
        Some(Self {
            inner: Arc::new(Inner {
                server,
                outbox,
                store,
                user,
                device,
                request_ms,
                retry,
                code,
                wanted,
                held,
                sending,
                stirred,
                counts,
                settled,
            }),
        })
    }

    /// Makes the key of a file for an encrypted room, for [`Outbox::stage_sealed`].
    ///
    /// # Errors
    /// `Other` if the system gives no randomness.
    pub fn seal_file(&self) -> Result<Box<dyn SealFile>> {
        Ok(Box::new(file::Sealing::new()?))
    }

    /// Has what is new looked at.
    pub(crate) fn stir(&self) {
        self.inner.stirred.send_modify(|count| *count += 1);
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { user, device, .. } = &*self.inner;
        f.debug_struct("Encryption").field("user", user).field("device", device).finish_non_exhaustive()
    }
}
