use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use haos_e2e::{FaultKind, Plain, Proxy, StoreKind};
use serde_json::json;
use tokio::task::JoinSet;

use crate::device::Device;
use crate::scene::Scene;
use crate::size::Size;
use crate::weather::{Prevailing, Weather, fired};
use crate::writer::WRITERS;
use crate::{check, kills, writer};

/// Whose device each is. Their stores are of three kinds out of four: the seed says which.
const DEVICES: [&str; 3] = ["ada", "ada", "bob"];
/// Between two lines that say how far it is.
const TELL: Duration = Duration::from_secs(5);
/// The least share of requests that meet a kind of fault while it prevails.
const SHARE: f64 = 0.2;

pub(crate) async fn run(size: Size) {
    println!("{size:?}");
    let began = Instant::now();
    let Scene { synapse, ada, bob, rooms } = Scene::set(size.rooms).await;
    let proxy = Arc::new(Proxy::start(synapse.address()).await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut devices = Vec::new();
    for (number, user) in DEVICES.into_iter().enumerate() {
        let kind = StoreKind::ALL[(size.seed as usize + 3 + number) % StoreKind::ALL.len()];
        let place = (&*proxy.url(), folder.path());
        devices.push(Arc::new(Device::start(user, number, kind, place, rooms.len()).await));
    }
    let (devices, rooms) = (Arc::new(devices), Arc::new(rooms));
    have_keys(&ada, &devices).await;
    println!("{:.0?}: the storm begins", began.elapsed());
    let weather = Weather::begin(proxy.clone(), size.seed);
    let blowing = Instant::now();
    let storm = blow(&devices, &rooms, synapse, &proxy, size);
    let Ok((synapse, killed)) = tokio::time::timeout(size.limit, storm).await else {
        let mut left = Vec::new();
        for device in &*devices {
            left.push(format!(
                "{}: {} taken, {:?}",
                device.name,
                device.taken(),
                device.worker().rows().await
            ));
        }
        panic!("not over after {:?}: {left:#?}", size.limit);
    };
    let weather = weather.end().await;
    println!("{:.0?}: the storm is over, {killed} kills; {}", blowing.elapsed(), fired(&proxy));
    shares(&weather, &proxy);
    let mut dumps = Vec::new();
    for device in &*devices {
        let worker = device.worker();
        worker.settle().await.unwrap_or_else(|e| panic!("{}: {e}", device.name));
        let gaps = worker.dump().await.unwrap();
        let gaps: usize = rooms.iter().map(|room| gaps.gaps(room)).sum();
        let pages = worker.fill().await.unwrap_or_else(|e| panic!("{}: {e}", device.name));
        println!("{:.0?}: {}: {gaps} gaps, {pages} pages to fill them", began.elapsed(), device.name);
        dumps.push(worker.dump().await.unwrap());
        worker.stop().await.unwrap();
    }
    let sent = check::truth(&ada, &devices, &dumps, &rooms).await;
    for (device, dump) in devices.iter().zip(&dumps) {
        let plain = if device.user == "ada" { &ada } else { &bob };
        check::timelines(plain, device, dump, &rooms).await;
    }
    println!(
        "{:.0?}: {sent} messages, each once, on the server and on {} devices",
        began.elapsed(),
        dumps.len()
    );
    drop(synapse);
}

/// Waits until everybody can write to every device: what is written before that, it cannot read.
async fn have_keys(plain: &Plain, devices: &[Arc<Device>]) {
    let users: BTreeMap<_, _> =
        devices.iter().map(|device| (format!("@{}:localhost", device.user), json!([]))).collect();
    haos_e2e::until("every device has keys at the server", async || {
        let answer = plain.call("POST", &["keys", "query"], &json!({ "device_keys": users })).await.unwrap();
        devices.iter().all(|device| {
            answer["device_keys"][format!("@{}:localhost", device.user)][&device.id].is_object()
        })
    })
    .await
    .unwrap();
    for device in devices {
        device.worker().settle().await.unwrap();
    }
}

/// Writes, kills and restarts, until everything that was taken is sent.
async fn blow(
    devices: &Arc<Vec<Arc<Device>>>,
    rooms: &Arc<Vec<String>>,
    synapse: haos_e2e::Synapse,
    proxy: &Proxy,
    size: Size,
) -> (haos_e2e::Synapse, usize) {
    let began = Instant::now();
    let killing = tokio::spawn(kills::kill(devices.clone(), size));
    let restarting = tokio::spawn(kills::restart(devices.clone(), synapse, size));
    let mut writing = JoinSet::new();
    let writers = devices.len() * WRITERS;
    for n in 0..writers {
        let share = size.messages / writers + usize::from(n < size.messages % writers);
        let (device, rooms) = (devices[n / WRITERS].clone(), rooms.clone());
        writing.spawn(writer::write(device, rooms, n % WRITERS, share, size.seed ^ (n as u64) << 32));
    }
    let tell = async {
        loop {
            tokio::time::sleep(TELL).await;
            let taken: Vec<_> = devices.iter().map(|device| device.taken()).collect();
            println!("{:.0?}: taken {taken:?}; {}", began.elapsed(), fired(proxy));
        }
    };
    let all = async {
        while let Some(done) = writing.join_next().await {
            done.unwrap();
        }
        let killed = killing.await.unwrap();
        let synapse = restarting.await.unwrap();
        println!("{:.0?}: everything is written", began.elapsed());
        for device in &**devices {
            while device.worker().rows().await.unwrap().iter().any(|row| row.state != "Sent") {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        (synapse, killed)
    };
    tokio::select! {
        done = all => done,
        () = tell => unreachable!(),
    }
}

/// Every kind of fault befell what it prevailed over as often as it should.
fn shares(weather: &[Prevailing], proxy: &Proxy) {
    for prevailing in weather {
        let (kind, (sends, of_sends)) = (prevailing.kind, prevailing.share_of_sends());
        let (reads, of_reads) = prevailing.share_of_reads();
        let (keys, of_keys) = prevailing.keys();
        println!(
            "{kind:?}: {sends:.2} of {of_sends} sends, {reads:.2} of {of_reads} reads, {keys} of {of_keys} for keys \
             while it prevailed"
        );
        assert!(of_sends > 0 && sends >= SHARE, "{kind:?} befell {sends:.2} of {of_sends} sends");
        assert!(of_reads > 0 && reads >= SHARE, "{kind:?} befell {reads:.2} of {of_reads} reads");
    }
    for kind in FaultKind::ALL {
        assert!(proxy.fired(kind) > 0, "{kind:?} never took effect");
    }
}
