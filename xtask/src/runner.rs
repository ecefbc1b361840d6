use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use haos_skip::Skipped;

use crate::Result;
use crate::need::Need;
use crate::skipped::All;
use crate::step::{CiStep, StepName};
use crate::{beside, setup, tidy};

/// Runs the steps in order and stops at the first that fails. What was skipped is told at the end, and is a failure
/// where this machine could have had it.
pub(crate) fn run(root: &Path, steps: &[CiStep]) -> Result {
    if steps.is_empty() {
        return Err(
            "no step to run: some run with --full alone, as `cargo xtask test --full --list` shows".into()
        );
    }
    prepare(steps)?;
    let started = Instant::now();
    let (mut done, mut skipped) = (Vec::new(), All::default());
    for step in steps {
        println!("\n==> {}: {}", step.name, step.about);
        let begun = Instant::now();
        let outcome = run_one(root, step, &mut skipped);
        let took = begun.elapsed();
        match outcome {
            Ok(note) => {
                println!("<== {}: {note} in {}", step.name, seconds(took));
                done.push((step.name, note, took));
            }
            Err(reproduce) => return Err(failure(step.name, took, &reproduce)),
        }
    }
    println!("\nstep     outcome  time");
    for (name, note, took) in done {
        println!("{name:8} {note:8} {}", seconds(took));
    }
    if let Some(summary) = skipped.summary() {
        println!("{summary}");
    }
    skipped.check()?;
    println!("everything that ran passed, in {}", seconds(started.elapsed()));
    Ok(())
}

fn prepare(steps: &[CiStep]) -> Result {
    Need::meet_all(steps.iter().flat_map(|step| step.needs.iter().copied()).collect())?;
    setup::warn_without_c_compiler();
    Ok(())
}

/// Runs a step; returns its outcome, or the line that repeats what failed.
fn run_one(root: &Path, step: &CiStep, skipped: &mut All) -> Result<&'static str> {
    if let Some(need) = step.optional.iter().find(|need| !need.is_met()) {
        println!("{} is not installed, so this was NOT done: {}", need.name(), step.about);
        println!("to have it: {}", need.remedy());
        let (name, why) = (format!("step {}", step.name), format!("{} is not installed", need.name()));
        skipped.add(Skipped { name, why, how: need.remedy(), could: false });
        return Ok("skipped");
    }
    if step.commands.is_empty() && step.beside.is_empty() {
        return tidy::run(root, false).map(|()| "ok").map_err(|message| {
            eprintln!("{message}");
            "cargo xtask tidy".into()
        });
    }
    for cmd in &step.commands {
        println!("$ {cmd}");
        if !cmd.run(root) {
            return Err(cmd.to_string());
        }
    }
    let heard = Mutex::new(skipped);
    let hear = |text: &str| heard.lock().unwrap_or_else(PoisonError::into_inner).gather(text);
    beside::run(root, &step.beside, hear)?;
    Ok("ok")
}

fn failure(name: StepName, took: Duration, reproduce: &str) -> String {
    format!("step {name} failed after {}; repeat it alone with\n\n    {reproduce}\n", seconds(took))
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::Cmd;

    fn step(commands: Vec<Cmd>) -> CiStep {
        CiStep {
            name: StepName::Fmt,
            about: "a step",
            needs: Vec::new(),
            optional: Vec::new(),
            commands,
            beside: Vec::new(),
        }
    }

    #[test]
    fn a_failure_names_the_command_that_repeats_it() {
        let steps = [step(vec![Cmd::cargo("--version"), Cmd::new("no-such-program", &["x y"])])];
        let message = run(Path::new("."), &steps).unwrap_err();
        assert!(message.starts_with("step fmt failed after"), "{message}");
        assert!(message.contains("    no-such-program 'x y'\n"), "{message}");
    }

    #[test]
    fn steps_that_pass_pass() {
        assert_eq!(run(Path::new("."), &[step(vec![Cmd::cargo("--version")])]), Ok(()));
    }

    #[test]
    fn what_a_test_skipped_without_need_fails_the_run_and_what_it_had_to_skip_does_not() {
        let says = |line: &str| CiStep { beside: vec![Cmd::new("echo", &[line])], ..step(Vec::new()) };
        let run = |line: &str| run(Path::new("."), &[says(line), step(vec![Cmd::cargo("--version")])]);
        assert_eq!(run("skipped: p t: no disk; to have it: be root"), Ok(()));
        let message = run("skipped without need: p t: no disk; to have it: be root").unwrap_err();
        assert!(message.contains("no disk; to have it: be root\n    p t"), "{message}");
    }

    #[test]
    fn an_empty_run_is_not_a_pass() {
        assert!(run(Path::new("."), &[]).is_err());
    }
}
