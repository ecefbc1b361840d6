use std::collections::{HashMap, HashSet};

use crate::UserId;
use crate::law::sort_by;

/// The most keys that a message shows, besides those that the own user chose.
pub const MAX_KEYS: usize = 64;
/// The most senders that are named for a key, besides the own user.
pub const MAX_SENDERS: usize = 100;
/// The most bytes of a key that are shown.
pub const MAX_KEY_BYTES: usize = 256;

/// The reactions to a message with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reactions {
    /// The key, such as an emoji; one longer than [`MAX_KEY_BYTES`] ends in `…` there.
    pub key: String,
    /// The number of users who reacted.
    pub count: u64,
    /// The users, each once, the earliest first: the first [`MAX_SENDERS`], and the own user.
    pub senders: Vec<UserId>,
}

/// Counts reactions, each in constant time.
pub(super) struct Tally<'a> {
    own: Option<&'a UserId>,
    seen: HashSet<(&'a str, &'a UserId)>,
    places: HashMap<&'a str, usize>,
    /// In the order in which their keys came.
    groups: Vec<Group<'a>>,
}

struct Group<'a> {
    key: &'a str,
    count: u64,
    senders: Vec<&'a UserId>,
    is_own: bool,
}

impl<'a> Tally<'a> {
    pub(super) fn new(own: Option<&'a UserId>) -> Self {
        Self { own, seen: HashSet::new(), places: HashMap::new(), groups: Vec::new() }
    }

    pub(super) fn add(&mut self, key: &'a str, sender: &'a UserId) {
        if !self.seen.insert((key, sender)) {
            return;
        }
        let place = *self.places.entry(key).or_insert(self.groups.len());
        if place == self.groups.len() {
            self.groups.push(Group { key, count: 0, senders: Vec::new(), is_own: false });
        }
        let group = &mut self.groups[place];
        let is_own = self.own == Some(sender);
        group.count += 1;
        group.is_own |= is_own;
        if is_own || group.senders.len() < MAX_SENDERS {
            group.senders.push(sender);
        }
    }

    /// Returns the shown groups, and the number of reactions that are not shown.
    pub(super) fn finish(self) -> (Vec<Reactions>, u64) {
        let mut shown: Vec<(usize, &Group<'_>)> = self.groups.iter().enumerate().collect();
        if shown.len() > MAX_KEYS {
            sort_by(&mut shown, |(_, a), (_, b)| b.count.cmp(&a.count));
            let mut rank = 0..;
            shown.retain(|(_, group)| rank.next().is_some_and(|rank| rank < MAX_KEYS) || group.is_own);
            sort_by(&mut shown, |(a, _), (b, _)| a.cmp(b));
        }
        let all: u64 = self.groups.iter().map(|group| group.count).sum();
        let reactions: Vec<Reactions> = shown.into_iter().map(|(_, group)| group.shown()).collect();
        let told: u64 = reactions.iter().map(|group| group.count).sum();
        (reactions, all - told)
    }
}

impl Group<'_> {
    fn shown(&self) -> Reactions {
        let mut key = self.key.to_owned();
        if key.len() > MAX_KEY_BYTES {
            let cut = (0..=MAX_KEY_BYTES).rev().find(|at| key.is_char_boundary(*at));
            key.truncate(cut.unwrap_or(0));
            key.push('…');
        }
        Reactions { key, count: self.count, senders: self.senders.iter().copied().cloned().collect() }
    }
}
