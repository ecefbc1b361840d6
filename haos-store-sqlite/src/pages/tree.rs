//! The walk through a table from its root: which pages hold its rows, and where some may be missing.

use std::collections::HashMap;

use super::cell::{Kind, Page};
use super::map::{Map, Use};
use super::number::Pages;
use super::order::ascending;
use super::{Roots, Shape, Source};

/// The most levels of a b-tree.
pub(super) const MOST_LEVELS: u32 = 20;

/// A page of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) page: u32,
    pub(super) low: i64,
    /// The key in the middle, which tells the page's place although one at an end be damaged.
    pub(super) mid: i64,
    pub(super) high: i64,
    /// The damaged page through which it was not reached; 0 for none.
    pub(super) owner: u32,
    /// True if no row is missing on the page itself.
    pub(super) is_whole: bool,
}

/// A place at which rows may be missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tear {
    /// The key of the row before.
    pub(super) after: i64,
    /// The page that is not what it should be.
    pub(super) bad: u32,
    /// The page that points to it; 0 for none.
    pub(super) parent: u32,
}

/// The pages of a table in the order of their keys.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) shape: Shape,
    pub(super) leaves: Vec<Leaf>,
    /// Rows may be missing right after these keys, ascending.
    pub(super) tears: Vec<i64>,
}

impl Plan {
    /// Tells whether the rows are those of this table.
    pub(crate) fn is_of(&self, shape: Shape) -> bool {
        self.shape == shape
    }
}

/// A table under way.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) shape: Shape,
    pub(super) leaves: Vec<Leaf>,
    pub(super) tears: Vec<Tear>,
    last: i64,
    owner: u32,
}

/// The walk through all tables.
pub(super) struct Walk<'s> {
    pub(super) source: &'s Source,
    pub(super) map: Map<'s>,
    pub(super) seen: Pages,
    pub(super) trees: Vec<Tree>,
    /// The interior pages that were seen, and those that are bad, with the indexes of their trees.
    pub(super) parents: HashMap<u32, usize>,
}

/// A page that a pointer leads to.
#[derive(Clone, Copy)]
struct Step {
    page: u32,
    parent: u32,
    /// The keys below it are greater than the first and at most the second.
    bounds: (i64, i64),
    level: u32,
}

const ALL: (i64, i64) = (i64::MIN, i64::MAX);

/// Walks through the tables of a store. A page that could be of several is the first one's.
pub(crate) fn plan(source: &Source, roots: &Roots, shapes: &[Shape]) -> Vec<Plan> {
    let mut walk = Walk::of(source);
    for shape in shapes {
        let root = walk.root(*shape, roots.of_name(shape.name()));
        walk.tree(*shape, root);
    }
    walk.adopt();
    walk.finish()
}

impl<'s> Walk<'s> {
    pub(super) fn of(source: &'s Source) -> Self {
        let (map, seen) = (Map::of(source), Pages::up_to(source.count()));
        Self { source, map, seen, trees: Vec::new(), parents: HashMap::new() }
    }

    /// Chooses among the pages that may be a table's root: the one with its rows, or else an empty one.
    fn root(&self, shape: Shape, candidates: [Option<u32>; 2]) -> u32 {
        let is_root = |page: &u32| matches!(self.map.get(*page), None | Some(Use::Root));
        let known: Vec<u32> = candidates.into_iter().flatten().filter(is_root).collect();
        let full = known.iter().find(|page| self.recognise(**page) == Some(shape));
        let is_empty = |page: &&u32| {
            let bytes = self.source.page(**page);
            let page = bytes.as_ref().and_then(|bytes| Page::of(**page, bytes));
            page.is_some_and(|page| page.kind == Kind::TableLeaf && page.len() == 0)
        };
        let other = || known.iter().find(is_empty).or(known.first()).or(candidates.iter().flatten().next());
        full.or_else(other).copied().unwrap_or(0)
    }

    /// Walks through a table from its root.
    pub(super) fn tree(&mut self, shape: Shape, root: u32) {
        self.trees.push(Tree { shape, leaves: Vec::new(), tears: Vec::new(), last: i64::MIN, owner: 0 });
        self.visit(self.trees.len() - 1, Step { page: root, parent: 0, bounds: ALL, level: 0 });
    }

