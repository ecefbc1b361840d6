use haos_e2e::{Plain, Rate, Synapse, SynapseOptions};

use super::{demo, password_file};

/// The messages of the script that arrive.
const DELIVERED: usize = 17;

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_new_user_sends_all_of_it_and_leaves() {
    let synapse = Synapse::start(SynapseOptions::default()).await.unwrap();
    let run = demo(&["--homeserver", &synapse.url(), "--register"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for part in [
        &format!("server: {}, as haos-demo-", synapse.url()),
        "through a relay that loses requests and answers",
        "20 things acknowledged in 4 rooms",
        "family: ",
        "of 17 messages on the server",
        "17 messages: every one there, once",
        "212,000 bytes, downloaded again, the same on the server",
        "no gap; outbox empty",
        "left again: 4 rooms",
        "17 messages written offline and delivered once, in order",
    ] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    assert!(run.stdout.ends_with("PASS\n"), "{}", run.stdout);
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn somebody_who_is_there_sends_at_the_pace_the_server_wants() {
    // So slow that no machine is slower: two messages within a second are one too many.
    let message_rate = Some(Rate { per_second: 1.0, burst: 1 });
    let synapse = Synapse::start(SynapseOptions { message_rate, ..SynapseOptions::default() }).await.unwrap();
    let ada = Plain::register(synapse.address(), "ada", "secret").await.unwrap();
    let (url, file) = (synapse.url(), password_file("secret"));
    let password = file.path().to_str().unwrap();
    let args = ["--json", "--homeserver", &url, "--user", "ada", "--password-file", password];
    let run = demo(&[&args[..], &["--keep-rooms"]].concat()).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let figures: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let outbox = &figures["outbox"];
    assert_eq!((&figures["pass"], &outbox["delivered"]), (&true.into(), &DELIVERED.into()), "{figures}");
    let count = |name: &str| outbox[name].as_u64().unwrap();
    assert!(count("kills") >= 3 && count("lost") + count("answers_lost") > 0, "{figures}");
    assert!(count("rate_limited") > 0, "{figures}");

    // Another client's view of it.
    let sync = ada.sync(None, std::time::Duration::ZERO).await.unwrap();
    let rooms = sync["rooms"]["join"].as_object().unwrap();
    assert_eq!(rooms.len(), 4);
    let mut bodies = Vec::new();
    for room in rooms.keys() {
        let history = ada.history(room).await.unwrap();
        let written = history.iter().filter(|happening| happening.state_key.is_none());
        bodies.extend(written.map(|happening| happening.content.to_string()));
    }
    assert_eq!(bodies.len(), DELIVERED, "{bodies:#?}");
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), DELIVERED, "nothing is there twice: {bodies:#?}");
}
