//! Which places of a source file can be mistaken, and how.

use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ReturnType, Stmt, Type, UnOp};

use crate::site::{Piece, Site, Source};
use Piece::{Owned, Pick, Text};

/// Methods that are mistaken for each other, with the same arguments.
const TWINS: [(&str, &str); 11] = [
    ("min", "max"),
    ("any", "all"),
    ("is_some", "is_none"),
    ("is_ok", "is_err"),
    ("is_some_and", "is_none_or"),
    ("first", "last"),
    ("first_key_value", "last_key_value"),
    ("saturating_add", "saturating_sub"),
    ("checked_add", "checked_sub"),
    ("wrapping_add", "wrapping_sub"),
    ("starts_with", "ends_with"),
];

/// The places of a file, outer ones first.
///
/// # Errors
/// If the text is no Rust.
pub(crate) fn find(path: &str, text: String) -> syn::Result<Source> {
    let file = syn::parse_file(&text)?;
    let mut finder = Finder { text: &text, sites: Vec::new(), path: Vec::new() };
    finder.visit_file(&file);
    let sites = finder.sites;
    let mut source = Source { path: path.to_owned(), text, sites };
    source.sort();
    Ok(source)
}

struct Finder<'a> {
    text: &'a str,
    sites: Vec<Site>,
    path: Vec<String>,
}

