use js_sys::JsString;

/// The error of a call to the module.
pub(crate) type Failure = JsString;

pub(crate) fn failure(error: impl std::fmt::Display) -> Failure {
    error.to_string().into()
}
