//! The reading of a list of rooms: a window of it, and only what changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::future::try_join3;
use futures_util::{StreamExt as _, TryStreamExt as _};
use haos_store_api::backend::law::sort_by;
use haos_store_api::{Change, Membership, Result, Room, RoomId, Scope, Touched, UserId};

use super::RoomFilter;
use super::account::Account;
use super::item::{Preview, RoomItem, name_of};
use super::latest::Latest;
use super::order::{Placed, compare};
use super::part::{self, Part, Wanted};
use super::rows::{Picked, Scan};
use super::unsent::Unsent;
use crate::base::{Base, Signals, Typing, gathered};
use crate::live::list::Reader;
use crate::live::timeline::Profile;

/// The most people of a room that are told to be typing.
const TYPING: usize = 16;
/// The rooms that are read at the same time, for backends that do.
const AT_ONCE: usize = 16;
/// With more changed rooms than these, all are read again, page by page.
const MANY: usize = 256;

/// The rooms of a list as the store has them.
///
/// What was read is kept until a change says that it is other: the rows of rooms ([`Scan`], [`Picked`]), the parts of
/// those that are shown, the account's data, the outbox. So a reading costs what changed, and the first one a window,
/// however many rooms there are.
pub(super) struct RoomReader {
    base: Base,
    filter: RoomFilter,
    window: Arc<AtomicUsize>,
    me: Option<UserId>,
    typing: Typing,
    account: Account,
    unsent: Unsent,
    is_account_stale: bool,
    is_outbox_stale: bool,
    /// Rooms that changed since the scan took them.
    changed: BTreeSet<RoomId>,
    scan: Scan,
    picked: Picked,
    parts: HashMap<RoomId, Part>,
    items: HashMap<RoomId, Arc<RoomItem>>,
    has_more: bool,
}

impl RoomReader {
    pub(super) fn new(base: Base, filter: RoomFilter, window: Arc<AtomicUsize>) -> Self {
        let (me, typing) = (base.me.borrow().clone(), base.typing.borrow().clone());
        Self {
            base,
            filter,
            window,
            me,
            typing,
            account: Account::default(),
            unsent: Unsent::default(),
            is_account_stale: true,
            is_outbox_stale: true,
            changed: BTreeSet::new(),
            scan: Scan::default(),
            picked: Picked::default(),
            parts: HashMap::new(),
            items: HashMap::new(),
            has_more: false,
        }
    }

    /// Tells whether there are rooms beyond the window, as of the latest reading.
    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    fn forget_all(&mut self) {
        (self.is_account_stale, self.is_outbox_stale) = (true, true);
        self.parts.clear();
        self.picked = Picked::default();
        self.forget_scan();
    }

    fn forget_scan(&mut self) {
        self.scan = Scan::default();
        self.changed.clear();
    }

    /// Notes a change. Returns true if the list may be other.
    fn touched(&mut self, touched: &Touched) -> bool {
        match touched {
            Touched::Room(id) => {
                let was_picked = self.picked.forget(id);
                self.parts.get_mut(id).into_iter().for_each(Part::forget_messages);
                // Of the others, any may come into the window.
                let is_scanned = !self.filter.is_listed();
                if is_scanned {
                    self.changed.insert(id.clone());
                }
                was_picked || is_scanned
            }
            Touched::State(Scope::Room(id)) => self.parts.get_mut(id).map(Part::forget_state).is_some(),
            Touched::State(Scope::Account) => {
                self.is_account_stale = true;
                true
            }
            Touched::Pending(_) => {
                self.is_outbox_stale = true;
                true
            }
            _ => false,
        }
    }

    /// Reads at the same time what does not depend on each other: the outbox, the account's data, and the first rooms,
    /// if none was read yet. Returns the number of rooms that were asked for.
    ///
    /// The outbox is read before the timelines: the commit of an echo removes the row and stores the message, which
    /// would be in neither the other way round. For the same reason, the messages of a room whose rows changed are read
    /// again.
    async fn read_first(&mut self) -> Result<usize> {
        let (base, me) = (&self.base, self.me.as_ref());
        let account = async {
            match self.is_account_stale {
                true => self.account.read(&*base.store, me).await.map(Some),
                false => Ok(None),
            }
        };
        let unsent = async {
            match self.is_outbox_stale {
                true => Unsent::read(&*base.store, &*base.protocol).await.map(Some),
                false => Ok(None),
            }
        };
        let query =
            self.scan.query(self.filter.of_store(), self.window.load(Ordering::Relaxed).saturating_add(1));
        let limit = query.limit;
        let is_first = self.scan.is_unread() && self.changed.is_empty() && !self.filter.is_listed();
        let rooms = async {
            match is_first {
                true => base.store.rooms(query).await.map(Some),
                false => Ok(None),
            }
        };
        let (account, unsent, rooms) = try_join3(account, unsent, rooms).await?;
        if let Some(unsent) = unsent {
            for room in unsent.rooms_otherwise(&self.unsent) {
                self.parts.get_mut(room).into_iter().for_each(Part::forget_messages);
            }
            (self.unsent, self.is_outbox_stale) = (unsent, false);
        }
        if let Some(account) = account {
            if !self.filter.is_listed() && !self.scan.is_unread() {
                self.changed.extend(account.marked_otherwise(&self.account).cloned());
            }
            (self.account, self.is_account_stale) = (account, false);
        }
        let Some(rooms) = rooms else { return Ok(0) };
        let Self { filter, account, scan, .. } = self;
        scan.take(rooms, limit, |room| filter.chooses(room, account));
        Ok(limit)
    }

