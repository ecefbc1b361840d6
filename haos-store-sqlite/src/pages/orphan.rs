//! The pages below a damaged one, found through the map of pointers, and the end of a walk.

use std::collections::{BTreeMap, HashSet};

use super::cell::{Kind, Page};
use super::map::Use;
use super::tree::{Leaf, Plan, Tree, Walk};

/// The pages that the map names as children and that no walk has seen, by their parents.
type Children = BTreeMap<u32, Vec<u32>>;

impl Walk<'_> {
    /// Takes in the pages whose parents are damaged.
    pub(super) fn adopt(&mut self) {
        let children = self.unseen();
        if children.is_empty() {
            return;
        }
        // Those of parents that are known; what they lead to may be parents of others.
        let mut open: Vec<u32> = children.keys().copied().collect();
        loop {
            let before = open.len();
            open.retain(|parent| {
                let Some(tree) = self.parents.get(parent).copied() else { return true };
                self.adopt_all(tree, *parent, &children[parent]);
                false
            });
            if open.len() == before {
                break;
            }
        }
        // Those whose parents are gone with their own: their rows tell whose they are.
        for parent in open {
            if self.is_table_page(parent) {
                continue;
            }
            for page in &children[&parent] {
                let tree =
                    self.recognise(*page).and_then(|shape| self.trees.iter().position(|t| t.shape == shape));
                if let Some(tree) = tree.filter(|tree| !self.trees[*tree].tears.is_empty()) {
                    self.adopt_all(tree, parent, &[*page]);
                }
            }
        }
        self.judge(&children);
    }

    fn unseen(&self) -> Children {
        let mut found = Children::new();
        // The map may name pages that the file has lost.
        for page in 3..=self.source.count().saturating_add(1024) {
            if self.seen.has(page) || self.map.is_own(page) {
                continue;
            }
            if let Some(Use::Child(parent)) = self.map.get(page) {
                found.entry(parent).or_default().push(page);
            }
        }
        found
    }

    fn adopt_all(&mut self, tree: usize, parent: u32, pages: &[u32]) {
        for page in pages {
            // A bad page is among the children of its own parent.
            if !self.seen.has(*page) && !self.parents.contains_key(page) {
                self.orphan(tree, *page, parent);
            }
        }
    }

    fn is_table_page(&self, nr: u32) -> bool {
        let bytes = self.source.page(nr);
        let page = bytes.as_ref().and_then(|bytes| Page::of(nr, bytes));
        page.is_some_and(|page| page.kind == Kind::TableInterior)
    }

    /// Closes the tears of pages all of whose children were found, and opens those beside the other orphans.
    fn judge(&mut self, children: &Children) {
        let is_whole = self.map.is_whole();
        let all_seen = |pages: &Vec<u32>| pages.iter().all(|page| self.seen.has(*page));
        let found: HashSet<u32> = children
            .iter()
            .filter(|(_, pages)| is_whole && all_seen(pages))
            .map(|(parent, _)| *parent)
            .collect();
        for Tree { leaves, tears, .. } in &mut self.trees {
            tears.retain(|tear| !found.contains(&tear.bad) && !found.contains(&tear.parent));
            for leaf in leaves {
                leaf.is_whole &= leaf.owner == 0 || found.contains(&leaf.owner);
            }
        }
    }

    /// Ends the walk: pages in the order of their keys.
    pub(super) fn finish(self) -> Vec<Plan> {
        self.trees.into_iter().map(finished).collect()
    }
}

fn finished(tree: Tree) -> Plan {
    let Tree { shape, mut leaves, tears, .. } = tree;
    leaves.sort_by_key(|leaf| leaf.mid);
    let mut tears: Vec<i64> = tears.iter().map(|tear| tear.after).collect();
    // A page that was reached is right about its rows.
    let reached: Vec<Leaf> = leaves.iter().filter(|leaf| leaf.owner == 0).copied().collect();
    leaves.retain(|leaf| {
        let next = reached.partition_point(|other| other.mid < leaf.mid);
        let older = next.checked_sub(1).and_then(|nth| reached.get(nth));
        let is_apart = older.is_none_or(|other| other.high < leaf.low)
            && reached.get(next).is_none_or(|other| leaf.high < other.low);
        if leaf.owner > 0 && !is_apart {
            tears.push(leaf.low.saturating_sub(1));
        }
        leaf.owner == 0 || is_apart
    });
    tears.sort_unstable();
    tears.dedup();
    Plan { shape, leaves, tears }
}
