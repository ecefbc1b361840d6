const MIB: usize = 1 << 20;

/// How much a store keeps of what a server sends unasked and nothing else bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepLimits {
    /// Things that could not be read (200), the oldest go first.
    pub unreadable: usize,
    /// Their bytes (1 MiB).
    pub unreadable_bytes: usize,
    /// Invites that were not answered (200). The one whose room had no activity for longest goes first; the
    /// next sync without a token may bring it again.
    pub invites: usize,
    /// The bytes of state that come with an invite (64 KiB): what is over it is left out.
    pub invite_bytes: usize,
    /// Events for this device alone (none: they are let go as they come). Set it where the application reads
    /// the account's entries of kinds `haos.to_device` and `haos.device_list`, and removes what it has read:
    /// as encryption does.
    pub to_device: Option<ToDeviceLimits>,
}

impl Default for KeepLimits {
    fn default() -> Self {
        Self { unreadable: 200, unreadable_bytes: MIB, invites: 200, invite_bytes: 64 << 10, to_device: None }
    }
}

/// How many events for this device wait for whoever reads them. What is stored is never dropped; what comes on
/// top of these is left out, counted and warned of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToDeviceLimits {
    /// Events of one sender (5,000).
    pub events: usize,
    /// Bytes of one sender (8 MiB).
    pub bytes: usize,
    /// Bytes of all senders (64 MiB).
    pub total_bytes: usize,
    /// Users whose devices changed (20,000). With more, one entry under the key `*` stands for all users.
    pub users: usize,
}

impl Default for ToDeviceLimits {
    fn default() -> Self {
        Self { events: 5000, bytes: 8 * MIB, total_bytes: 64 * MIB, users: 20_000 }
    }
}
