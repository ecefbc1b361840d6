//! The list of cases, and the macro that makes a test of each.

use super::{Case, Durable, cases};
use crate::conformance::CaseFuture;

/// Makes a test of every case of [`durable`](crate::conformance::durable), and the test `child`, which the cases
/// run in processes of their own. Takes the test attribute and an expression that makes a
/// [`DurableHarness`](crate::conformance::durable::DurableHarness); use it once a module.
///
/// ```text
/// mod durable {
///     haos_store_api::durable_suite!(tokio::test, crate::MyHarness::new());
/// }
/// ```
#[macro_export]
macro_rules! durable_suite {
    ($test:meta, $harness:expr $(,)?) => {
        $crate::__durable_cases! { __durable_tests ($test, $harness) }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __durable_tests {
    (($test:meta, $harness:expr) $(#[$on:meta] $module:ident { $($case:ident,)* })*) => {
        fn durable_harness() -> Box<dyn $crate::conformance::durable::DurableHarness> {
            Box::new($harness)
        }

        $(#[$on]
        mod $module {
            #[allow(unused_imports, reason = "the test attribute may be an imported name")]
            use super::*;
            $(#[$test]
            async fn $case() {
                let name = concat!(stringify!($module), "::", stringify!($case));
                $crate::conformance::durable::run_boxed(name, super::durable_harness()).await;
            })*
        })*

        #[$test]
        async fn child() {
            $crate::conformance::durable::child(durable_harness().as_ref()).await;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __durable_cases {
    ($then:ident $arguments:tt) => {
        $crate::$then! { $arguments
        #[cfg(any(unix, windows))]
        lifecycle {
            everything_is_there_after_a_reopen,
            close_is_idempotent_and_final,
            suspend_lets_go_of_the_files_and_resume_takes_them_back,
            commits_are_told_in_order_and_only_when_they_change_something,
            a_failing_batch_takes_back_only_itself,
            a_dropped_call_is_applied_whole_or_not_at_all,
            a_store_dropped_without_close_loses_nothing_that_was_acknowledged,
            no_runtime_is_needed,
            a_row_of_megabytes_comes_back,
        }
        #[cfg(any(unix, windows))]
        open {
            paths_that_hold_no_store,
            places_where_nothing_can_be_made,
            names_that_a_uri_would_misread,
            a_newer_store_is_refused,
            a_fresh_store_opened_many_times_at_once,
        }
        #[cfg(any(unix, windows))]
        maintain {
            a_sound_store_has_no_findings,
            what_does_not_fit_together_is_found,
            a_check_and_writes_at_once_find_nothing,
            a_check_ends_with_its_caller_and_with_the_store,
            usage_follows_every_change,
        }
        #[cfg(any(unix, windows))]
        damage {
            the_outbox_is_carried_over_row_by_row,
            every_readable_row_is_carried_over,
            a_damaged_entry_refuses_no_other_that_is_read_with_it,
            what_a_sync_tells_once_makes_the_next_one_begin_again,
            refusing_touches_nothing,
            each_damaged_store_keeps_a_name_of_its_own,
            a_damaged_store_opened_often_at_once_is_recovered_once,
        }
        #[cfg(any(unix, windows))]
        mirror {
            every_row_comes_back_whatever_one_place_of_the_store_is_damaged,
            every_row_comes_back_when_the_store_is_gone,
            the_store_loses_nothing_whatever_becomes_of_the_mirror,
            what_was_sent_or_changed_does_not_come_back_as_it_was,
            rows_that_the_store_lacks_come_back_in_place,
            another_store_s_mirror_is_not_taken,
            a_mirror_of_a_later_format_is_kept_and_not_used,
            it_is_made_with_the_first_row_and_stays_short,
            a_check_tells_a_mirror_that_differs,
            no_plain_row_stays_in_it_when_a_store_is_sealed,
            a_change_of_keys_writes_it_again,
            a_damaged_keyring_is_restored_from_it,
            handles_that_write_at_once_lose_no_row_of_it,
            a_mirror_that_cannot_be_written_fails_no_commit,
            a_killed_writer_leaves_a_mirror_that_saves_the_outbox,
        }
        #[cfg(any(unix, windows))]
        disk {
            no_space_for_a_new_store,
            a_read_only_disk,
        }
        #[cfg(any(unix, windows))]
        kill {
            nothing_acknowledged_is_lost_and_nothing_is_torn,
            a_killed_rotation_loses_nothing_and_completes_in_the_end,
        }
        #[cfg(any(unix, windows))]
        convert {
            there_and_back_everything_is_as_it_was,
            what_cannot_be_done_changes_nothing,
            cut_off_anywhere_it_goes_on,
        }
        #[cfg(any(unix, windows))]
        secrets {
            a_secret_makes_a_new_store_a_sealed_one,
            without_a_secret_a_sealed_store_is_refused_untouched,
            a_wrong_secret_is_refused_untouched,
            a_secret_for_a_plain_store_that_holds_something_is_refused_untouched,
            a_sealed_store_is_resumed_without_its_secret,
            a_store_that_was_shredded_is_not_resumed,
            a_keyring_of_which_one_byte_is_changed_is_refused_untouched,
            after_a_change_of_passphrase_the_new_one_opens_and_the_old_one_does_not,
            a_recovery_key_opens_the_store_until_it_is_removed,
            a_key_of_the_same_name_is_replaced,
            the_last_secret_stays,
            a_change_that_cannot_be_made_is_invalid_and_changes_nothing,
            a_plain_store_has_no_keys_to_change,
        }
        #[cfg(any(unix, windows))]
        leftovers {
            a_failed_conversion_leaves_nothing,
            an_unsealing_that_nobody_waits_for_leaves_nothing,
            what_a_killed_unsealing_wrote_goes_with_the_next_one_who_opens_the_store,
        }
        #[cfg(any(unix, windows))]
        aside {
            what_is_not_known_to_be_ours_is_left_alone,
            copies_that_were_set_aside_are_told_and_go_with_the_keys,
        }
        #[cfg(unix)]
        links {
            a_conversion_through_a_link_converts_the_store_it_leads_to,
            a_damaged_store_is_replaced_once_whoever_comes_by_link_or_path,
            a_link_that_leads_nowhere_makes_no_store_there,
        }
        #[cfg(unix)]
        rights {
            what_is_made_is_private_from_its_first_byte_on,
            a_store_that_is_replaced_keeps_its_rights,
        }
        #[cfg(unix)]
        planted {
            a_link_in_the_place_of_a_fixed_name_is_refused,
            a_link_of_any_other_name_is_left_alone,
            pipes_and_folders_are_refused_at_once,
            nothing_else_is_made,
        }
        }
    };
}

/// Expanded here alone: the one list of names makes [`CASES`] too.
#[doc(hidden)]
#[macro_export]
macro_rules! __durable_list {
    (() $(#[$on:meta] $module:ident { $($case:ident,)* })*) => {
        /// Every case.
        pub const CASES: &[Case] = &[$($(#[$on] Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            run: |harness: &Durable| -> CaseFuture<'_> {
                Box::pin(cases::$module::$case(harness))
            },
        },)*)*];
    };
}

__durable_cases! { __durable_list () }
