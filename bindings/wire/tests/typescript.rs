//! The types of the port as TypeScript has them: what is committed is what these crates say.
//!
//! `HAOS_BLESS=1 cargo test -p haos-wire --features ts --test typescript` writes them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use haos::{
    Account, ConnectionSummary, Diff, Members, OutboxRow, RecoveryReport, RoomInfo, RoomItem, SavedDraft,
    StorageSummary, SyncProgress, TimelineItem, UploadProgress,
};
use haos_wire::call::Call;
use haos_wire::{Desk, Done, Failure, FileFacts, Following, HeldBack, Kept, MediaWanted, Watching};
use ts_rs::{Config, TS, TypeVisitor};

const FILE: &str = "../../js/packages/client/src/wire.ts";
const HEAD: &str = "// What goes through the port of a chat, as the crates `haos` and `haos-wire` have it. Written by\n\
                    // `HAOS_BLESS=1 cargo test -p haos-wire --features ts --test typescript`.\n";

/// Declarations by name, so that the file changes where a type does.
struct Declared {
    config: Config,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declared {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_some() {
            let name = <T::WithoutGenerics as TS>::ident(&self.config);
            if !self.by_name.contains_key(&name) {
                let docs = T::docs().unwrap_or_default();
                let decl = <T::WithoutGenerics as TS>::decl(&self.config);
                self.by_name.insert(name, format!("{}export {decl}", docs));
                T::visit_dependencies(self);
            }
        }
        T::visit_generics(self);
    }
}

#[test]
fn the_committed_types_are_those_of_the_crates() {
    let config = Config::default().with_large_int("number");
    let mut declared = Declared { config, by_name: BTreeMap::new() };
    declared.visit::<Account>();
    declared.visit::<Call>();
    declared.visit::<ConnectionSummary>();
    declared.visit::<Diff<RoomItem>>();
    declared.visit::<Done>();
    declared.visit::<Failure>();
    declared.visit::<FileFacts>();
    declared.visit::<Following>();
    declared.visit::<HeldBack>();
    declared.visit::<Kept>();
    declared.visit::<MediaWanted>();
    declared.visit::<Members>();
    declared.visit::<OutboxRow>();
    declared.visit::<RecoveryReport>();
    declared.visit::<RoomInfo>();
    declared.visit::<SavedDraft>();
    declared.visit::<StorageSummary>();
    declared.visit::<SyncProgress>();
    declared.visit::<TimelineItem>();
    declared.visit::<UploadProgress>();
    declared.visit::<Watching>();
    declared.visit::<haos::Cleared>();
    declared.visit::<haos::live::timeline::Reach>();
    let text: String = declared.by_name.values().map(|decl| format!("\n{decl}\n")).collect();
    let text = HEAD.to_owned() + &text;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("HAOS_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "{} is of another version: write it again as the head of this test says",
        file.display()
    );
}

#[tokio::test]
async fn every_call_of_the_types_is_answered() {
    let declared = Call::decl(&Config::default());
    let names: Vec<&str> =
        declared.split("\"call\": \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() > 40, "{names:?}");
    let desk = Desk::new(haos::Chat::open("memory:").offline().await.unwrap());
    for name in names {
        // Without its arguments, or with none to give.
        let unknown = desk
            .call(&format!("{{\"call\":\"{name}\"}}"))
            .await
            .is_err_and(|failure| failure.contains("update the application"));
        assert!(!unknown, "{name} has types and no answer");
    }
}
