use super::plan::Plan;
use super::run::run;
use super::state::Faults;

/// Runs that shrinking may take.
const RUNS: usize = 400;

/// The shortest plan found that breaks the same law: actions are left out, waits cut, faults switched off,
/// as long as it still does.
pub fn shrink(plan: &Plan) -> Plan {
    let Some(law) = run(plan, false).violation.map(|violation| violation.law) else { return plan.clone() };
    let mut runs = 0;
    let mut breaks = |plan: &Plan| {
        runs += 1;
        runs <= RUNS && run(plan, false).violation.is_some_and(|violation| violation.law == law)
    };
    let mut best = plan.clone();
    let mut part = best.actions.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < best.actions.len() {
            let mut shorter = best.clone();
            shorter.actions.drain(at..(at + part).min(best.actions.len()));
            if breaks(&shorter) {
                best = shorter;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    for quiet in quieter(best.faults) {
        let calmer = Plan { faults: quiet, ..best.clone() };
        if breaks(&calmer) {
            best = calmer;
        }
    }
    let alone = Plan { contexts: 1, ..best.clone() };
    if breaks(&alone) {
        best = alone;
    }
    best
}

fn quieter(faults: Faults) -> Vec<Faults> {
    let all = [
        Faults { latency_ms: faults.latency_ms, ..Faults::default() },
        Faults { unsent: 0, ..faults },
        Faults { lost: 0, ..faults },
        Faults { answer_lost: 0, ..faults },
        Faults { late: 0, ..faults },
        Faults { truncated: 0, ..faults },
        Faults { proxy: 0, proxy_after: 0, ..faults },
        Faults { limited: 0, ..faults },
        Faults { storage: 0, outcome: 0, ..faults },
    ];
    all.to_vec()
}
