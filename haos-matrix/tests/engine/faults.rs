//! Everything fails, as a seed says; at the end everything is there.

use haos_sim::{Blow, Chance};
use haos_store_api::ErrorKind;

use crate::client::Client;

/// Something happens in the world.
fn happen(client: &mut Client, chance: &mut Chance) {
    let id = format!("!r{}", chance.below(4));
    let mut model = client.wire.model();
    match chance.below(12) {
        0..=6 => model.messages(&id, 1 + usize::try_from(chance.below(12)).unwrap()),
        7 => model.state(&id, "@bob:sim", "m.room.topic", "", serde_json::json!({ "topic": "new" })),
        8 => model.member(&id, &format!("@guest{}:sim", chance.below(5)), "join"),
        9 => model.age += u64::from(chance.percent(30)),
        10 => *client.wire.percent.lock().unwrap() = chance.below(60),
        _ => drop(model),
    }
}

fn run(seed: u64) {
    let mut chance = Chance::new(seed);
    let mut client = Client::with(seed, crate::client::options(), seed.is_multiple_of(3));
    for n in 0..4 {
        let id = format!("!r{n}");
        client.wire.model().create(&id);
        client.wire.model().join(&id);
    }
    client.plan.lock().unwrap().chance = Some(Chance::new(seed + 1));
    client.start();
    for _ in 0..25 {
        happen(&mut client, &mut chance);
        client.plan.lock().unwrap().percent = chance.below(40);
        if chance.percent(20) {
            let blow = *chance.pick(&[Blow::DieBefore, Blow::DieAfter, Blow::Fail(ErrorKind::Busy)]).unwrap();
            client.plan.lock().unwrap().after(chance.below(3), blow);
        }
        client.pass(chance.below(200_000));
        client.check();
        let dead = client.plan.lock().unwrap().dead;
        if dead || chance.percent(15) {
            client.start();
        }
        if chance.percent(10) {
            let (_, other) = client.another();
            client.spawn(other);
        }
    }
    *client.wire.percent.lock().unwrap() = 0;
    {
        let mut plan = client.plan.lock().unwrap();
        (plan.percent, plan.blow) = (0, None);
    }
    client.start();
    assert!(client.caught_up() && client.fill_all());
    client.check_complete();
}

#[test]
fn whatever_fails_everything_is_there_in_the_end() {
    for seed in 0..120 {
        run(seed);
    }
}

/// Requests fail while gaps are filled, too.
#[test]
fn gaps_are_filled_through_faults() {
    for seed in 0..20 {
        let mut client = Client::new(seed);
        client.wire.model().create("!r");
        client.wire.model().join("!r");
        client.start();
        assert!(client.caught_up());
        client.kill();
        client.wire.model().messages("!r", 100);
        *client.wire.percent.lock().unwrap() = 40;
        client.start();
        assert!(client.caught_up() && client.fill_all());
        client.check_complete();
    }
}