fn bytes(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

fn part(node: &impl Spanned) -> Piece {
    Piece::Part(bytes(node))
}

impl Finder<'_> {
    fn add(&mut self, range: Range<usize>, span: Span, changes: Vec<String>, pieces: Vec<Piece>) {
        if !changes.is_empty() {
            let (function, line) = (self.path.join("::"), span.start().line);
            self.sites.push(Site { range, pieces, changes, function, line });
        }
    }

    /// The source of a node on one line, cut where it is long.
    fn shown(&self, node: &impl Spanned) -> String {
        let words: Vec<_> = self.text[bytes(node)].split_whitespace().collect();
        let text = words.join(" ");
        match text.char_indices().nth(70) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    }

    fn inside(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.path.push(name);
        visit(self);
        self.path.pop();
    }

    /// A condition that is always met, or never.
    fn force(&mut self, condition: &Expr, also_true: bool) {
        if has_let(condition) || matches!(condition, Expr::Lit(_)) {
            return;
        }
        let shown = self.shown(condition);
        let mut changes = vec![format!("`{shown}` is never so")];
        let mut pieces = vec![Text("(match "), Pick, Text(" { 1 => false, ")];
        if also_true {
            changes.push(format!("`{shown}` is always so"));
            pieces.push(Text("2 => true, "));
        }
        pieces.extend([Text("_ => "), part(condition), Text(" })")]);
        self.add(bytes(condition), condition.span(), changes, pieces);
    }

    fn compare(&mut self, node: &syn::ExprBinary, others: &[&'static str]) {
        let shown = self.shown(node);
        let changes = others.iter().map(|other| format!("`{shown}` with `{other}`")).collect();
        let mut pieces =
            vec![Text("({ let (l, r) = (&("), part(&node.left), Text("), &("), part(&node.right)];
        pieces.extend([Text(")); match "), Pick, Text(" { ")]);
        for (other, number) in others.iter().zip(1..) {
            pieces.push(Owned(format!("{number} => l {other} r, ")));
        }
        let op = self.text[bytes(&node.op)].to_owned();
        pieces.push(Owned(format!("_ => l {op} r }} }})")));
        self.add(bytes(node), node.span(), changes, pieces);
    }

    fn compute(&mut self, node: &syn::ExprBinary, other: &'static str) {
        let change = format!("`{}` with `{other}`", self.shown(node));
        let op = self.text[bytes(&node.op)].to_owned();
        let pieces = vec![
            Text("({ let (l, r) = ("),
            part(&node.left),
            Text(", "),
            part(&node.right),
            Text("); if "),
            Pick,
            Owned(format!(" == 1 {{ l {other} r }} else {{ l {op} r }} }})")),
        ];
        self.add(bytes(node), node.span(), vec![change], pieces);
    }

    /// `a && b` ends early when `a` is false, `a || b` when it is true.
    fn connect(&mut self, node: &syn::ExprBinary, other: &str, ends: bool) {
        if has_let(&node.left) || has_let(&node.right) {
            return;
        }
        let change = format!("`{}` with `{other}`", self.shown(node));
        let pieces = vec![
            Text("({ let l = "),
            part(&node.left),
            Text("; if l == ("),
            Pick,
            Owned(format!(" {} 1) {{ l }} else {{ ", if ends { "!=" } else { "==" })),
            part(&node.right),
            Text(" } })"),
        ];
        self.add(bytes(node), node.span(), vec![change], pieces);
    }

    fn choose(&mut self, node: &Expr, change: String, wrong: Vec<Piece>) {
        let mut pieces = vec![Text("(if "), Pick, Text(" == 1 { ")];
        pieces.extend(wrong);
        pieces.extend([Text(" } else { "), part(node), Text(" })")]);
        self.add(bytes(node), node.span(), vec![change], pieces);
    }

    /// The values that a function could return without doing anything.
    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let answers = match &signature.output {
            ReturnType::Default => vec!["()"],
            ReturnType::Type(_, of) => answers(of),
        };
        if block.stmts.is_empty() {
            return;
        }
        let changes = answers.iter().map(|answer| format!("answers `{answer}`")).collect();
        let mut pieces = vec![Text(" match "), Pick, Text(" { ")];
        for (answer, number) in answers.iter().zip(1..) {
            pieces.push(Owned(format!("{number} => return {answer}, ")));
        }
        pieces.push(Text("_ => {} } "));
        let at = bytes(&block.brace_token.span.open()).end;
        self.add(at..at, signature.span(), changes, pieces);
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        match node.op {
            BinOp::Eq(_) => self.compare(node, &["!="]),
            BinOp::Ne(_) => self.compare(node, &["=="]),
            BinOp::Lt(_) => self.compare(node, &["<=", ">"]),
            BinOp::Le(_) => self.compare(node, &["<", ">"]),
            BinOp::Gt(_) => self.compare(node, &[">=", "<"]),
            BinOp::Ge(_) => self.compare(node, &[">", "<"]),
            BinOp::And(_) => self.connect(node, "||", false),
            BinOp::Or(_) => self.connect(node, "&&", true),
            BinOp::Add(_) => self.compute(node, "-"),
            BinOp::Sub(_) => self.compute(node, "+"),
            BinOp::Mul(_) => self.compute(node, "+"),
            BinOp::Div(_) | BinOp::Rem(_) => self.compute(node, "*"),
            BinOp::Shl(_) => self.compute(node, ">>"),
            BinOp::Shr(_) => self.compute(node, "<<"),
            BinOp::BitAnd(_) => self.compute(node, "|"),
            BinOp::BitOr(_) => self.compute(node, "&"),
            _ => {}
        }
    }

    fn method(&mut self, node: &syn::ExprMethodCall, whole: &Expr) {
        let name = node.method.to_string();
        let twin = TWINS.iter().find_map(|(a, b)| match &*name {
            name if name == *a => Some(*b),
            name if name == *b => Some(*a),
            _ => None,
        });
        let Some(twin) = twin else { return };
        let change = format!("`{}` with `{twin}`", self.shown(node));
        let end = bytes(node).end;
        let wrong = vec![
            part(&node.receiver),
            Owned(format!(".{twin}")),
            Piece::Part(bytes(&node.paren_token.span.open()).start..end),
        ];
        self.choose(whole, change, wrong);
    }
}

/// Values of a type that a function which does nothing might answer.
fn answers(of: &Type) -> Vec<&'static str> {
    let Type::Path(path) = of else { return Vec::new() };
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    let unit = |args: &syn::PathArguments| match args {
        syn::PathArguments::AngleBracketed(args) => {
            matches!(args.args.first(), Some(syn::GenericArgument::Type(Type::Tuple(unit))) if unit.elems.is_empty())
        }
        _ => true,
    };
    match &*last.ident.to_string() {
        "bool" => vec!["true", "false"],
        "Option" => vec!["None"],
        "Result" if unit(&last.arguments) => vec!["Ok(())"],
        "Vec" => vec!["Vec::new()"],
        "String" => vec!["String::new()"],
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => vec!["0", "1"],
        _ => Vec::new(),
    }
}

/// Tells if an expression is or begins a `let` that later conditions read.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        Expr::Paren(inner) => has_let(&inner.expr),
        _ => false,
    }
}

