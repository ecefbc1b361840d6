use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::options::{Rate, SynapseOptions};
use crate::port::random;

/// The server's name: the part of user ids behind the colon.
pub(super) const SERVER_NAME: &str = "localhost";

/// `homeserver.yaml`, of which JSON is a part.
pub(super) fn homeserver(folder: &Path, port: u16, options: &SynapseOptions) -> Value {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let free = || rate(Rate::FREE);
    let mut config = json!({
        "server_name": SERVER_NAME,
        "listeners": [{
            "port": port,
            "type": "http",
            "tls": false,
            "bind_addresses": ["127.0.0.1"],
            "resources": [{ "names": ["client", "media"], "compress": false }],
        }],
        "database": { "name": "sqlite3", "args": { "database": file("homeserver.db") } },
        "log_config": file("log.yaml"),
        "signing_key_path": file("signing.key"),
        "media_store_path": file("media"),
        "pid_file": file("homeserver.pid"),
        "macaroon_secret_key": secret(),
        "form_secret": secret(),
        "registration_shared_secret": secret(),
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "report_stats": false,
        "presence": { "enabled": false },
        "bcrypt_rounds": 4,
        "filter_timeline_limit": -1,
        "rc_message": rate(options.message_rate.unwrap_or(Rate::FREE)),
        "rc_registration": free(),
        "rc_login": { "address": free(), "account": free(), "failed_attempts": free() },
        "rc_joins": { "local": free(), "remote": free() },
        "rc_joins_per_room": free(),
        "rc_invites": { "per_room": free(), "per_user": free(), "per_issuer": free() },
        "rc_media_create": free(),
        "rc_room_creation": free(),
    });
    if let Some(life) = options.access_token_life {
        config["refreshable_access_token_lifetime"] = millis(life).into();
    }
    if let Some(bytes) = options.max_upload_bytes {
        config["max_upload_size"] = bytes.into();
    }
    for (key, value) in &options.extra {
        config[key] = value.clone();
    }
    config
}

/// Warnings, and a line a request; tokens are left out by Synapse itself.
pub(super) fn log() -> Value {
    json!({
        "version": 1,
        "formatters": { "line": { "format": "%(asctime)s %(levelname)s %(name)s: %(message)s" } },
        "handlers": { "out": { "class": "logging.StreamHandler", "formatter": "line" } },
        "loggers": { "synapse.access": { "level": "INFO" } },
        "root": { "level": "WARNING", "handlers": ["out"] },
        "disable_existing_loggers": false,
    })
}

/// An Ed25519 key as Synapse keeps it: a name, and 32 bytes in base64 without padding. Nobody but this
/// server, which knows no other one, will see a signature by it.
pub(super) fn signing_key() -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // 42 digits are 252 bits; the four that are missing are those of the last digit.
    let digit = || char::from(DIGITS[(random() % 64) as usize]);
    let seed: String = std::iter::repeat_with(digit).take(42).collect();
    format!("ed25519 a_e2e {seed}A\n")
}

/// Synapse takes a number as milliseconds.
fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX)
}

fn rate(rate: Rate) -> Value {
    json!({ "per_second": rate.per_second, "burst_count": rate.burst })
}

fn secret() -> String {
    format!("{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_override_the_defaults_and_extra_overrides_all() {
        let mut options = SynapseOptions {
            message_rate: Some(Rate { per_second: 0.5, burst: 3 }),
            access_token_life: Some(Duration::from_secs(2)),
            ..SynapseOptions::default()
        };
        let config = homeserver(Path::new("f"), 1, &options);
        assert_eq!(config["rc_message"], json!({ "per_second": 0.5, "burst_count": 3 }));
        assert_eq!(config["refreshable_access_token_lifetime"], 2000);
        assert_eq!(config.get("max_upload_size"), None);
        options.extra.insert("rc_message".into(), json!(null));
        assert_eq!(homeserver(Path::new("f"), 1, &options)["rc_message"], json!(null));
    }
}
