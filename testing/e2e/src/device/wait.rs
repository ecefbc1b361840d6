use std::time::{Duration, Instant};

use crate::{Error, Result};

/// How long anything may take: loaded machines are slow.
const LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until `so` is true; looks again and again, for a minute.
///
/// # Errors
/// It never was.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) -> Result<()> {
    let started = Instant::now();
    while !so().await {
        if started.elapsed() > LIMIT {
            return Err(Error::new(format!("not within {} s", LIMIT.as_secs()), what));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
