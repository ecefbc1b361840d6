//! The reader beside SQLite, and on hostile pages.
