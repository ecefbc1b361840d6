//! Random changes to an answer.

use haos_sim::Chance;

use crate::tree::Tree;

/// The longest answer that comes of it, in bytes.
const LONGEST: usize = 2 << 20;

/// Values of every shape, most of them wrong wherever they stand.
const OTHERS: [&str; 18] = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "300000.0",
    "1e400",
    "9007199254740993",
    "123456789012345678901234567890",
    r#""""#,
    r#""x""#,
    r#""\ud800""#,
    r#""\u0000""#,
    r#""!soak:x""#,
    r#""@me:x""#,
    "[]",
    "{}",
    r#"{"event_id":"$same","sender":"@a:x","type":"m.room.redaction","redacts":"$same"}"#,
];

/// An answer with one to four things wrong.
pub(crate) fn mutated(chance: &mut Chance, answer: &Tree) -> Vec<u8> {
    let mut tree = answer.clone();
    for _ in 0..=chance.below(4) {
        let place = place(chance, &mut tree);
        change(chance, place);
    }
    let mut bytes = tree.text().into_bytes();
    match chance.below(20) {
        0 => bytes.truncate(chance.below(bytes.len() as u64) as usize),
        1 => {
            let at = chance.below(bytes.len() as u64) as usize;
            if let Some(byte) = bytes.get_mut(at) {
                *byte = chance.below(256) as u8;
            }
        }
        _ => {}
    }
    bytes.truncate(LONGEST);
    bytes
}

/// Some place in it, deep ones as likely as high ones.
fn place<'t>(chance: &mut Chance, tree: &'t mut Tree) -> &'t mut Tree {
    let is_end = matches!(tree, Tree::Leaf(_)) || chance.percent(15);
    let width = if is_end { 0 } else { tree.children().len() as u64 };
    if width == 0 {
        return tree;
    }
    let child = chance.below(width) as usize;
    place(chance, tree.children().swap_remove(child))
}

fn change(chance: &mut Chance, tree: &mut Tree) {
    match chance.below(7) {
        0 => drop_one(chance, tree),
        1 => repeat(chance, tree, 1),
        2 => swap(chance, tree),
        3 => nest(chance, tree),
        4 => {
            let times = [10, 1000, 50_000][chance.below(3) as usize];
            let most = LONGEST / tree.text().len().max(1);
            repeat(chance, tree, times.min(most));
        }
        _ => *tree = Tree::Leaf(OTHERS[chance.below(OTHERS.len() as u64) as usize].to_owned()),
    }
}

fn drop_one(chance: &mut Chance, tree: &mut Tree) {
    match tree {
        Tree::Object(members) if !members.is_empty() => {
            members.swap_remove(chance.below(members.len() as u64) as usize);
        }
        Tree::List(items) if !items.is_empty() => {
            items.remove(chance.below(items.len() as u64) as usize);
        }
        _ => *tree = Tree::Leaf("null".to_owned()),
    }
}

/// Repeats one member or item this number of times; of a text or a number, its characters.
fn repeat(chance: &mut Chance, tree: &mut Tree, times: usize) {
    match tree {
        Tree::Object(members) if !members.is_empty() => {
            let (key, value) = members[chance.below(members.len() as u64) as usize].clone();
            // Doubled under its own name; many have names of their own.
            let name = |n: usize| if times == 1 { key.clone() } else { format!("\"{n}{}", &key[1..]) };
            members.extend((0..times).map(|n| (name(n), value.clone())));
        }
        Tree::List(items) if !items.is_empty() => {
            let item = items[chance.below(items.len() as u64) as usize].clone();
            items.extend(std::iter::repeat_n(item, times));
        }
        Tree::Leaf(leaf) if leaf.starts_with('"') => {
            *leaf = format!("\"{}\"", leaf[1..leaf.len() - 1].repeat(times))
        }
        Tree::Leaf(leaf) => *leaf = format!("1{}", "0".repeat(times)),
        _ => {}
    }
}

fn swap(chance: &mut Chance, tree: &mut Tree) {
    let mut children = tree.children();
    let width = children.len() as u64;
    if width < 2 {
        return nest(chance, tree);
    }
    let (a, b) = (chance.below(width) as usize, chance.below(width) as usize);
    let (first, second) = (children[a].clone(), children[b].clone());
    *children[a] = second;
    *children[b] = first;
}

fn nest(chance: &mut Chance, tree: &mut Tree) {
    let depth = [1, 3, 200, 20_000][chance.below(4) as usize];
    let text = tree.text();
    *tree = Tree::Leaf(match chance.below(2) {
        0 => format!("{}{text}{}", "[".repeat(depth), "]".repeat(depth)),
        _ => format!("{}{text}{}", r#"{"x":"#.repeat(depth), "}".repeat(depth)),
    });
}
