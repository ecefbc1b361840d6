//! The errors of a browser.

use std::fmt;

use wasm_bindgen::JsValue;

use crate::js;

/// The reason why a browser did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebError {
    /// The engine lacks the interface, or hides it here (a page without secure context, a worker).
    Missing {
        /// The interface, such as `navigator.locks`.
        api: &'static str,
    },
    /// The engine has it and refused the call.
    Refused {
        /// The interface, such as `navigator.locks`.
        api: &'static str,
        /// The exception's name, such as `SecurityError` or `AbortError`; empty if it has none.
        name: String,
        /// The exception's message.
        message: String,
    },
}

impl WebError {
    pub(crate) fn refused(api: &'static str, exception: &JsValue) -> Self {
        let text = |name| js::get(exception, name).and_then(|value| value.as_string()).unwrap_or_default();
        Self::Refused { api, name: text("name"), message: text("message") }
    }

    /// The exception's name, such as `SecurityError`; empty if there was no exception.
    pub fn name(&self) -> &str {
        match self {
            Self::Missing { .. } => "",
            Self::Refused { name, .. } => name,
        }
    }
}

impl fmt::Display for WebError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { api } => write!(f, "this browser offers no {api} here: go without it"),
            Self::Refused { api, name, message } => write!(f, "the browser refused {api}: {name}: {message}"),
        }
    }
}

impl std::error::Error for WebError {}
