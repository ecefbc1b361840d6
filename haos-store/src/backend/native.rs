use std::path::PathBuf;

use haos_store_api::backend::native::Options;

use crate::OpenOptions;

/// The options of a native store, of either kind.
pub(crate) fn native(path: PathBuf, options: &OpenOptions) -> Options {
    let native = Options::new(path).create(options.create).busy_ms(options.busy_ms).kdf(options.kdf);
    let native = native.check(options.check).kdf_limits(options.kdf_limits).padding(options.padding);
    let native = if options.low_memory { native.low_memory() } else { native };
    match &options.secret {
        Some(secret) => native.secret(secret.clone()),
        None => native,
    }
}
