//! Files of a native store and beside it, for backends and for whoever keeps a lock there.
//!
//! A store may come from a folder that somebody else packed. So nothing here follows a link:
//!
//! - [`resolve`] turns a path into the real one, once, when a store is opened. Everything beside the store is named
//!   after that, so that a link and the path it leads to share one lock and one log.
//! - What is made is made anew, readable for its owner alone: [`create`], [`create_folder`], and [`replace`], which
//!   keeps the rights of what it replaces. What is made for a moment bears a name of [`random_name`].
//! - What has a fixed name is opened with [`open`] or checked with [`refuse_odd`], which take a regular file and refuse
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
