use super::apart::{Stop, apart};
use super::backend::Backend;
use super::error::{closed, not_sealed};
use super::keys::{KeyringPlace, unlock};
use super::options::{OnDamage, Options};
use crate::{Codec, Error, Result};

/// The direction of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// A plain store becomes a sealed one.
    Sealed,
    /// A sealed store becomes a plain one.
    Plain,
}

impl To {
    /// Runs a conversion on a thread of its own, for an existing store, which is not replaced if it is damaged.
    ///
    /// # Errors
    /// `Invalid` where a secret is absent, and those of the work.
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

    /// Returns the codec of the store to convert.
    ///
    /// # Errors
    /// `Invalid` or `NotSealed` if it is in the target's form already, and those of [`unlock`].
    pub fn source(self, place: &impl KeyringPlace, options: &Options) -> Result<Codec> {
        match (self, place.record()?.is_some()) {
            (Self::Sealed, true) => Err(invalid("the store is sealed already: change its secret instead")),
            (Self::Sealed, false) => {
                unlock(place, &options.clone().no_secret()).map(|unlocked| unlocked.codec)
            }
            (Self::Plain, true) => unlock(place, options).map(|unlocked| unlocked.codec),
            (Self::Plain, false) => Err(not_sealed()),
        }
    }

    /// Returns the options of the converted store.
    pub fn target(self, options: &Options) -> Options {
        let target = options.clone().create(true);
        if self == Self::Plain { target.no_secret() } else { target }
    }
}

/// Makes the error of a conversion that was stopped.
pub fn cut_off() -> Error {
    closed("convert", "the conversion was cut off: start it again")
}

fn invalid(message: &str) -> Error {
    Error::invalid("convert", message)
}
