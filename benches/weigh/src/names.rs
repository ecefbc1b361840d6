use crate::Parts;
use crate::module::Module;

/// How many bytes of code each crate has, as its functions' names tell: in the functions of certain numbers, and in the
/// others.
pub(crate) fn by_crate(module: &Module, is_in: impl Fn(u32) -> bool) -> (Parts, Parts) {
    let (mut inside, mut outside) = (Parts::new(), Parts::new());
    for (number, name, size) in module.functions() {
        let sizes = if is_in(number) { &mut inside } else { &mut outside };
        *sizes.entry(crate_of(name).unwrap_or("(no name)").to_owned()).or_default() += size;
    }
    (inside, outside)
}

/// The crate that a function is of: where a type or a trait of another crate is in the name, the one that wrote
/// the code, as `<haos_queue::Draft as core::fmt::Debug>::fmt` is of haos_queue. What a generic function of
/// the standard library was made for is not in its name: it counts as the library's.
fn crate_of(name: &str) -> Option<&str> {
    // As in `<&mut dyn a::B as c::D>::e`, `[a::B]::c` and `(a::B, a::C)`.
    let name = name.trim_start_matches(['<', '&', '*', '[', '(', '_']);
    let name =
        ["mut ", "const ", "dyn ", "impl "].iter().fold(name, |name, word| name.trim_start_matches(word));
    let (first, rest) = name.split_once("::").or_else(|| name.split_once(' ').filter(|_| false))?;
    let plain = first.split(['[', '.', ' ']).next().unwrap_or(first);
    // A wrapper of the library around a type: what is in it tells more.
    if matches!(plain, "core" | "alloc" | "std")
        && let Some((_, inner)) = rest.split_once('<')
        && let Some(inner) = crate_of(inner)
        && !matches!(inner, "core" | "alloc" | "std")
        && rest.starts_with("ptr::drop_in_place")
    {
        return Some(inner);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_crate() {
        let of = |name| crate_of(name).unwrap_or("?");
        assert_eq!(of("haos_queue::outbox::Outbox::new::h0123"), "haos_queue");
        assert_eq!(of("<haos_queue::Draft as core::fmt::Debug>::fmt"), "haos_queue");
        assert_eq!(of("<&mut dyn a::B as c::D>::e"), "a");
        assert_eq!(of("core::ptr::drop_in_place<haos_store_api::Op>"), "haos_store_api");
        assert_eq!(of("core::fmt::write"), "core");
        assert_eq!(of("haos_size[1f2e]::chat::open"), "haos_size");
        assert_eq!(of("malloc"), "?");
    }
}
