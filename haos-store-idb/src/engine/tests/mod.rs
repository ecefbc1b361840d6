//! The contract over maps: natively, fast, with shrinking.

mod contexts;
mod format;
mod map;
mod store;
mod tamper;

use haos_store_api::backend::Codec;

use self::store::MapHarness;

mod plain {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, MapHarness::new(Codec::plain, false));
}

mod compacted {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, MapHarness::new(Codec::plain, true));
}

mod sealed {
    use haos_store_api::Secret;
    use haos_store_api::backend::Keyring;

    use super::*;

    fn codec() -> Codec {
        Codec::sealed(Keyring::create(&Secret::key([7; 32]), Default::default()).unwrap())
    }

    haos_store_api::conformance_suite!(tokio::test, MapHarness::new(codec, true));
}
