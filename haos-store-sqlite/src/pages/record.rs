//! Records: a header of types, then the values.

use super::number::varint;

/// A value of a record, in SQLite's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value<'r> {
    Null,
    Int(i64),
    Real,
    Text(&'r [u8]),
    Blob(&'r [u8]),
}

impl<'r> Value<'r> {
    /// Returns a number.
    pub(crate) fn int(self) -> Option<i64> {
        if let Self::Int(value) = self { Some(value) } else { None }
    }

    /// Returns text or bytes.
    pub(crate) fn bytes(self) -> Option<&'r [u8]> {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The type of a value, with the length of text or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    /// With its bytes, or the value itself.
    Int(usize, Option<i64>),
    Real,
    Text(usize),
    Blob(usize),
}

impl Type {
    fn of(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Null,
            1..=4 => Self::Int(code as usize, None),
            5 => Self::Int(6, None),
            6 => Self::Int(8, None),
            7 => Self::Real,
            8 | 9 => Self::Int(0, Some(code as i64 - 8)),
            10 | 11 => return None,
            _ if code.is_multiple_of(2) => Self::Blob(usize::try_from((code - 12) / 2).ok()?),
            _ => Self::Text(usize::try_from((code - 13) / 2).ok()?),
        })
    }

    fn len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Real => 8,
            Self::Int(len, _) | Self::Text(len) | Self::Blob(len) => len,
        }
    }
}

/// The most columns of a table that is read.
const COLUMNS: usize = 32;

/// Reads the types in a record's header, and its length, from the record's first bytes.
pub(super) fn types(record: &[u8]) -> Option<(Vec<Type>, usize)> {
    let (length, _) = varint(record)?;
    let length = usize::try_from(length).ok()?;
    let (_, mut rest) = varint(record.get(..length)?)?;
    let mut types = Vec::new();
    while !rest.is_empty() {
        let (code, after) = varint(rest)?;
        types.push(Type::of(code)?);
        rest = after;
        if types.len() > COLUMNS {
            return None;
        }
    }
    Some((types, length))
}

/// Reads a record; absent unless its values fill it exactly.
pub(crate) fn decode(record: &[u8]) -> Option<Vec<Value<'_>>> {
    let (types, header) = types(record)?;
    let mut rest = &record[header..];
    let mut values = Vec::with_capacity(types.len());
    for kind in types {
        let (part, after) = rest.split_at_checked(kind.len())?;
        rest = after;
        values.push(match kind {
            Type::Null => Value::Null,
            Type::Real => Value::Real,
            Type::Text(_) => Value::Text(part),
            Type::Blob(_) => Value::Blob(part),
            Type::Int(_, Some(value)) => Value::Int(value),
            Type::Int(..) => Value::Int(signed(part)),
        });
    }
    rest.is_empty().then_some(values)
}

/// Reads a number of one to eight bytes.
fn signed(bytes: &[u8]) -> i64 {
    let start = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(start, |value: i64, byte| value << 8 | i64::from(*byte))
}
