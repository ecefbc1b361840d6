//! The server's answers, and their consequences.

use haos_matrix::{MediaError, Variant};
use haos_queue::{Answer, PauseReason, Refusal};

use crate::server::*;
use crate::stores::*;

fn refused(status: u16, code: Option<&str>) -> Answer {
    Answer::Refused(Refusal { status, code: code.map(str::to_owned), ..Refusal::default() })
}

#[tokio::test]
async fn every_answer_has_its_error() {
    type Expected = fn(&MediaError) -> bool;
    let slow = Refusal { retry_after_ms: Some(5000), ..Refusal::new(429, "M_LIMIT_EXCEEDED") };
    let logged_out =
        Refusal { account: Some(PauseReason::SoftLogout), ..Refusal::new(401, "M_UNKNOWN_TOKEN") };
    let table: Vec<(Answer, bool, Expected)> = vec![
        (refused(404, Some("M_NOT_FOUND")), false, |e| matches!(e, MediaError::NotFound)),
        (refused(404, None), true, |e| matches!(e, MediaError::Unavailable { wait_ms: 0, .. })),
        (refused(502, None), true, |e| matches!(e, MediaError::Unavailable { wait_ms: 0, .. })),
        (refused(502, Some("M_TOO_LARGE")), false, |e| matches!(e, MediaError::Refused { .. })),
        (refused(504, Some("M_NOT_YET_UPLOADED")), true, |e| matches!(e, MediaError::NotYetUploaded)),
        (Answer::Refused(slow), true, |e| matches!(e, MediaError::Unavailable { wait_ms: 5000, .. })),
        (refused(403, Some("M_FORBIDDEN")), false, |e| matches!(e, MediaError::Refused { .. })),
        (refused(400, Some("M_UNKNOWN")), false, |e| matches!(e, MediaError::Refused { .. })),
        (refused(413, Some("M_TOO_LARGE")), false, |e| matches!(e, MediaError::Refused { .. })),
        (refused(302, None), true, |e| matches!(e, MediaError::Offline { .. })),
        (Answer::Refused(logged_out), false, |e| matches!(e, MediaError::Paused(PauseReason::SoftLogout))),
        (refused(401, None), true, |e| matches!(e, MediaError::Unavailable { .. })),
        (Answer::Unsent, true, |e| matches!(e, MediaError::Offline { .. })),
        (Answer::NoAnswer, true, |e| matches!(e, MediaError::Offline { .. })),
        (Answer::Unreadable, true, |e| matches!(e, MediaError::Offline { .. })),
        (Answer::Done, true, |e| matches!(e, MediaError::Unavailable { .. })),
    ];
    let mut home = Home::new(Backend::Memory, false);
    let store = home.open().await;
    let cache = home.cache(&store);
    for (n, (answer, is_retryable, expected)) in table.into_iter().enumerate() {
        let item = File::of(&bytes(20), 20);
        home.server.answer(&uri(n), Variant::Original, vec![Err(answer.clone()), Ok(item)]);
        let error = cache.get(&request(n)).await.unwrap_err();
        assert!(expected(&error), "{answer:?}: {error:?}");
        assert_eq!(error.is_retryable(), is_retryable, "{answer:?}");
        assert!(!error.to_string().is_empty());
        assert_eq!(cache.get(&request(n)).await.unwrap().info.size, 20, "nothing is remembered");
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        home.server.has(&uri(1), File::of(&bytes(20), 20));
        store.close().await.unwrap();
        let error = cache.get(&request(1)).await.unwrap_err();
        let is_closed = |e: &haos_store_api::Error| e.kind() == haos_store_api::ErrorKind::Closed;
        assert!(matches!(&error, MediaError::Store(e) if is_closed(e)), "{error:?}");
        assert_eq!(home.server.requests(), 0);
    })
    .await;
}
