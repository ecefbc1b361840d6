//! State entries.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Failure, Harness, Outcome};
use crate::*;

fn of_room() -> Scope {
    Scope::Room(room(0))
}

fn names(entries: &[StateEntry]) -> Vec<(&str, &str)> {
    entries.iter().map(|entry| (entry.kind.as_str(), entry.key.as_str())).collect()
}

pub(crate) async fn every_field_comes_back(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    for scope in [Scope::Account, of_room()] {
        let entry = StateEntry { event_id: Some(event(1)), ..state(scope.clone(), "k", "", r#"{"a":1.50}"#) };
        put(&store, |batch| batch.put_state(entry.clone())).await?;
        same(store.state(StateQuery::one(scope, kind("k"), key(""))).await?, [entry])?;
    }
    Ok(())
}

pub(crate) async fn ordered_by_kind_then_key(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let pairs = [("b", "2"), ("a", "10"), ("b", ""), ("a", "9"), ("a", "é"), ("B", "1"), ("ab", "")];
    put(&store, |batch| {
        pairs.iter().fold(batch, |batch, (kind, key)| batch.put_state(state(of_room(), kind, key, "1")))
    })
    .await?;
    let found = store.state(StateQuery::all(of_room())).await?;
    let expected = [("B", "1"), ("a", "10"), ("a", "9"), ("a", "é"), ("ab", ""), ("b", ""), ("b", "2")];
    same(names(&found), expected)?;
    let found = store.state(StateQuery::kind(of_room(), kind("a"))).await?;
    same(names(&found), [("a", "10"), ("a", "9"), ("a", "é")])
}

pub(crate) async fn asked_for_by_any_part(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| {
        batch
            .put_state(state(of_room(), "a", "", "1"))
            .put_state(state(of_room(), "a", "k", "2"))
            .put_state(state(of_room(), "b", "k", "3"))
    })
    .await?;
    let by_key = StateQuery { key: Some(key("k")), ..StateQuery::all(of_room()) };
    same(names(&store.state(by_key).await?), [("a", "k"), ("b", "k")])?;
    let one = StateQuery::one(of_room(), kind("b"), key(""));
    same(store.state(one).await?, [])?;
    same(store.state(StateQuery::kind(of_room(), kind("c"))).await?, [])
}

pub(crate) async fn several_lists_come_in_the_order_of_their_queries(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let (mine, theirs) = (state(Scope::Account, "a", "", "1"), state(of_room(), "b", "k", "2"));
    let other = state(of_room(), "b", "", "3");
    put(&store, |batch| batch.put_state(mine.clone()).put_state(theirs.clone()).put_state(other.clone()))
        .await?;
    let one = |scope, of, under| StateQuery::one(scope, kind(of), key(under));
    let queries = [
        one(of_room(), "b", "k"),
        one(of_room(), "a", ""),
        one(Scope::Account, "a", ""),
        one(Scope::Room(room(9)), "b", "k"),
        one(of_room(), "b", "k"),
    ];
    let lists = [vec![theirs.clone()], vec![], vec![mine], vec![], vec![theirs.clone()]];
    same(store.states(queries.to_vec()).await?, lists)?;
    let whole = [StateQuery::all(Scope::Account), StateQuery::kind(of_room(), kind("b"))];
    same(store.states(whole.to_vec()).await?.pop(), Some(vec![other, theirs]))?;
    same(store.states(Vec::new()).await?.len(), 0)
}

fn page(after: Option<&StateEntry>, limit: usize) -> StateQuery {
    StateQuery::page(Scope::Account, kind("k"), after.map(|entry| entry.key.clone()), limit)
}

/// A store with entries of one kind among others, all of them alike.
async fn with_kinds(harness: &mut dyn Harness) -> Result<Store, Failure> {
    let store = with_room(harness).await?;
    put(&store, |batch| {
        (0..20).fold(batch, |batch, n| {
            let entry = |scope, kind| state(scope, kind, &format!("{n}"), "1");
            let mine = ["j", "k", "kk", "l"].map(|kind| entry(Scope::Account, kind));
            mine.into_iter().chain([entry(of_room(), "k")]).fold(batch, WriteBatch::put_state)
        })
    })
    .await?;
    Ok(store)
}

pub(crate) async fn pages_of_a_kind_are_the_kind(harness: &mut dyn Harness) -> Outcome {
    let store = with_kinds(harness).await?;
    let whole = store.state(StateQuery::kind(Scope::Account, kind("k"))).await?;
    let one_page = store.state(page(None, 20)).await?;
    for limit in [1, 3, 7, 19, 20, 21, usize::MAX] {
        let mut found: Vec<StateEntry> = Vec::new();
        loop {
            let part = store.state(page(found.last(), limit)).await?;
            holds(part.len() <= limit, "a page has no more than its limit")?;
            let is_last = part.len() < limit;
            found.extend(part);
            if is_last {
                break;
            }
        }
        if limit != usize::MAX {
            same(&found, &one_page)?;
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        same(found, whole.clone())?;
    }
    same(store.state(page(None, 0)).await?, [])?;
    let lists = store.states(vec![page(None, 2), page(one_page.get(1), 2)]).await?;
    same(lists.concat(), one_page.iter().take(4).cloned().collect::<Vec<_>>())
}

pub(crate) async fn a_page_goes_on_after_a_removed_key(harness: &mut dyn Harness) -> Outcome {
    let store = with_kinds(harness).await?;
    let before = store.state(page(None, 20)).await?;
    put(&store, |batch| {
        // The one after which the page is asked for, one that it would have, and one behind.
        [5, 6, 12]
            .iter()
            .fold(batch, |batch, n| batch.remove_state(Scope::Account, kind("k"), before[*n].key.clone()))
    })
    .await?;
    drop(store);
    let store = harness.reopen().await?;
    let after = store.state(page(before.get(5), 4)).await?;
    same(after, before[7..11].to_vec())?;
    put(&store, |batch| batch.put_state(before[6].clone())).await?;
    same(store.state(page(before.get(5), 4)).await?, before[6..10].to_vec())
}

pub(crate) async fn a_page_is_of_one_kind(harness: &mut dyn Harness) -> Outcome {
    let store = with_kinds(harness).await?;
    let of_all = StateQuery { limit: 3, ..StateQuery::all(Scope::Account) };
    let after = StateQuery { after: Some(key("1")), ..StateQuery::all(Scope::Account) };
    let of_key = StateQuery { limit: 3, ..StateQuery::one(Scope::Account, kind("k"), key("1")) };
    for query in [of_all, after, of_key] {
        fails(store.state(query.clone()).await, ErrorKind::Invalid)?;
        fails(store.states(vec![query]).await, ErrorKind::Invalid)?;
    }
    Ok(())
}

pub(crate) async fn a_kind_is_counted(harness: &mut dyn Harness) -> Outcome {
    let store = with_kinds(harness).await?;
    same(store.count_state(&Scope::Account, &kind("k")).await?, 20)?;
    put(&store, |batch| {
        batch
            .remove_state(Scope::Account, kind("k"), key("3"))
            .put_state(state(Scope::Account, "k", "4", "2"))
            .put_state(state(Scope::Account, "kk", "20", "1"))
    })
    .await?;
    same(store.count_state(&Scope::Account, &kind("k")).await?, 19)?;
    same(store.count_state(&Scope::Account, &kind("kk")).await?, 21)?;
    same(store.count_state(&of_room(), &kind("k")).await?, 20)?;
    same(store.count_state(&of_room(), &kind("l")).await?, 0)?;
    same(store.count_state(&Scope::Room(room(9)), &kind("k")).await?, 0)
}

pub(crate) async fn scopes_do_not_mix(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_room(a_room(1))).await?;
    let scopes = [Scope::Account, of_room(), Scope::Room(room(1))];
    let entries: Vec<_> =
        scopes.into_iter().zip(["1", "2", "3"]).map(|(scope, value)| state(scope, "k", "", value)).collect();
    put(&store, |batch| entries.iter().fold(batch, |batch, entry| batch.put_state(entry.clone()))).await?;
    for entry in &entries {
        same(store.state(StateQuery::all(entry.scope.clone())).await?, [entry.clone()])?;
    }
    put(&store, |batch| batch.remove_state(of_room(), kind("k"), key(""))).await?;
    same(store.state(StateQuery::all(of_room())).await?, [])?;
    same(store.state(StateQuery::all(Scope::Account)).await?.len(), 1)?;
    same(store.state(StateQuery::all(Scope::Room(room(1)))).await?.len(), 1)
}

pub(crate) async fn a_later_value_replaces(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_state(state(of_room(), "k", "", "1"))).await?;
    let later = StateEntry { event_id: Some(event(2)), ..state(of_room(), "k", "", "1") };
    let commit = put(&store, |batch| batch.put_state(later.clone())).await?;
    holds(commit.changed, "another event is a change")?;
    same(store.state(StateQuery::all(of_room())).await?, [later])
}

