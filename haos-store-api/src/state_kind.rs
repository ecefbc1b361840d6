//! The kinds of state that belong to this library rather than to a protocol.

/// The token that the next sync goes on from: a JSON text, in the account's scope, under the empty key.
pub const SYNC_TOKEN: &str = "haos.sync_token";
/// The id of the sync filter on the server: a JSON text, in the account's scope.
pub const FILTER_ID: &str = "haos.filter_id";
/// What the user is writing: a JSON object in the room's scope. The members named in
/// [`DRAFT_TARGETS`] are ids of messages, which pruning spares.
pub const DRAFT: &str = "haos.draft";
/// The members of a draft that name the message it is about.
pub const DRAFT_TARGETS: [&str; 2] = ["reply_to", "edit_of"];
/// The spaces of a room: a JSON list of room ids, in the account's scope, under the room's id.
pub const SPACES: &str = "haos.spaces";
/// What came from the server and could not be read, kept for a later version.
pub const UNREADABLE: &str = "haos.unreadable";
/// How much a server sent that was not kept, by the reason, in the account's scope.
pub const LEFT_OUT: &str = "haos.left_out";
/// The own user's id: a JSON text, in the account's scope.
pub const OWN_USER: &str = "haos.user";
/// Who is logged in, where, and with which tokens, in the account's scope: what the protocol keeps of it.
/// Clearing a store spares it while the outbox stays, whose rows belong to its device.
pub const SESSION: &str = "haos.session";
/// How far a file of responses was imported, in the account's scope.
pub const IMPORT: &str = "haos.import";
