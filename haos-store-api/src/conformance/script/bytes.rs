//! Scripts from bytes, for fuzzers.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{run, step};
use crate::conformance::{Harness, Outcome};

/// The continuation of an input's bytes, enough for any script: the generator asks again and again for a number other
/// than zero, and zeros would never end that. These bytes make everything as short as possible.
const END: [u8; 4 << 10] = [1; 4 << 10];

/// Runs the script whose randomness these bytes are, and compares every answer with the model, as
/// [`scripts`](super::scripts) does. Every harness runs the same script for the same bytes.
///
/// # Errors
/// The first fault, with its script.
pub async fn script_of(bytes: &[u8], harness: &mut dyn Harness) -> Outcome {
    let mut runner = runner(RngAlgorithm::PassThrough, &[bytes, &END].concat());
    let Ok(tree) = step::script().new_tree(&mut runner) else { return Ok(()) };
    let script = tree.current();
    run(harness, &script, 1).await.map_err(|failure| failure.within(format_args!("{script:#?}")))
}

/// Makes bytes of a script, as [`script_of`] reads them; `None` if a seed makes none.
pub fn script_bytes(seed: [u8; 32]) -> Option<Vec<u8>> {
    let mut runner = runner(RngAlgorithm::Recorder, &seed);
    step::script().new_tree(&mut runner).ok()?;
    Some(runner.bytes_used())
}

fn runner(algorithm: RngAlgorithm, seed: &[u8]) -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(algorithm, seed))
}
