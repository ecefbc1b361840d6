//! The obstacles of a request, and waiting as long as the server wants.

use std::time::Duration;

use haos_cli::parts::{Error, Result, notice};
use haos_matrix::ClientError;
use haos_queue::{Answer, Verdict};

/// How long pauses may be in all, for one request.
const MOST_MS: u64 = 600_000;
/// The shortest pause, and the one of a server that says none.
const LEAST_MS: u64 = 1000;
/// Between two tries of a read that was not answered.
const AGAIN: Duration = Duration::from_millis(300);

/// The reason why a request brought nothing.
#[derive(Debug)]
pub(super) enum Halt {
    /// The server wants a pause of this number of milliseconds.
    Pause(u64),
    /// It was not reached.
    Unreached(String),
    /// It refused, or something else is wrong.
    Over(Error),
}

impl Halt {
    /// Reads the server's other answer to a request.
    pub(super) fn of(what: &str, answer: &Answer) -> Self {
        match answer.verdict(false) {
            Verdict::RateLimited { wait_ms } => Self::Pause(wait_ms),
            Verdict::Transient { error, .. } => Self::Unreached(error),
            _ => Self::Over(Error::Input(format!("{what}: the homeserver refused it ({answer})"))),
        }
    }
}

impl From<ClientError> for Halt {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Busy { wait_ms } => Self::Pause(wait_ms),
            ClientError::Unreachable(error) => Self::Unreached(error),
            ClientError::Store(error) => Self::Over(Error::Store(error)),
            ClientError::Connect(_) | ClientError::Refused(_) => Self::Over(Error::Input(error.to_string())),
            error => Self::Over(Error::Failed(error.to_string())),
        }
    }
}

/// Asks, and asks again after the pauses that the server wants; `tries`: how often it may be out of reach.
pub(super) async fn patiently<T>(
    what: &str,
    tries: u32,
    mut ask: impl AsyncFnMut() -> Result<T, Halt>,
) -> Result<T> {
    let (mut waited_ms, mut tried) = (0, 1);
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(Halt::Over(error)) => return Err(error),
            Err(Halt::Pause(wait_ms)) => {
                let wait_ms = wait_ms.max(LEAST_MS);
                let seconds = wait_ms.div_ceil(1000);
                waited_ms += wait_ms;
                if waited_ms > MOST_MS {
                    let text = format!("{what}: the homeserver asks for a pause: try again in {seconds} s");
                    return Err(Error::Later(text));
                }
                notice(&format!("{what}: the homeserver asks for a pause of {seconds} s"));
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            Err(Halt::Unreached(_)) if tried < tries => {
                tried += 1;
                tokio::time::sleep(AGAIN).await;
            }
            Err(Halt::Unreached(error)) => {
                return Err(Error::Later(format!(
                    "{what}: the homeserver was not reached ({error}): check its address and the network, \
                     then try again"
                )));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use haos_queue::Refusal;

    use super::*;

    fn refused(status: u16, code: &str) -> Answer {
        Answer::Refused(Refusal::new(status, code))
    }

    #[test]
    fn every_answer_has_its_code() {
        assert!(matches!(Halt::of("x", &refused(429, "M_LIMIT_EXCEEDED")), Halt::Pause(0)));
        assert!(matches!(Halt::of("x", &Answer::Unsent), Halt::Unreached(_)));
        assert!(matches!(Halt::of("x", &refused(403, "M_FORBIDDEN")), Halt::Over(Error::Input(_))));
    }

    #[tokio::test]
    async fn what_does_not_end_is_told() {
        let ask = async || Err::<(), _>(Halt::Pause(MOST_MS + 1));
        let never = patiently("x", 1, ask).await.unwrap_err();
        assert_eq!((never.code(), never.to_string().contains("try again in 601 s")), (5, true));
        let mut tries = 0;
        let gone = patiently("x", 2, async || {
            tries += 1;
            Err::<(), _>(Halt::Unreached("no connection".to_owned()))
        });
        assert!(gone.await.unwrap_err().to_string().contains("not reached (no connection)"));
        assert_eq!(tries, 2);
    }
}
