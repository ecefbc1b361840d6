//! The kinds of state that belong to this library rather than to a protocol.

/// The token from which the next sync continues: a JSON text, in the account's scope, under the empty key.
pub const SYNC_TOKEN: &str = "haos.sync_token";
/// The id of the sync filter on the server: a JSON text, in the account's scope.
pub const FILTER_ID: &str = "haos.filter_id";
/// The user's draft: a JSON object in the room's scope. Its members named in [`DRAFT_TARGETS`] are ids of messages,
/// which pruning spares.
pub const DRAFT: &str = "haos.draft";
/// The members of a draft that name its target message.
pub const DRAFT_TARGETS: [&str; 2] = ["reply_to", "edit_of"];
/// The spaces of a room: a JSON list of room ids, in the account's scope, under the room's id.
pub const SPACES: &str = "haos.spaces";
/// The tags of a room, a copy of what its scope has: in the account's scope, under the room's id, so that a list finds
/// the favourites among many rooms.
pub const TAGS: &str = "haos.tags";
/// The mark of a room as unread, a copy like [`TAGS`].
pub const MARKED_UNREAD: &str = "haos.marked_unread";
/// Unreadable data from the server, kept for a later version.
pub const UNREADABLE: &str = "haos.unreadable";
/// The amount of server data that was not kept, by the reason, in the account's scope.
pub const LEFT_OUT: &str = "haos.left_out";
/// The own user's id: a JSON text, in the account's scope.
pub const OWN_USER: &str = "haos.user";
/// The login, its server and tokens, in the account's scope, in the protocol's form. Clearing a store spares it while
/// the outbox stays, whose rows belong to its device.
pub const SESSION: &str = "haos.session";
/// A room that is encrypted, or once was: `{}`, in the account's scope, under the room's id. Whatever the room's state says
/// later, nothing that the user writes goes there unencrypted.
pub const ENCRYPTED: &str = "haos.encrypted";
/// The progress of importing a file of responses, in the account's scope.
pub const IMPORT: &str = "haos.import";
/// In a room's scope, under the empty key, whether all members are stored: `{"at": token}` if they are, as of that sync
/// token, `{}` if changes may have been missed.
pub const MEMBERS: &str = "haos.members";
/// The beginning of the kinds that hold the keys of an account's device, in the account's scope (`haos-crypto`). Who
/// clears an account keeps all of them or removes all of them: half a device is none.
pub const KEYS: &str = "haos.e2ee.";