    /// Returns the rooms of the window, and notes whether there are more. `asked` were asked for in this reading.
    async fn read_rooms(&mut self, asked: usize) -> Result<Vec<Room>> {
        if self.changed.len() > MANY {
            self.forget_scan();
        }
        let store = self.base.store.clone();
        while let Some(id) = self.changed.first().cloned() {
            let room = store.room(&id).await?;
            self.scan.update(&id, room.filter(|room| self.filter.chooses(room, &self.account)));
            self.changed.remove(&id);
        }
        let Self { filter, account, picked, .. } = &mut *self;
        let mut listed = account.listed();
        listed.retain(|id| match filter.is_listed() {
            true => filter.lists(id, account),
            false => account.favourite(id).is_some(),
        });
        let missing = picked.choose(&listed);
        let reads: Vec<_> = missing
            .into_iter()
            .map(|id| (store.clone(), id))
            .map(|(store, id)| async move { store.room(&id).await.map(|room| (id, room)) })
            .collect();
        for (id, room) in together(reads).await? {
            self.picked.put(id, room);
        }
        let window = self.window.load(Ordering::Relaxed);
        if !self.filter.is_listed() {
            self.read_scan(window.saturating_add(1), asked).await?;
        }
        Ok(self.shown(window))
    }

    /// Reads on until so many rooms are there, the favourites among them; the latest page was of `page` rooms.
    async fn read_scan(&mut self, wanted: usize, mut page: usize) -> Result<()> {
        let Self { filter, account, scan, picked, .. } = self;
        let chooses = |room: &Room| filter.chooses(room, account);
        let favourites = picked.rooms().filter(|room| chooses(room)).count();
        loop {
            let others = scan.rooms().filter(|room| account.favourite(&room.id).is_none());
            let missing = wanted.saturating_sub(favourites + others.take(wanted).count());
            if missing == 0 || scan.is_complete() {
                break;
            }
            // Where few rooms are chosen, the pages grow.
            page = missing.max(page * 2);
            let query = scan.query(filter.of_store(), page);
            let limit = query.limit;
            scan.take(self.base.store.rooms(query).await?, limit, chooses);
        }
        scan.trim(wanted);
        Ok(())
    }

    fn shown(&mut self, window: usize) -> Vec<Room> {
        let Self { filter, account, .. } = &*self;
        let picked = self.picked.rooms().filter(|room| filter.chooses(room, account));
        let mut first: Vec<Placed<'_>> =
            picked.map(|room| Placed { favourite: account.favourite(&room.id), room }).collect();
        sort_by(&mut first, |a, b| compare(*a, *b));
        let others = self.scan.rooms().filter(|room| account.favourite(&room.id).is_none());
        let mut rooms = first.into_iter().map(|placed| placed.room).chain(others);
        let shown = rooms.by_ref().take(window).cloned().collect();
        let has_more = rooms.next().is_some();
        self.has_more = has_more;
        shown
    }

    /// Reads the missing parts of the rooms that are shown, and forgets those of others.
    async fn read_parts(&mut self, rooms: &[Room]) -> Result<()> {
        let shown: BTreeSet<&RoomId> = gathered(rooms.iter().map(|room| &room.id));
        self.parts.retain(|id, _| shown.contains(id));
        let mut unread = Vec::new();
        for room in rooms {
            let part = self.parts.entry(room.id.clone()).or_default();
            if part.latest.is_none() && room.membership != Membership::Invite {
                unread.push(room.id.clone());
            }
        }
        for (id, latest) in Latest::read(&*self.base.store, unread).await? {
            self.parts.entry(id).or_default().latest = Some(latest);
        }
        let mut wanted = Vec::new();
        for room in rooms {
            let Some(part) = self.parts.get(&room.id) else { continue };
            let people = self.people(room, part).filter(|user| !part.people.contains_key(*user));
            let people: BTreeSet<&UserId> = gathered(people);
            let draft = part.has_draft.is_none().then_some(Wanted::Draft);
            let all = draft.into_iter().chain(people.into_iter().cloned().map(Wanted::Person));
            wanted.extend(all.map(|wanted| (room.id.clone(), wanted)));
        }
        part::read_state(&*self.base.store, &mut self.parts, wanted).await
    }