fn is_for_tests(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("test")
            || attr.path().is_ident("cfg")
                && attr.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
    })
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        if !is_for_tests(&node.attrs) {
            self.inside(node.ident.to_string(), |this| visit::visit_item_mod(this, node));
        }
    }

    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        if node.sig.constness.is_none() && !is_for_tests(&node.attrs) {
            self.inside(node.sig.ident.to_string(), |this| {
                this.body(&node.sig, &node.block);
                this.visit_block(&node.block);
            });
        }
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        if node.sig.constness.is_none() && !is_for_tests(&node.attrs) {
            self.inside(node.sig.ident.to_string(), |this| {
                this.body(&node.sig, &node.block);
                this.visit_block(&node.block);
            });
        }
    }

    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        // Printing decides nothing.
        let printed = ["Debug", "Display", "Error"];
        let of = node.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
        if of.is_some_and(|name| printed.contains(&&*name.ident.to_string())) || is_for_tests(&node.attrs) {
            return;
        }
        let name = self.shown(&node.self_ty);
        self.inside(name, |this| visit::visit_item_impl(this, node));
    }

    // Constants, types, patterns and attributes are no places where something is computed.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_generics(&mut self, _: &'ast syn::Generics) {}
    fn visit_path(&mut self, _: &'ast syn::Path) {}

    fn visit_expr_repeat(&mut self, node: &'ast syn::ExprRepeat) {
        self.visit_expr(&node.expr);
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        if let Some((_, guard)) = &node.guard {
            self.force(guard, true);
            self.visit_expr(guard);
        }
        self.visit_expr(&node.body);
    }

    fn visit_stmt(&mut self, node: &'ast Stmt) {
        if let Stmt::Expr(expr, Some(_)) = node
            && is_effect(expr)
        {
            let change = format!("without `{}`", self.shown(node));
            let pieces = vec![Text("if "), Pick, Text(" == 0 { "), part(node), Text(" }")];
            self.add(bytes(node), node.span(), vec![change], pieces);
        }
        visit::visit_stmt(self, node);
    }

    fn visit_expr(&mut self, node: &'ast Expr) {
        match node {
            Expr::Binary(binary) => self.binary(binary),
            Expr::If(branch) => self.force(&branch.cond, true),
            Expr::While(branch) => self.force(&branch.cond, false),
            Expr::MethodCall(call) => self.method(call, node),
            Expr::Match(chosen) => self.arms(chosen),
            Expr::Unary(syn::ExprUnary { op: UnOp::Not(_), expr, .. }) => {
                let change = format!("`{}` not negated", self.shown(node));
                let pieces = vec![
                    Text("({ let v = "),
                    part(expr),
                    Text("; if "),
                    Pick,
                    Text(" == 1 { v } else { !v } })"),
                ];
                self.add(bytes(node), node.span(), vec![change], pieces);
            }
            Expr::Call(call) if is_some(call) => {
                let change = format!("`{}` is `None`", self.shown(node));
                self.choose(node, change, vec![Text("None")]);
            }
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(int), .. }) => {
                if let Ok(next) = int.base10_parse::<u64>().map(|n| n.saturating_add(1)) {
                    let wrong = format!("{next}{}", int.suffix());
                    self.choose(node, format!("`{}` is `{wrong}`", self.shown(node)), vec![Owned(wrong)]);
                }
            }
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(value), .. }) => {
                let wrong = if value.value { "false" } else { "true" };
                self.choose(node, format!("`{}` is `{wrong}`", value.value), vec![Text(wrong)]);
            }
            _ => {}
        }
        visit::visit_expr(self, node);
    }
}

impl Finder<'_> {
    /// An arm that is passed over, where a last one takes everything.
    fn arms(&mut self, node: &syn::ExprMatch) {
        let Some((syn::Pat::Wild(_), None)) = node.arms.last().map(|arm| (&arm.pat, &arm.guard)) else {
            return;
        };
        for arm in &node.arms[..node.arms.len() - 1] {
            let change = format!("without the arm `{}`", self.shown(&arm.pat));
            let (range, pieces) = match &arm.guard {
                None => {
                    let at = bytes(&arm.pat).end;
                    (at..at, vec![Text(" if "), Pick, Text(" == 0")])
                }
                Some((_, guard)) if has_let(guard) => continue,
                Some((_, guard)) => {
                    (bytes(guard), vec![Text("("), Pick, Text(" == 0 && ("), part(guard), Text("))")])
                }
            };
            self.add(range, arm.pat.span(), vec![change], pieces);
        }
    }
}

