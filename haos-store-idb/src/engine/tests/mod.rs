//! The contract over maps: natively, fast, with shrinking.

mod contexts;
mod costs;
mod format;
mod late;
mod map;
mod store;
mod sums;
mod tamper;
mod view;

use haos_store_api::backend::Codec;

use self::store::{Folds, MapHarness};

mod plain {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, MapHarness::new(Codec::plain, Folds::Never));
}

mod folded {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, MapHarness::new(Codec::plain, Folds::Always));
}

mod by_chance {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, MapHarness::new(Codec::plain, Folds::ByChance));
}

mod sealed {
    use haos_store_api::Secret;
    use haos_store_api::backend::Keyring;

    use super::*;

    fn codec() -> Codec {
        Codec::sealed(Keyring::create(&Secret::key([7; 32]), Default::default()).unwrap())
    }

    haos_store_api::conformance_suite!(tokio::test, MapHarness::new(codec, Folds::Sometimes));
}
