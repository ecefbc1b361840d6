//! Values as bytes: what bincode 2 writes in its standard configuration, of the few shapes that rows have.
//!
//! A number is one byte below 251, and else a byte that tells its width (251: 2, 252: 4, 253: 8) and the number,
//! little-endian; a signed one is folded first, so that small ones stay short. A text and a list begin with their
//! length, an optional value with 0 or 1, an enum with the number of its variant. A struct is its fields.

use std::fmt;

use crate::*;

/// A value with a binary form.
pub(crate) trait Binary: Sized {
    /// Appends the value.
    fn write(&self, to: &mut Vec<u8>);

    /// Takes the value off.
    fn read(from: &mut Reader<'_>) -> Result<Self, Fault>;
}

/// Bytes that are taken off from their start.
pub(crate) struct Reader<'a>(&'a [u8]);

/// The reason for which bytes are no value.
#[derive(Debug)]
pub(crate) struct Fault(&'static str);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const SHORT: Fault = Fault("it is cut short");
const UNKNOWN: Fault = Fault("it has a value that nothing stands for");

/// Reads a value that is all of the bytes.
pub(crate) fn read<T: Binary>(bytes: &[u8]) -> Result<T, Fault> {
    let mut from = Reader(bytes);
    let value = T::read(&mut from)?;
    if from.0.is_empty() { Ok(value) } else { Err(Fault("bytes are left over")) }
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], Fault> {
        let count = usize::try_from(count).map_err(|_| SHORT)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let (byte, rest) = self.0.split_first().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64, Fault> {
        let width = match self.byte()? {
            byte @ ..=250 => return Ok(byte.into()),
            251 => 2,
            252 => 4,
            253 => 8,
            _ => return Err(UNKNOWN),
        };
        let mut number = [0; 8];
        number[..width].copy_from_slice(self.take(width as u64)?);
        Ok(u64::from_le_bytes(number))
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.number().and_then(|length| self.take(length))?;
        std::str::from_utf8(bytes).map_err(|_| Fault("it has a text that is not UTF-8"))
    }
}

fn write_number(number: u64, to: &mut Vec<u8>) {
    let bytes = number.to_le_bytes();
    let (width, mark) = match number {
        0..=250 => return to.push(bytes[0]),
        251..=0xFFFF => (2, 251),
        0x1_0000..=0xFFFF_FFFF => (4, 252),
        _ => (8, 253),
    };
    to.push(mark);
    to.extend_from_slice(&bytes[..width]);
}

fn write_text(text: &str, to: &mut Vec<u8>) {
    write_number(text.len() as u64, to);
    to.extend_from_slice(text.as_bytes());
}

macro_rules! unsigned {
    ($($name:ty),*) => {$(
        impl Binary for $name {
            fn write(&self, to: &mut Vec<u8>) {
                write_number((*self).into(), to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
                from.number()?.try_into().map_err(|_| UNKNOWN)
            }
        }
    )*};
}

macro_rules! signed {
    ($($name:ty),*) => {$(
        impl Binary for $name {
            fn write(&self, to: &mut Vec<u8>) {
                let number = i64::from(*self);
                write_number(((number << 1) ^ (number >> 63)) as u64, to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
                let folded = from.number()?;
                let number = (folded >> 1) as i64 ^ -((folded & 1) as i64);
                number.try_into().map_err(|_| UNKNOWN)
            }
        }
    )*};
}

macro_rules! texts {
    ($($name:ty),*) => {$(
        impl Binary for $name {
            fn write(&self, to: &mut Vec<u8>) {
                write_text(self.as_str(), to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
                from.text().and_then(|text| Self::new(text).map_err(|_| UNKNOWN))
            }
        }
    )*};
}

/// The binary form of a struct: its fields, which are all named.
macro_rules! binary_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::backend::codec::binary::Binary for $name {
            fn write(&self, to: &mut Vec<u8>) {
                $($crate::backend::codec::binary::Binary::write(&self.$field, to);)*
            }

            fn read(
                from: &mut $crate::backend::codec::binary::Reader<'_>,
            ) -> Result<Self, $crate::backend::codec::binary::Fault> {
                Ok(Self { $($field: $crate::backend::codec::binary::Binary::read(from)?,)* })
            }
        }
    };
}
pub(crate) use binary_struct;

/// The binary form of an enum: the number of the variant in this list, and the variant's value if it has one.
macro_rules! binary_enum {
    ($name:ident { $($number:literal: $variant:ident $(($value:ident))?),* $(,)? }) => {
        impl Binary for $name {
            fn write(&self, to: &mut Vec<u8>) {
                match self {$(
                    Self::$variant $(($value))? => {
                        to.push($number);
                        $($value.write(to);)?
                    }
                )*}
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
                Ok(match from.number()? {
                    $($number => Self::$variant $(({
                        let $value = Binary::read(from)?;
                        $value
                    }))?,)*
                    _ => return Err(UNKNOWN),
                })
            }
        }
    };
}

unsigned!(u16, u32, u64);
signed!(i32, i64);
texts!(RoomId, EventId, UserId, TxnId, EventType, StateKey, MediaUri, MediaFormat);

impl Binary for u8 {
    fn write(&self, to: &mut Vec<u8>) {
        to.push(*self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        from.byte()
    }
}

impl Binary for bool {
    fn write(&self, to: &mut Vec<u8>) {
        to.push((*self).into());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(UNKNOWN),
        }
    }
}

impl Binary for String {
    fn write(&self, to: &mut Vec<u8>) {
        write_text(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        from.text().map(str::to_owned)
    }
}

impl Binary for Json {
    fn write(&self, to: &mut Vec<u8>) {
        write_text(self.as_str(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        from.text().and_then(|text| Self::new(text).map_err(|_| Fault("it has content that is not JSON")))
    }
}

impl<T: Binary> Binary for Option<T> {
    fn write(&self, to: &mut Vec<u8>) {
        self.is_some().write(to);
        if let Some(value) = self {
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok(if bool::read(from)? { Some(T::read(from)?) } else { None })
    }
}

impl<T: Binary> Binary for Vec<T> {
    fn write(&self, to: &mut Vec<u8>) {
        write_number(self.len() as u64, to);
        self.iter().for_each(|value| value.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        // No space is taken at the word of a length that may be hostile.
        let mut values = Self::new();
        for _ in 0..from.number()? {
            values.push(T::read(from)?);
        }
        Ok(values)
    }
}

impl<const N: usize> Binary for [u8; N] {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        from.take(N as u64)?.try_into().map_err(|_| SHORT)
    }
}

impl<A: Binary, B: Binary> Binary for (A, B) {
    fn write(&self, to: &mut Vec<u8>) {
        self.0.write(to);
        self.1.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok((A::read(from)?, B::read(from)?))
    }
}

binary_struct!(Unread { notifications, highlights });
binary_struct!(Relation { kind, target, key });
binary_struct!(Lease { owner, until_ms });
binary_struct!(MediaKey { uri, format });
binary_enum!(Membership { 0: Join, 1: Invite, 2: Knock, 3: Leave, 4: Ban });
binary_enum!(Scope { 0: Account, 1: Room(room) });
binary_enum!(RelationKind {
    0: Edit,
    1: Reaction,
    2: Reply,
    3: Thread,
    4: Redaction,
    5: Other(name),
    6: Ignored,
});
binary_enum!(PendingState { 0: Blocked, 1: Queued, 2: Sending, 3: Sent, 4: Parked(reason) });
binary_enum!(ParkReason {
    0: Forbidden,
    1: TooLarge,
    2: Invalid,
    3: NotFound,
    4: Ambiguous,
    5: Expired,
    6: ParentFailed,
    7: MissingMedia,
    8: Paused,
    9: Refused,
    10: Restored,
    11: Unsealed,
});

#[cfg(test)]
mod tests;