fn is_some(call: &syn::ExprCall) -> bool {
    matches!(&*call.func, Expr::Path(path) if path.path.is_ident("Some"))
}

/// Statements that are there for what they do.
fn is_effect(expr: &Expr) -> bool {
    match expr {
        Expr::MethodCall(_) | Expr::Assign(_) | Expr::Continue(_) | Expr::Break(_) | Expr::Return(_) => true,
        Expr::Call(call) => !matches!(&*call.func, Expr::Path(path) if path.path.is_ident("drop")),
        Expr::Try(inner) => is_effect(&inner.expr),
        Expr::Await(inner) => is_effect(&inner.base),
        Expr::Binary(binary) => matches!(
            binary.op,
            BinOp::AddAssign(_)
                | BinOp::SubAssign(_)
                | BinOp::MulAssign(_)
                | BinOp::BitOrAssign(_)
                | BinOp::BitAndAssign(_)
                | BinOp::ShlAssign(_)
                | BinOp::ShrAssign(_)
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The function with the one mistake of each place compiled in, and in words.
    fn woven(body: &str) -> (String, Vec<String>) {
        let source = find("a.rs", format!("fn f(a: T) -> T {{ {body} }}")).unwrap();
        let (text, _) = source.weave(&|site| Some(site as u32));
        syn::parse_file(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        (
            text.replace("crate::__mutants::pick", "pick"),
            source.sites.into_iter().flat_map(|s| s.changes).collect(),
        )
    }

    #[test]
    fn comparisons_and_arithmetic() {
        let (text, changes) = woven("a.b < c + d");
        assert_eq!(changes, ["`a.b < c + d` with `<=`", "`a.b < c + d` with `>`", "`c + d` with `-`"]);
        assert!(text.contains(
            "({ let (l, r) = (&(a.b), &(({ let (l, r) = (c, d); if pick(1, 1) == 1 { l - r } else"
        ));
    }

    #[test]
    fn conditions_connections_and_chains() {
        let (text, changes) = woven("if a && b { 1 } else { 2 }");
        assert!(text.contains(
            "if (match pick(0, 2) { 1 => false, 2 => true, _ => ({ let l = a; if l == (pick(1, 1) == 1)"
        ));
        assert_eq!(changes[2], "`a && b` with `||`");
        let (_, changes) = woven("if a == b && let Some(c) = d && c { e() } else { g() }");
        assert_eq!(changes, ["`a == b` with `!=`"]);
    }

    #[test]
    fn statements_arms_and_answers() {
        let (text, changes) =
            woven("self.x.push(1); a += 2; drop(b); match a { A => 1, B if c => 2, _ => 3 }");
        assert!(changes.contains(&"without `self.x.push(1);`".to_owned()), "{changes:?}");
        assert!(changes.contains(&"without `a += 2;`".to_owned()));
        assert!(changes.contains(&"without the arm `A`".to_owned()));
        assert!(!changes.iter().any(|change| change.contains("drop")));
        assert!(text.contains("A if pick("));
        let (text, _) = woven("match a { A => g(b + c), B => g(b - c), _ => 3 }");
        assert!(text.contains("l - r") && text.contains("l + r"), "what is in an arm is woven, too: {text}");
        let source =
            find("a.rs", "impl A { fn f(&self) -> Result<()> { g() } fn h(&self) -> bool { g() } }".into());
        let sites = source.unwrap().sites;
        assert_eq!(sites.iter().map(|s| s.changes.len()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(sites[0].function, "A::f");
    }

    #[test]
    fn what_decides_nothing_is_left_alone() {
        for text in [
            "const A: u8 = 1 + 2;",
            "const fn f() -> u8 { 1 + 2 }",
            "#[cfg(test)] mod tests { fn f() -> bool { 1 < 2 } }",
            "#[test] fn f() { assert!(1 < 2) }",
            "impl fmt::Debug for A { fn fmt(&self) -> bool { true } }",
            "type A = [u8; 3];",
        ] {
            assert!(find("a.rs", text.into()).unwrap().sites.is_empty(), "{text}");
        }
    }
}
