//! A Synapse for a person to try something with: users `ada` and `bob` with the password `secret`, and a room. Its
//! address is the first line of the output, and it ends when the input does.

use std::io::Read as _;

use haos_e2e::{Plain, Result, Synapse, SynapseOptions};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let synapse = Synapse::start(SynapseOptions::default()).await?;
    let ada = Plain::register(synapse.address(), "ada", "secret").await?;
    let bob = Plain::register(synapse.address(), "bob", "secret").await?;
    let invite = json!({ "name": "Harbour walk", "invite": [ada.user_id()] });
    let made = bob.call("POST", &["createRoom"], &invite).await?;
    let room = made["room_id"].as_str().unwrap_or_default();
    for body in ["Hello", "This homeserver is a real one"] {
        let message = json!({ "msgtype": "m.text", "body": body });
        bob.call("PUT", &["rooms", room, "send", "m.room.message", body], &message).await?;
    }
    println!("{}", synapse.url());
    // Nothing else is to be done here until then.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(synapse);
    Ok(())
}