pub(crate) async fn the_same_entry_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let first = put(&store, |batch| batch.put_state(state(of_room(), "k", "", "1"))).await?;
    let second = put(&store, |batch| batch.put_state(state(of_room(), "k", "", "1"))).await?;
    same((second.changed, second.revision), (false, first.revision))
}

pub(crate) async fn removed_is_gone(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let entry = |key| state(of_room(), "k", key, "1");
    put(&store, |batch| batch.put_state(entry("")).put_state(entry("x"))).await?;
    put(&store, |batch| batch.remove_state(of_room(), kind("k"), key(""))).await?;
    same(names(&store.state(StateQuery::all(of_room())).await?), [("k", "x")])?;
    let again = put(&store, |batch| batch.remove_state(of_room(), kind("k"), key(""))).await?;
    same(again.changed, false)?;
    let unknown = Scope::Room(room(9));
    same(put(&store, |batch| batch.remove_state(unknown, kind("k"), key(""))).await?.changed, false)
}

pub(crate) async fn a_rooms_state_needs_the_room(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let result = put(&store, |batch| batch.put_state(state(of_room(), "k", "", "1"))).await;
    fails(result, ErrorKind::Invalid)?;
    put(&store, |batch| batch.put_state(state(Scope::Account, "k", "", "1"))).await?;
    same(store.state(StateQuery::all(of_room())).await?, [])
}

