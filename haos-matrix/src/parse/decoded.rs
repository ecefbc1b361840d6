//! The one door by which bytes of a server become text.

use std::borrow::Cow;

use haos_store_api::without_lone_surrogates;

use crate::ParseError;

/// The text of a body. A surrogate that stands alone in an escape is nothing that anybody could read: each becomes
/// U+FFFD, here and for good, so that what is stored reads the same everywhere.
pub(crate) fn decoded(body: &[u8]) -> Result<Cow<'_, str>, ParseError> {
    let text = std::str::from_utf8(body).map_err(|e| ParseError::Encoding { offset: e.valid_up_to() })?;
    Ok(without_lone_surrogates(text))
}