    /// Lists those whose profiles a room shows.
    fn people<'a>(&'a self, room: &'a Room, part: &'a Part) -> impl Iterator<Item = &'a UserId> {
        let me = self.me.as_ref().filter(|_| self.unsent.latest(&room.id).is_some());
        let sender = part.latest.iter().flatten().map(|latest| &latest.sender).next();
        let other = self.account.direct(&room.id).first().filter(|_| room.avatar.is_none());
        me.or(sender).into_iter().chain(other).chain(self.typing(&room.id))
    }

    fn typing<'a>(&'a self, room: &RoomId) -> impl Iterator<Item = &'a UserId> {
        let typing = self.typing.get(room).into_iter().flatten();
        typing.filter(|user| Some(*user) != self.me.as_ref()).take(TYPING)
    }

    fn item(&self, room: &Room, part: &Part) -> RoomItem {
        let direct: Vec<UserId> = self.account.direct(&room.id).to_vec();
        let other = direct.first().filter(|_| room.avatar.is_none());
        let avatar = other.and_then(|other| part.people.get(other)?.avatar.clone());
        RoomItem {
            id: room.id.clone(),
            name: name_of(room).to_owned(),
            avatar: room.avatar.clone().or(avatar),
            membership: room.membership,
            direct,
            is_favourite: self.account.favourite(&room.id).is_some(),
            is_muted: self.account.is_muted(&room.id),
            is_marked_unread: self.account.is_marked_unread(&room.id),
            unread: room.unread.notifications,
            mentions: room.unread.highlights,
            latest: self.preview(room, part),
            typing: self.typing(&room.id).map(|user| known(part, user)).collect(),
            has_draft: part.has_draft.unwrap_or_default(),
            last_activity_ms: room.last_activity_ms,
        }
    }

    fn preview(&self, room: &Room, part: &Part) -> Option<Preview> {
        if room.membership == Membership::Invite {
            return None;
        }
        if let (Some(me), Some(written)) = (&self.me, self.unsent.latest(&room.id)) {
            return Some(Preview {
                sender: known(part, me),
                is_own: true,
                text: written.text,
                is_redacted: written.is_redacted,
                timestamp_ms: written.row.created_ms,
                event_id: written.row.event_id.clone(),
                txn_id: Some(written.row.txn_id.clone()),
                sending: Some(written.status),
            });
        }
        let latest = part.latest.as_ref()?.as_ref()?;
        let preview = Preview {
            sender: known(part, &latest.sender),
            is_own: self.me.as_ref() == Some(&latest.sender),
            text: latest.text.clone(),
            is_redacted: latest.is_redacted,
            timestamp_ms: latest.timestamp_ms,
            event_id: Some(latest.event_id.clone()),
            txn_id: latest.txn_id.clone(),
            sending: None,
        };
        Some(match self.unsent.change_of(&room.id, latest).filter(|_| !latest.is_redacted) {
            Some(change) => Preview {
                text: change.text,
                is_redacted: change.is_redacted,
                sending: Some(change.status),
                ..preview
            },
            None => preview,
        })
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Reader for RoomReader {
    type Item = Arc<RoomItem>;

    fn key(item: &Self::Item) -> &str {
        item.id.as_str()
    }

    fn note(&mut self, change: &Change) -> bool {
        match change {
            Change::Commit { touched, .. } => {
                let stale = touched.iter().filter(|touched| self.touched(touched)).count();
                stale > 0
            }
            _ => {
                self.forget_all();
                true
            }
        }
    }

    fn is_outdated(&self) -> bool {
        *self.base.me.borrow() != self.me || !Arc::ptr_eq(&self.base.typing.borrow(), &self.typing)
    }

    fn signals(&self) -> Option<Signals> {
        Some(self.base.signals())
    }

    async fn read(&mut self) -> Result<Vec<Self::Item>> {
        let (me, typing) = (self.base.me.borrow().clone(), self.base.typing.borrow().clone());
        self.is_account_stale |= me != self.me;
        (self.me, self.typing) = (me, typing);
        let asked = self.read_first().await?;
        let rooms = self.read_rooms(asked).await?;
        self.read_parts(&rooms).await?;
        let mut items = Vec::with_capacity(rooms.len());
        for room in &rooms {
            let Some(part) = self.parts.get(&room.id) else { continue };
            let item = self.item(room, part);
            items.push(match self.items.get(&room.id) {
                Some(same) if **same == item => same.clone(),
                _ => Arc::new(item),
            });
        }
        self.items = items.iter().map(|item| (item.id.clone(), item.clone())).collect();
        Ok(items)
    }
}

/// Returns somebody as they are known.
fn known(part: &Part, user: &UserId) -> Profile {
    part.people.get(user).cloned().unwrap_or_else(|| Profile::of(user, None))
}

/// Waits for several readings, some at the same time.
pub(super) async fn together<T>(reads: Vec<impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    futures_util::stream::iter(reads).buffered(AT_ONCE).try_collect().await
}
