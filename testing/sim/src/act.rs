//! The actions of a plan.

use haos_store_api::*;

use super::actor::Context;
use super::plan::Action;
use super::run::Run;
use super::world::Group;
use haos_queue::Draft;
use haos_queue::machine::Class;

impl Run<'_> {
    /// A row of the user's: the `which`-th of those that were committed, counted from the newest.
    pub(super) fn row(&self, which: u64, class: Class) -> Option<(TxnId, RoomId)> {
        self.state.with(|sim| {
            let mut rows: Vec<_> = sim.truth.rows.iter().filter(|(_, row)| row.class == class).collect();
            rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.seq));
            let recent = rows.len().min(8) as u64;
            let (txn_id, row) = rows.get((which % recent.max(1)) as usize)?;
            Some(((*txn_id).clone(), row.room.clone()))
        })
    }

    pub(super) fn context(&self, context: u32) -> Option<(Group, Context)> {
        let group = context + 1;
        Some((group, self.contexts.get(&group)?.clone()))
    }

    pub(super) fn room(&self, room: u8) -> RoomId {
        self.rooms[usize::from(room) % self.rooms.len()].clone()
    }

    pub(super) fn act(&mut self, action: &Action) {
        self.state.with(|sim| sim.truth.count(name(action)));
        let now = self.world.clock.mono_ms();
        match action.clone() {
            Action::Write { context, room } => {
                let (Some((group, context)), room) = (self.context(context), self.room(room)) else { return };
                let written = self.state.with(|sim| sim.truth.rows.len());
                let draft = EventType::new("m.room.message").and_then(|kind| {
                    Ok(Draft::new(room.clone(), kind, Json::new(format!(r#"{{"body":"{written}"}}"#))?))
                });
                if let Ok(draft) = draft {
                    self.world.spawn(group, context.write(draft, room));
                }
            }
            Action::About { context, which, how } => {
                let Some((group, context)) = self.context(context) else { return };
                if let Some((txn_id, room)) = self.row(which, Class::Event) {
                    self.world.spawn(group, context.about(txn_id, room, how));
                }
            }
            Action::File { context, room, thumbnail } => {
                let (Some((group, context)), room) = (self.context(context), self.room(room)) else { return };
                self.world.spawn(group, context.file(room, thumbnail));
            }
            Action::Read { context, room } => {
                let (Some((group, context)), room) = (self.context(context), self.room(room)) else { return };
                self.world.spawn(group, context.receipt(room));
            }
            Action::Cancel { context, which } => {
                let Some((group, context)) = self.context(context) else { return };
                if let Some((txn_id, _)) = self.row(which, Class::Event) {
                    self.world.spawn(group, context.cancel(txn_id));
                }
            }
            Action::Edit { context, which } => {
                let Some((group, context)) = self.context(context) else { return };
                if let Some((txn_id, _)) = self.row(which, Class::Event) {
                    self.world.spawn(group, context.edit(txn_id));
                }
            }
            Action::Retry { context, which } => {
                let Some((group, context)) = self.context(context) else { return };
                // A row that may have been sent is retried by a user only after looking.
                let Some((txn_id, _)) = self.row(which, Class::Event) else { return };
                let ambiguous = super::store::peek(&self.rows, &txn_id).is_some_and(|row| row.ambiguous);
                if !ambiguous {
                    self.world.spawn(group, context.retry(txn_id));
                }
            }
            Action::RetryAll { context } => {
                let Some((group, context)) = self.context(context) else { return };
                self.world.spawn(group, context.retry_all());
            }
            Action::PauseUpload { context, which } => {
                let Some((group, context)) = self.context(context) else { return };
                if let Some((txn_id, _)) = self.row(which, Class::Upload) {
                    self.world.spawn(group, context.pause_upload(txn_id));
                }
            }
            Action::Crash { context } => self.restart(context + 1),
            Action::PowerLoss { spared } => {
                let rows = self.state.with(|sim| {
                    let at_risk = sim.log.at_risk() as u64;
                    if at_risk > 0 {
                        sim.truth.count("storage: a power loss took commits");
                    }
                    sim.log.survivors((spared % (at_risk + 1)) as usize)
                });
                match rows {
                    Ok(rows) => self.rows = rows,
                    Err(e) => self.state.with(|sim| sim.truth.broken("setup", e.to_string())),
                }
                self.restart_all();
            }
            Action::Stop { context, grace_ms } => {
                let Some((group, context)) = self.context(context) else { return };
                context.outbox.stop(grace_ms);
                self.pass(grace_ms + 500);
                self.restart(group);
            }
            Action::Freeze { context, ms } => {
                self.world.freeze(context + 1);
                self.frozen.insert(context + 1, now + ms);
            }
            Action::Offline { ms } => {
                self.state.with(|sim| sim.offline_ms = now + ms);
            }
            Action::Portal { ms } => self.state.with(|sim| sim.portal_ms = now + ms),
            Action::DiskFull { ms } => self.state.with(|sim| sim.full_ms = now + ms),
            Action::StoreFails { calls } => self.state.with(|sim| sim.fail_next += calls),
            Action::ClockJump { ms } => {
                self.world.clock.jump(ms);
                // A run that begins before this is noted believes the wall, as far as that can be.
                self.state.with(|sim| {
                    sim.quiet.clear();
                    sim.truth.clock_set = true;
                });
            }
            Action::Kick { room } => {
                let id = self.room(room);
                self.state.with(|sim| {
                    let member = sim.server.rooms.get(&id).is_some_and(|room| room.member);
                    sim.server.set_member(&id, !member);
                });
            }
            Action::SoftLogout => self.state.with(|sim| sim.server.expired = true),
            Action::HardLogout { same_device } => {
                self.devices += u32::from(!same_device);
                let device = format!("D{}", self.devices);
                self.state.with(|sim| sim.server.device = None);
                self.pass(20_000);
                self.state.with(|sim| sim.server.device = Some(device));
                self.restart_all();
                self.log_in();
            }
            Action::ServerForgets => {
                // As after a logout and a restart: another device logs in.
                self.devices += 1;
                let device = format!("D{}", self.devices);
                self.state.with(|sim| {
                    sim.server.forget();
                    sim.server.device = Some(device);
                });
                self.restart_all();
                self.log_in();
            }
            Action::Encrypt { room } => {
                let room = self.room(room);
                self.state.with(|sim| drop(sim.server.encrypt(&room, now)));
            }
            Action::Others { room, messages } => {
                let room = self.room(room);
                self.state.with(|sim| {
                    for _ in 0..messages {
                        let _ = sim.server.other(&room, now);
                    }
                });
            }
        }
    }

    pub(super) fn log_in(&mut self) {
        self.state.news.notify_waiters();
        self.state.with(|sim| {
            sim.server.expired = false;
            sim.quiet.clear();
        });
        if let Some((group, context)) = self.context(0) {
            self.world.spawn(group, context.resume());
        }
    }
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Write { .. } => "wrote",
        Action::About { .. } => "wrote about another",
        Action::File { .. } => "sent a file",
        Action::Read { .. } => "read",
        Action::Cancel { .. } => "cancelled",
        Action::Edit { .. } => "edited",
        Action::Retry { .. } => "retried",
        Action::RetryAll { .. } => "retried all",
        Action::PauseUpload { .. } => "paused an upload",
        Action::Crash { .. } => "crash",
        Action::PowerLoss { .. } => "power loss",
        Action::Stop { .. } => "stop",
        Action::Freeze { .. } => "freeze",
        Action::Offline { .. } => "offline",
        Action::Portal { .. } => "portal",
        Action::DiskFull { .. } => "disk full",
        Action::StoreFails { .. } => "store fails",
        Action::ClockJump { .. } => "clock jump",
        Action::Kick { .. } => "kick or rejoin",
        Action::SoftLogout => "soft logout",
        Action::HardLogout { .. } => "hard logout",
        Action::ServerForgets => "server forgets",
        Action::Others { .. } => "others wrote",
        Action::Encrypt { .. } => "encrypted a room",
    }
}
