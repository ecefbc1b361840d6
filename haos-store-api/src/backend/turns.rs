use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

/// Reads in a row without a pause: a fraction of a millisecond.
const READS: u32 = 32;

/// Pauses between reads, for a backend that answers short reads at once, in the caller's poll: a task that does nothing
/// but read would never let its executor have a turn. Every 32nd read gives way.
///
/// ```
/// use haos_store_api::backend::Turns;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let turns = Turns::default();
/// for _ in 0..100 {
///     turns.give_way().await; // and read
/// }
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Turns(AtomicU32);

impl Turns {
    /// Counts a read, and gives way if it is time.
    pub async fn give_way(&self) {
        let mut pauses = self.0.fetch_add(1, Ordering::Relaxed) % READS == READS - 1;
        poll_fn(|context| {
            if !std::mem::take(&mut pauses) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_only_reads_gives_way() {
        let turns = Turns::default();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut pauses = 0;
        for _ in 0..2 * READS {
            let mut turn = std::pin::pin!(turns.give_way());
            if turn.as_mut().poll(&mut context).is_pending() {
                pauses += 1;
                assert!(turn.poll(&mut context).is_ready(), "once is enough");
            }
        }
        assert_eq!(pauses, 2);
    }
}
