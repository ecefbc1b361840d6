use super::apart::{Stop, apart};
use super::backend::Backend;
use super::error::{closed, not_sealed};
use super::keys::{KeyringPlace, unlock};
use super::options::{OnDamage, Options};
use crate::{Codec, Error, Result};

/// Which way a store is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// A plain store becomes a sealed one.
    Sealed,
    /// A sealed store becomes a plain one.
    Plain,
}

impl To {
    /// Runs a conversion on a thread of its own, for a store that is there and is not replaced if it is damaged.
    ///
    /// # Errors
    /// `Invalid` where a secret is missing, and those of the work.
    pub async fn run<B: Backend, T: Send + 'static>(
        self,
        options: Options,
        work: impl FnOnce(&Options, &Stop) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self == Self::Sealed && options.secret.is_none() {
            return Err(invalid("a store is sealed with a secret: give one in the options"));
        }
        let options = options.resolved::<B>()?.create(false).on_damage(OnDamage::Refuse);
        apart::<B, _>("convert", move |stop| work(&options, stop)).await
    }

    /// The codec of the store that is converted.
    ///
    /// # Errors
    /// `Invalid` or `NotSealed` where it is what it is to become, and those of [`unlock`].
    pub fn source(self, place: &impl KeyringPlace, options: &Options) -> Result<Codec> {
        match (self, place.record()?.is_some()) {
            (Self::Sealed, true) => Err(invalid("the store is sealed already: change its secret instead")),
            (Self::Sealed, false) => unlock(place, &options.clone().no_secret()),
            (Self::Plain, true) => unlock(place, options),
            (Self::Plain, false) => Err(not_sealed()),
        }
    }

    /// The options of the store that is made.
    pub fn target(self, options: &Options) -> Options {
        let target = options.clone().create(true);
        if self == Self::Plain { target.no_secret() } else { target }
    }
}

/// The error of a conversion that was stopped.
pub fn cut_off() -> Error {
    closed("convert", "the conversion was cut off: start it again")
}

fn invalid(message: &str) -> Error {
    Error::invalid("convert", message)
}
