//! A chat behind a port: each call comes as JSON text and is answered by JSON text, so that frontends in other
//! languages have one way in, whether the port is that of a worker, of a window of a desktop application, or a function.
//!
//! Nothing is pushed. What is live is watched: the answer has the value as it is, and each
//! `next` waits for what follows, steps for a list and another value else. So a page that sleeps has no queue: it
//! gets one batch of steps when it wakes up.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos::Result<()> {
//! use haos_wire::Desk;
//!
//! let desk = Desk::new(haos::Chat::open("memory:").offline().await?);
//! let answer = desk.call(r#"{"call":"watch","of":{"list":"outbox"}}"#).await;
//! assert_eq!(answer.as_deref(), Ok(r#"{"watch":1,"now":[]}"#));
//! let refused = desk.call(r#"{"call":"dance"}"#).await.unwrap_err();
//! assert!(refused.contains("\"code\":\"invalid\""));
//! # Ok(()) }
//! ```

mod answer;
pub mod call;
mod desk;
mod error;
mod kept;
mod message;
mod wanted;
mod watch;

pub use desk::{Desk, Done, Following, Media, Watching};
pub use error::{ErrorCode, Failure, Result};
pub use kept::{HeldBack, KeepCall, Kept, KeptCall, KeptName, KeptWanted, ToKeep};
pub use message::{Message, MessageKind, Target};
pub use wanted::{FileFacts, MediaWanted, Part, RoomQuery, Watched};
