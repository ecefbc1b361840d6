use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use haos_e2e::{Fault, FaultKind, Proxy, Rule};
use tokio::task::JoinHandle;

use crate::chance::Chance;

/// How long one kind of fault prevails.
const WINDOW: Duration = Duration::from_millis(1500);
/// While it prevails, of this number of requests one meets it.
const ONE_OF: u64 = 3;
/// Of all requests, how many meet each other kind meanwhile.
const ASIDE: f64 = 0.02;

/// Faults, one kind prevailing after the other.
pub(crate) struct Weather(JoinHandle<Vec<Prevailing>>, tokio::sync::oneshot::Sender<()>);

/// A kind of fault, its rule for messages sent, its rule for what is read, and those for keys.
pub(crate) struct Prevailing {
    pub(crate) kind: FaultKind,
    sends: Rule,
    reads: Rule,
    keys: [Rule; 2],
}

impl Weather {
    pub(crate) fn begin(proxy: Arc<Proxy>, seed: u64) -> Self {
        let (end, mut ended) = tokio::sync::oneshot::channel();
        let blowing = tokio::spawn(async move {
            let mut kinds: Vec<_> = FaultKind::ALL.into_iter().map(Prevailing::new).collect();
            for round in 0.. {
                let turn = round % kinds.len();
                let aside = kinds.iter().enumerate().filter(|(n, _)| *n != turn).map(|(n, other)| {
                    let seed = Chance::new(seed, (round * kinds.len() + n) as u64).bits();
                    Rule::new(fault(other.kind)).chance(ASIDE, seed)
                });
                let [asked, given] = kinds[turn].keys.clone();
                let now = [kinds[turn].sends.clone(), kinds[turn].reads.clone(), asked, given];
                proxy.set_rules(now.into_iter().chain(aside));
                let over = tokio::time::timeout(WINDOW, &mut ended).await.is_ok();
                let mut counted = proxy.set_rules([]).into_iter();
                let now = &mut kinds[turn];
                let [asked, given] = &mut now.keys;
                for rule in [&mut now.sends, &mut now.reads, asked, given] {
                    *rule = counted.next().unwrap();
                }
                if over {
                    break;
                }
            }
            kinds
        });
        Self(blowing, end)
    }

    /// From now on nothing fails.
    pub(crate) async fn end(self) -> Vec<Prevailing> {
        self.1.send(()).unwrap();
        self.0.await.unwrap()
    }
}

impl Prevailing {
    fn new(kind: FaultKind) -> Self {
        let rule = || Rule::new(fault(kind)).every(ONE_OF);
        let keys = ["*/keys/*", "*/sendToDevice/*"].map(|path| rule().path(path));
        Self { kind, sends: rule().method("PUT").path("*/send/*"), reads: rule().method("GET"), keys }
    }

    /// Of the messages sent while it prevailed, the share that met it, and how many there were.
    pub(crate) fn share_of_sends(&self) -> (f64, u64) {
        share(&self.sends)
    }

    /// The same of syncs, pages and other reads.
    pub(crate) fn share_of_reads(&self) -> (f64, u64) {
        share(&self.reads)
    }

    /// How many requests for keys and with keys met it, and how many there were.
    pub(crate) fn keys(&self) -> (u64, u64) {
        let [asked, given] = &self.keys;
        (asked.fired() + given.fired(), asked.seen() + given.seen())
    }
}

fn share(rule: &Rule) -> (f64, u64) {
    (rule.fired() as f64 / rule.seen().max(1) as f64, rule.seen())
}

/// Short, so that the storm is.
fn fault(kind: FaultKind) -> Fault {
    match kind {
        FaultKind::DropResponse => Fault::DropResponse,
        FaultKind::ResetBefore => Fault::ResetBefore,
        FaultKind::Truncate => Fault::Truncate,
        // Longer than the clients wait.
        FaultKind::HangAfter => Fault::HangAfter { at_most: Duration::from_secs(10) },
        FaultKind::Status429 => Fault::Status429 { retry_after: Duration::from_millis(50) },
        FaultKind::Status502 => Fault::Status502,
        FaultKind::Latency => Fault::Latency(Duration::from_millis(100)),
        FaultKind::Portal => Fault::Portal,
        FaultKind::Redirect => Fault::Redirect,
        other => panic!("what is {other:?}?"),
    }
}

/// How often each kind took effect.
pub(crate) fn fired(proxy: &Proxy) -> String {
    let mut text = String::new();
    for kind in FaultKind::ALL {
        write!(text, "{kind:?} {}, ", proxy.fired(kind)).unwrap();
    }
    format!("{text}answered {}", proxy.forwarded())
}
