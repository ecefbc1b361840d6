//! `haos devices`: who can read what is written in encrypted rooms.

use std::io::Write as _;

use haos::{Device, UserId};
use serde::Serialize;

use crate::args::DevicesArgs;
use crate::chat::desk::logged_in;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::text::{clean, plural, shorten, time};

#[derive(Serialize)]
struct Devices<'a> {
    user: &'a str,
    devices: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: Option<&'a str>,
    fingerprint: Option<&'a str>,
    last_seen_ms: Option<i64>,
    is_this: bool,
}

impl<'a> Shown<'a> {
    fn of(device: &'a Device) -> Self {
        Self {
            id: &device.id,
            name: device.name.as_deref(),
            fingerprint: device.fingerprint.as_deref(),
            last_seen_ms: device.last_seen_ms,
            is_this: device.is_this,
        }
    }
}

pub(crate) async fn devices(store: &Target, args: &DevicesArgs, out: &mut Out) -> Result<()> {
    let is_user = |user: &&str| user.starts_with('@') && user.contains(':');
    if let Some(odd) = args.user.as_deref().filter(|user| !is_user(user)) {
        return Err(Error::Input(format!("{odd} is no user id: they look like @ada:example.org")));
    }
    let user = args.user.as_deref().map(UserId::new).transpose()?;
    let chat = store.chat().await?;
    let client = logged_in(&chat)?;
    let user = user.unwrap_or_else(|| client.session().user);
    let found = chat.devices(&user).await?;
    chat.close().await?;
    let shown = Devices { user: user.as_str(), devices: found.devices.iter().map(Shown::of).collect() };
    out.tell(&shown, |out| print(&shown, out))?;
    // Those that are known are shown in any case.
    found.stopped.map_or(Ok(()), |error| Err(Error::from(haos::Error::from(error)).on("the other devices")))
}

fn print(shown: &Devices<'_>, out: &mut Out) -> Result<()> {
    for device in &shown.devices {
        let mark = if device.is_this { "*" } else { " " };
        let name = device.name.map_or(String::new(), |name| shorten(&clean(name), 40));
        let seen = device.last_seen_ms.map_or(String::new(), |ms| format!("  seen {}", time(ms)));
        writeln!(out, "{mark} {:12} {name}{seen}", clean(device.id))?;
        let keys =
            device.fingerprint.map_or_else(|| "no keys: it reads no encrypted room".to_owned(), in_fours);
        writeln!(out, "  {:12} {}", "", clean(&keys))?;
    }
    let n = plural(shown.devices.len() as u64, "device");
    let this = if shown.devices.iter().any(|device| device.is_this) { "; * is this one" } else { "" };
    writeln!(out, "{n} of {}{this}", clean(shown.user))?;
    Ok(())
}

/// A key as people compare it.
fn in_fours(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_read_four_letters_at_a_time() {
        assert_eq!(super::in_fours("abcdefghij"), "abcd efgh ij");
        assert_eq!(super::in_fours(""), "");
    }
}