    /// Walks through the pages below one that is not reached from its root.
    pub(super) fn orphan(&mut self, tree: usize, page: u32, parent: u32) {
        let Tree { last, owner, .. } = &mut self.trees[tree];
        (*last, *owner) = (i64::MIN, parent);
        self.visit(tree, Step { page, parent, bounds: ALL, level: 1 });
    }

    fn visit(&mut self, tree: usize, step: Step) {
        let bytes = if step.level > MOST_LEVELS || self.seen.has(step.page) {
            None
        } else {
            self.source.page(step.page)
        };
        let page = bytes.as_ref().and_then(|bytes| Page::of(step.page, bytes));
        match page {
            Some(page) if page.kind == Kind::TableLeaf => self.leaf(tree, step, &page),
            Some(page) if page.kind == Kind::TableInterior => self.interior(tree, step, &page),
            _ => self.tear(tree, step),
        }
    }

    /// Tells whether the map confirms a pointer, or does not tell.
    fn is_sure(&self, step: Step) -> bool {
        match self.map.get(step.page) {
            None => true,
            Some(Use::Root) => step.parent == 0,
            Some(found) => found == Use::Child(step.parent),
        }
    }

    fn tear(&mut self, tree: usize, step: Step) {
        let Tree { tears, last, .. } = &mut self.trees[tree];
        tears.push(Tear { after: *last, bad: step.page, parent: step.parent });
        if step.page > 0 && !self.seen.has(step.page) {
            self.parents.entry(step.page).or_insert(tree);
        }
    }

    fn leaf(&mut self, tree: usize, step: Step, page: &Page<'_>) {
        let keys = keys_of(page, self.trees[tree].shape);
        let ids: Vec<i64> = keys.iter().map(|(id, _)| *id).collect();
        let (Some(low), Some(high)) = (ids.first(), ids.last()) else {
            // Only a root may be empty, and then nothing is on it.
            if step.parent > 0 || page.len() > 0 || !page.is_full() {
                self.tear(tree, step);
            }
            return;
        };
        let (above, most) = step.bounds;
        if !self.is_sure(step) && (*low <= above || *high > most) {
            return self.tear(tree, step);
        }
        self.seen.add(step.page);
        let is_whole = keys.len() == page.len() && page.is_full();
        let Tree { leaves, last, owner, .. } = &mut self.trees[tree];
        let (low, mid, high) = (*low, ids[ids.len() / 2], *high);
        leaves.push(Leaf { page: step.page, low, mid, high, owner: *owner, is_whole });
        *last = high;
    }

    fn interior(&mut self, tree: usize, step: Step, page: &Page<'_>) {
        let (mut above, most) = step.bounds;
        let within = |(_, key): (u32, i64)| above < key && key <= most;
        if !self.is_sure(step) && !page.child(0).is_some_and(within) {
            return self.tear(tree, step);
        }
        self.seen.add(step.page);
        self.parents.insert(step.page, tree);
        let level = step.level + 1;
        for nth in 0..page.len() {
            let (child, key) = page.child(nth).unwrap_or((0, above));
            self.visit(tree, Step { page: child, parent: step.page, bounds: (above, key), level });
            above = key;
        }
        let page = page.last_child().unwrap_or(0);
        self.visit(tree, Step { page, parent: step.page, bounds: (above, most), level });
    }

    /// Tells whose rows are below a page, by the first of them.
    pub(super) fn recognise(&self, page: u32) -> Option<Shape> {
        let mut at = page;
        for _ in 0..MOST_LEVELS {
            let bytes = self.source.page(at)?;
            let page = Page::of(at, &bytes)?;
            match page.kind {
                Kind::TableInterior => at = page.child(0).map(|(child, _)| child).or(page.last_child())?,
                Kind::TableLeaf => {
                    let fits = |shape: &Shape| !keys_of(&page, *shape).is_empty();
                    return Shape::TABLES.into_iter().find(fits);
                }
                _ => return None,
            }
        }
        None
    }
}

/// Lists the rows of a leaf that fit its table, by key and cell, ascending.
pub(super) fn keys_of(page: &Page<'_>, shape: Shape) -> Vec<(i64, usize)> {
    let rows: Vec<(i64, usize)> = (0..page.len())
        .filter_map(|nth| page.cell(nth).map(|cell| (nth, cell)))
        .filter(|(_, cell)| shape.fits(cell.id, cell.local))
        .map(|(nth, cell)| (cell.id, nth))
        .collect();
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    ascending(&ids).into_iter().map(|nth| rows[nth]).collect()
}
