use haos_e2e::{Plain, Synapse, SynapseOptions};

use super::{demo, password_file};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn who_is_not_let_in_is_told_why() {
    let mut options = SynapseOptions::default();
    options.extra.insert("enable_registration".into(), false.into());
    options.extra.insert("enable_registration_without_verification".into(), false.into());
    let mut synapse = Synapse::start(options).await.unwrap();
    let url = synapse.url();
    let new = demo(&["--homeserver", &url, "--register"]).await;
    new.fails(3, &[&url, "lets nobody register (403 M_FORBIDDEN)", "--password-file"]);
    let file = password_file("wrong");
    let password = file.path().to_str().unwrap();
    let args = ["--homeserver", &url, "--user", "ada", "--password-file", password];
    demo(&args).await.fails(3, &[&url, "403 M_FORBIDDEN", "check the user, the password"]);
    synapse.stop().await.unwrap();
    demo(&args).await.fails(5, &[&url, "was not reached"]);
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_login_that_must_wait_waits() {
    let mut options = SynapseOptions::default();
    let slow = serde_json::json!({ "per_second": 0.5, "burst_count": 1 });
    let free = serde_json::json!({ "per_second": 1000, "burst_count": 1000 });
    options.extra.insert(
        "rc_login".into(),
        serde_json::json!({
            "address": slow, "account": free, "failed_attempts": free
        }),
    );
    let synapse = Synapse::start(options).await.unwrap();
    Plain::register(synapse.address(), "ada", "secret").await.unwrap();
    let file = password_file("wrong");
    let (url, password) = (synapse.url(), file.path().to_str().unwrap().to_owned());
    let args = ["--homeserver", &url, "--user", "ada", "--password-file", &password];
    // The first one has used up what is granted at once.
    demo(&args).await.fails(3, &["403 M_FORBIDDEN"]);
    demo(&args).await.fails(3, &["asks for a pause of", "403 M_FORBIDDEN"]);
}