pub(crate) async fn a_thousand_members_are_told_from_the_rest(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| {
        (0..1_000).fold(batch, |batch, n| {
            let member = state(of_room(), "m.room.member", &format!("@u{n:04}"), r#"{"membership":"join"}"#);
            batch.put_state(member)
        })
    })
    .await?;
    put(&store, |batch| batch.put_state(state(of_room(), "m.room.name", "", "{}"))).await?;
    let members = store.state(StateQuery::kind(of_room(), kind("m.room.member"))).await?;
    same(members.len(), 1_000)?;
    holds(members.is_sorted_by(|a, b| a.key < b.key), "members come by key")?;
    let one = StateQuery::one(of_room(), kind("m.room.member"), key("@u0500"));
    same(store.state(one).await?.len(), 1)
}

pub(crate) async fn what_came_of_a_redacted_event_goes_with_it(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let secret = r#"{"name":"secret"}"#;
    let named = |value| StateEntry { event_id: Some(event(1)), ..state(of_room(), "m.room.name", "", value) };
    let later = |extra| Message { extra, ..about(RelationKind::Other("later".to_owned()), 1, message(2)) };
    put(&store, |batch| {
        batch
            .put_room(Room { name: Some("secret".to_owned()), ..a_room(0) })
            .put_message(Message { content: json(secret), ..message(1) })
            .put_message(later(Some(json(secret))))
            .put_state(named(secret))
    })
    .await?;
    let emptied = |batch: &mut WriteBatch| {
        batch.redact(redaction(1, 5)).put_message(later(None)).put_state(named("{}")).put_room(a_room(0));
    };
    // All of it or nothing.
    let mut late = WriteBatch::relaxed();
    emptied(late.expect_room(&room(0), None));
    fails(store.apply(late).await, ErrorKind::Conflict)?;
    same(some(store.message(&room(0), &event(1)).await?)?.content, json(secret))?;
    let mut batch = WriteBatch::relaxed();
    emptied(&mut batch);
    store.apply(batch).await?;
    drop(store);
    let store = harness.reopen().await?;
    let original = some(store.message(&room(0), &event(1)).await?)?;
    same((original.content, original.redacted_by), (Json::empty(), Some(event(5))))?;
    same(store.related(RelationQuery::of(&room(0), &event(1))).await?, [later(None)])?;
    same(store.state(StateQuery::all(of_room())).await?, [named("{}")])?;
    same(some(store.room(&room(0)).await?)?.name, a_room(0).name)
}
