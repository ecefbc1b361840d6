use std::time::Duration;

use haos_e2e::{Device, Fault, FaultKind, Plain, Proxy, Rule, StoreKind, Synapse, hurried};
use haos_matrix::compose;
use haos_store_api::{RoomId, TxnId};

pub(crate) const PASSWORD: &str = "secret";

/// A room with a message in doubt: an attempt had no answer.
pub(crate) struct Doubt {
    pub(crate) room: RoomId,
    pub(crate) txn_id: TxnId,
}

/// A device that ended with two messages in doubt, of which the server has one, and unsent ones behind them.
pub(crate) struct Doubts {
    pub(crate) user: String,
    pub(crate) device: Device,
    pub(crate) proxy: Proxy,
    /// Another device of the same user, for the truth.
    pub(crate) plain: Plain,
    /// The server has the message; its answer was lost.
    pub(crate) arrived: Doubt,
    /// The server never heard of it.
    pub(crate) lost: Doubt,
}

impl Doubts {
    /// A user of that name, whose device is ended and whose network is back.
    pub(crate) async fn new(synapse: &Synapse, kind: StoreKind, prefix: &str) -> Self {
        let user = format!("{prefix}-{}", kind.name());
        let plain = Plain::register(synapse.address(), &user, PASSWORD).await.unwrap();
        let proxy = Proxy::start(synapse.address()).await.unwrap();
        let [arrived, lost] = [room(&plain, "Arrived").await, room(&plain, "Lost").await];
        let mut device = Device::login(kind, &proxy.url(), &user, PASSWORD, hurried()).await.unwrap();
        device.start();
        for room in [&arrived, &lost] {
            write(&device, room, "before").await;
        }
        device.until_delivered().await.unwrap();

        // From here on no echo comes, and no send is answered.
        proxy.offline(true).await.unwrap();
        proxy.set_rules([
            Rule::new(Fault::ResetBefore).method("GET").path("*/sync"),
            Rule::new(Fault::DropResponse).method("PUT").path(&sends(&arrived)),
            Rule::new(Fault::ResetBefore).method("PUT").path(&sends(&lost)),
        ]);
        proxy.offline(false).await.unwrap();
        let [arrived, lost] = [doubt(&device, arrived).await, doubt(&device, lost).await];
        let doubtful = async || device.rows().await.unwrap().iter().filter(|row| row.ambiguous).count() == 2;
        device.until("two attempts without an answer", doubtful).await.unwrap();
        proxy.offline(true).await.unwrap();
        device.stop().await.unwrap();
        proxy.set_rules([]);
        proxy.offline(false).await.unwrap();

        let doubts = Self { user, device, proxy, plain, arrived, lost };
        assert_eq!(doubts.texts(&doubts.arrived).await, ["before", "maybe"], "{}", doubts.user);
        assert_eq!(doubts.texts(&doubts.lost).await, ["before"], "{}", doubts.user);
        doubts
    }

    /// The texts of a room, as the server has them.
    pub(crate) async fn texts(&self, doubt: &Doubt) -> Vec<String> {
        let messages = self.plain.messages(doubt.room.as_str()).await.unwrap();
        messages.iter().map(|message| message.body().unwrap_or("?").to_owned()).collect()
    }

    /// Lets the device run, and counts how often a message in doubt is sent.
    pub(crate) fn start(&mut self) -> u64 {
        let rule = |doubt: &Doubt| {
            let path = format!("{}{}", sends(&doubt.room), doubt.txn_id);
            Rule::new(Fault::Latency(Duration::ZERO)).method("PUT").path(&path)
        };
        self.proxy.set_rules([rule(&self.arrived), rule(&self.lost)]);
        self.device.start();
        self.sends()
    }

    pub(crate) fn sends(&self) -> u64 {
        self.proxy.fired(FaultKind::Latency)
    }

    /// Everything was delivered: each message is there once and in order, and nothing was sent that was
    /// there.
    pub(crate) async fn ended_well(&mut self, sends: u64) {
        for doubt in [&self.arrived, &self.lost] {
            assert_eq!(self.texts(doubt).await, ["before", "maybe", "after"], "{}", self.user);
        }
        assert_eq!(self.sends() - sends, 1, "{}: the one that was lost", self.user);
        self.device.stop().await.unwrap();
    }

    /// Runs until everything is delivered, as it should be.
    pub(crate) async fn end_well(&mut self) {
        let sends = self.start();
        self.device.until_delivered().await.unwrap();
        self.ended_well(sends).await;
    }
}

async fn room(plain: &Plain, name: &str) -> RoomId {
    RoomId::new(plain.create_room(name, &[]).await.unwrap()).unwrap()
}

/// The paths of a room's sends; the id's first character is encoded in them.
fn sends(room: &RoomId) -> String {
    let name = room.as_str().trim_start_matches('!').split(':').next().unwrap();
    format!("/_matrix/client/*{name}*/send/m.room.message/*")
}

async fn doubt(device: &Device, room: RoomId) -> Doubt {
    let txn_id = write(device, &room, "maybe").await;
    write(device, &room, "after").await;
    Doubt { room, txn_id }
}

async fn write(device: &Device, room: &RoomId, body: &str) -> TxnId {
    device.client().outbox().enqueue(compose::text(room, body).unwrap()).await.unwrap().txn_id
}
