//! `haos members`: who is in a room.

use std::io::Write as _;

use haos_store_api::{EventType, Scope, StateEntry, StateQuery};
use serde::Serialize;

use crate::args::RoomArgs;
use crate::chat::desk::logged_in;
use crate::error::{Error, Result};
use crate::find;
use crate::open::Target;
use crate::out::Out;
use crate::text::{clean, plural, shorten};

/// A member, for programs.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    membership: String,
    user: String,
    name: Option<String>,
}

#[derive(Serialize)]
struct Members {
    room_id: String,
    /// These are all; else those that the store happens to know.
    complete: bool,
    members: Vec<Member>,
}

pub(crate) async fn members(store: &Target, args: &RoomArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    let room = find::room(&**chat.store(), &args.room).await?;
    let (entries, complete, stopped) = match logged_in(&chat) {
        Ok(client) => {
            let list = client.engine().members(&room.id).await?;
            (list.entries, list.complete, list.stopped.map(haos::Error::from))
        }
        Err(_) => {
            let kind = EventType::new("m.room.member")?;
            let query = StateQuery::kind(Scope::Room(room.id.clone()), kind);
            (chat.store().state(query).await?, false, None)
        }
    };
    chat.close().await?;
    let mut members: Vec<Member> = entries.iter().map(member).collect();
    members.sort();
    let members = Members { room_id: room.id.to_string(), complete, members };
    out.tell(&members, |out| print(&members, out))?;
    // The store's members are shown in any case.
    stopped.map_or(Ok(()), |error| Err(Error::from(error).on("the other members")))
}

fn member(entry: &StateEntry) -> Member {
    let content = entry.value.member("content");
    let text = |name| content.as_ref().and_then(|content| content.text(name));
    Member {
        membership: text("membership").unwrap_or_else(|| "leave".to_owned()),
        user: entry.key.as_str().to_owned(),
        name: text("displayname"),
    }
}

fn print(members: &Members, out: &mut Out) -> Result<()> {
    for member in &members.members {
        let name = member.name.as_deref().map_or(String::new(), |name| shorten(&clean(name), 60));
        writeln!(out, "{:8} {}  {name}", shorten(&clean(&member.membership), 8), clean(&member.user))?;
    }
    let n = plural(members.members.len() as u64, "member");
    match members.complete {
        true => writeln!(out, "{n}")?,
        false => writeln!(out, "{n} known here; there may be more")?,
    }
    Ok(())
}
