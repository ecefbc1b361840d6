//! The files of a native store and beside it, for backends and for lock keepers.
//!
//! A store may come from a folder that somebody else packed. Therefore nothing here follows a link:
//!
//! - [`resolve`] turns a path into the real one, once, when a store is opened. Everything beside the store is named
//!   after that, so that a link and the path it leads to share one lock and one log.
//! - New files and folders are readable for their owner alone: [`create`], [`create_folder`], and [`replace`], which
//!   keeps the rights of the file that it replaces. Temporary ones bear a name of [`random_name`].
//! - A fixed name is opened with [`open`] or checked with [`refuse_odd`], which take a regular file and refuse
//!   links, pipes and devices.
//! - A folder is ours if it bears our [`Sign`] with the store's own [`StoreId`]. Nothing else is deleted.

mod aside;
mod id;
mod open;
mod path;
mod sign;

pub use aside::{SET_ASIDE, set_aside, set_aside_path, set_asides, wipe};
pub use id::{StoreId, random_name};
pub use open::{
    Expected, create, create_folder, keep_rights, open, overwrite, refuse_odd, replace, sync_folder,
};
pub use path::{beside, resolve};
pub use sign::{SIGN, Sign, signed_beside};
