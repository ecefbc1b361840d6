//! A view over a draft, the tail and the tables, beside a plain map: every way in which three records can be there.

use std::collections::BTreeMap;

use super::super::changes::{Changes, Value};
use super::super::head::Head;
use super::super::kv::{Span, Table};
use super::super::memory::Memory;
use super::super::record::{Entry, Record};
use super::super::view::View;

const KEYS: [u8; 3] = [3, 5, 7];

/// Takes from a number what a layer says of the keys: nothing, a removal, or a value.
fn layer(number: &mut u32, value: u8) -> Vec<(Vec<u8>, Option<Value>)> {
    let mut layer = Vec::new();
    for key in KEYS {
        match *number % 3 {
            0 => {}
            1 => layer.push((vec![key], None)),
            _ => layer.push((vec![key], Some(vec![value].into()))),
        }
        *number /= 3;
    }
    layer
}

#[test]
fn a_view_lists_and_finds_what_a_map_has() {
    let table = Table::Gaps;
    let span = Span::prefix(&[]);
    let place = |(key, value)| ((table, key), value);
    for mut number in 0..3u32.pow(9) {
        let [stored, tail, draft] = [1, 2, 3].map(|value| layer(&mut number, value));
        let mut all: BTreeMap<_, _> = stored.iter().chain(&tail).chain(&draft).cloned().collect();
        all.retain(|_, value| value.is_some());
        let all: Vec<_> = all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();

        let mut memory = Memory::default();
        memory.begin(Head::default());
        memory.tables.note_range(table, span.clone(), Vec::new());
        stored.into_iter().for_each(|(key, value)| memory.tables.note(table, key, value));
        let changes = Changes { records: tail.into_iter().map(place).collect(), ..Changes::default() };
        memory.know(Record { number: 1, head: Head::default(), entry: Entry::Commit(changes.into()) });
        let mut view = View::new(&memory);
        view.draft.records.extend(draft.into_iter().map(place));

        assert_eq!(view.scan(table, span.clone()).unwrap(), all);
        for key in 2..=8u8 {
            let near = |is_before| view.nearest(table, &span, &[key], is_before).unwrap();
            let at = all.partition_point(|(each, _)| each[0] < key);
            assert_eq!(near(false).as_ref(), all.get(at), "{key}");
            assert_eq!(near(true).as_ref(), at.checked_sub(1).and_then(|at| all.get(at)), "{key}");
        }
    }
}
