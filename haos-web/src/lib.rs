//! What browsers offer an offline store, beside IndexedDB: Web Locks, channels between contexts, timers,
//! events, and what is known of storage quota. On other targets this crate is empty.
