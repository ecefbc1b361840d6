use std::collections::BTreeSet;

use serde_json::Value;

/// Reads the numbers of the functions that a page of a watched module told of; `None` if nothing ran.
pub fn ran(told: &Value) -> Option<BTreeSet<u32>> {
    let number = |number: &Value| u32::try_from(number.as_u64()?).ok();
    let ran: BTreeSet<u32> = told.as_array()?.iter().map(number).collect::<Option<_>>()?;
    Some(ran).filter(|ran| !ran.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_list_of_numbers_is_refused() {
        assert_eq!(ran(&json!([3, 1, 3])), Some([1, 3].into()));
        for told in [json!([]), json!([1, "2"]), json!([-1]), json!(7), json!(null)] {
            assert_eq!(ran(&told), None, "{told}");
        }
    }
}
