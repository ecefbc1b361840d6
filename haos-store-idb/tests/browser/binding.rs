//! The binding and the life cycle of its connections. The bodies are in the crate, which keeps both to itself.

use haos_store_idb::testing::{binding, lifecycle, lost, requests};
use wasm_bindgen_test::wasm_bindgen_test;

macro_rules! tests {
    ($($module:ident: $($name:ident)+;)+) => {
        $($(
            #[wasm_bindgen_test]
            async fn $name() {
                $module::$name().await;
            }
        )+)+
    };
}

tests! {
    binding:
        ranges_have_the_ends_they_say
        a_dropped_opening_makes_the_stores
        an_upgrade_that_fails_leaves_nothing
        a_key_may_be_put_twice
        a_transaction_that_committed_by_itself_is_done
        a_dropped_transaction_is_undone
        a_dropped_connection_is_closed
        the_last_value_is_the_last
        an_abort_tells_its_reason;
    requests:
        a_store_answers
        numbers_follow_one_another
        many_requests_at_once
        requests_may_be_forgotten
        durability_is_asked_for
        refusals_are_errors;
    lifecycle:
        a_new_database_has_all_stores
        a_missing_database_is_not_made_unasked
        a_newer_database_is_refused
        a_foreign_database_is_refused
        a_database_that_was_never_released_is_refused
        a_migration_keeps_what_is_there
        an_old_version_elsewhere_blocks
        an_opening_that_takes_too_long_is_given_up
        a_database_is_deleted_when_it_is_let_go
        openings_at_once_are_one
        an_opening_may_be_dropped
        no_indexeddb_is_unavailable;
    lost:
        an_upgrade_elsewhere_is_let_through
        a_commit_under_way_is_finished_before_an_upgrade
        a_lost_connection_is_opened_again
        the_browser_tells_of_a_forced_close
        an_erased_store_is_not_made_anew
        a_suspended_store_rests
        a_store_closed_while_it_opens_again_stays_closed
        a_page_that_is_put_away_lets_go;
}
