//! The list of cases, and the macro that makes a test of each.

use super::{Case, CaseFuture, Harness, cases};

/// Makes a test of every case, and one of the scripts. Takes the test attribute and an expression
/// that makes a [`Harness`]; use it once a module. The test bodies are ordinary functions of this
/// crate: see [`run`](super::run) and [`scripts`](super::scripts).
///
/// ```text
/// mod plain {
///     use super::*;
///     haos_store_api::conformance_suite!(tokio::test, MyHarness::default());
/// }
/// ```
///
/// In a browser the attribute is `wasm_bindgen_test::wasm_bindgen_test`.
#[macro_export]
macro_rules! conformance_suite {
    ($test:meta, $harness:expr $(,)?) => {
        $crate::__conformance_cases! { __conformance_tests ($test, $harness) }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($test:meta, $harness:expr) $($module:ident { $($case:ident,)* })*) => {
        // One function for all tests, so that each of them compiles to little.
        fn conformance_harness() -> Box<dyn $crate::conformance::Harness> {
            Box::new($harness)
        }

        $(mod $module {
            #[allow(unused_imports, reason = "the test attribute may be an imported name")]
            use super::*;
            $(#[$test]
            async fn $case() {
                let name = concat!(stringify!($module), "::", stringify!($case));
                $crate::conformance::run_boxed(name, super::conformance_harness()).await;
            })*
        })*

        #[$test]
        async fn scripts() {
            $crate::conformance::run_scripts(conformance_harness().as_mut()).await;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($then:ident $arguments:tt) => {
        $crate::$then! { $arguments
        rooms {
            every_field_comes_back,
            absent_is_none,
            a_later_row_replaces,
            the_same_row_changes_nothing,
            latest_activity_first_then_by_id,
            a_new_activity_moves_a_room,
            pages_cover_every_room_once,
            a_page_goes_on_after_a_room_that_left,
            filtered_by_space_and_membership,
            a_limit_of_nothing_gives_nothing,
            a_timeline_write_raises_the_revision,
            removal_takes_timeline_and_state_along,
            removal_keeps_the_outbox,
            removing_an_unknown_room_changes_nothing,
        }
        messages {
            every_field_comes_back,
            every_kind_of_relation_comes_back,
            absent_is_none,
            a_message_needs_its_room,
            the_same_message_changes_nothing,
            later_content_replaces,
            an_anchor_never_moves,
            a_taken_position_is_a_conflict,
            a_position_that_came_free_can_be_taken,
            the_place_of_a_gap_is_a_conflict,
            a_confirmation_moves_a_provisional_message,
            a_provisional_message_stays_until_confirmed,
            a_confirmation_onto_a_taken_place_is_a_conflict,
            a_late_answer_does_not_undo_the_echo,
            a_transaction_id_stays,
            a_redaction_is_for_good,
            an_emptied_reaction_is_known_as_one_and_keeps_no_key,
            a_redaction_keeps_what_the_protocol_lets_stand,
            a_redacted_provisional_message_still_finds_its_place,
            redacting_an_unknown_message_changes_nothing,
            removed_is_gone,
            one_event_id_in_two_rooms_is_two_messages,
        }
        queries {
            related_by_target_and_kind,
            related_of_many_targets,
            a_changed_relation_is_found_where_it_is_now,
            the_latest_edit_is_told_by_time_and_not_by_place,
            by_ids,
            by_two_thousand_ids,
            by_transaction_across_rooms,
            by_sender_newest_first,
            by_time,
            counts,
        }
        timeline {
            pages_older_cover_everything_once,
            pages_newer_cover_everything_once,
            a_page_that_ends_at_the_end_has_no_more,
            gaps_are_items_in_their_place,
            newest_and_oldest_are_the_two_ends,
            unknown_and_empty_rooms_have_empty_pages,
            a_limit_of_nothing_tells_whether_there_is_more,
            the_greatest_limit_is_no_overflow,
            beyond_the_ends_is_nothing,
            the_lowest_and_highest_positions_are_places,
            several_pages_come_in_their_order,
            rooms_do_not_mix,
        }
        cursors {
            a_cursor_needs_no_message,
            a_cursor_survives_as_text,
            a_cursor_survives_renumbering,
            a_cursor_at_a_gap_survives_renumbering,
            a_cursor_outlives_its_message,
            a_cursor_follows_a_confirmation,
        }
        gaps {
            put_and_listed_oldest_first,
            another_token_replaces_and_raises_the_revision,
            the_same_gap_changes_nothing,
            removed_is_gone,
            a_gap_needs_its_room,
            the_place_of_a_message_is_a_conflict,
            of_two_fillers_one_wins,
            a_filled_gap_closes_in_the_same_batch,
        }
        renumbering {
            renumbering_keeps_everything_else,
            renumbering_swaps_and_shifts,
            renumbering_swaps_a_message_with_a_gap,
            renumbering_onto_a_taken_place_is_a_conflict,
            renumbering_nothing_is_a_conflict,
            renumbering_a_place_twice_is_invalid,
            renumbering_in_place_changes_nothing,
            renumbering_an_unknown_room_is_invalid,
            renumbering_makes_room_in_one_batch,
        }
        pruning {
            the_newest_stay_and_a_gap_takes_the_rest,
            a_second_pruning_changes_nothing,
            gaps_among_the_pruned_are_taken_along,
            a_gap_alone_stays_as_it_is,
            protected_messages_stay_among_gaps,
            what_the_outbox_refers_to_stays,
            keeping_more_than_there_is_changes_nothing,
            keeping_nothing_is_invalid,
            other_rooms_are_left_alone,
            a_pruned_message_can_come_back_below_its_gap,
        }
        outbox {
            every_field_comes_back,
            every_state_comes_back,
            the_sequence_is_the_order_of_writing,
            an_update_keeps_the_place,
            the_same_row_changes_nothing,
            a_sequence_number_is_never_given_twice,
            the_fence_only_grows,
            the_anchor_is_that_of_the_first_attempt,
            content_may_change_before_an_attempt,
            a_transaction_id_is_never_reused_after_an_attempt,
            the_wire_form_may_come_late,
            what_may_have_arrived_keeps_its_wire_form,
            a_row_cannot_change_its_room,
            removed_is_gone,
            queries_combine,
            pages_by_sequence_cover_everything_once,
            a_strict_write_survives_a_restart,
        }
        media {
            every_field_comes_back,
            absent_is_none,
            an_empty_item_is_an_item,
            a_later_item_replaces_bytes_and_info,
            the_same_item_changes_nothing,
            renditions_are_items_of_their_own,
            ranges_cross_chunks,
            a_range_beyond_the_end_is_empty,
            exact_chunks_have_no_tail,
            streamed_in_by_appending,
            appending_elsewhere_is_a_conflict,
            appending_nothing_changes_nothing,
            a_rename_keeps_the_bytes,
            a_rename_replaces_what_is_there,
            what_is_replaced_leaves_no_bytes_behind,
            a_rename_of_nothing_or_to_itself_changes_nothing,
            a_use_is_noted_if_it_is_later,
            the_index_is_ordered_and_filtered,
            removed_is_gone,
        }
        eviction {
            eviction_takes_what_is_too_large,
            eviction_takes_what_is_unused_for_too_long,
            eviction_takes_the_longest_unused_until_the_rest_fits,
            eviction_spares_what_is_pinned_or_unsent,
            a_pin_keeps_an_item_until_it_is_taken_off,
            a_pin_of_nothing_or_as_it_is_changes_nothing,
            eviction_of_nothing_changes_nothing,
        }
        state {
            every_field_comes_back,
            ordered_by_kind_then_key,
            asked_for_by_any_part,
            several_lists_come_in_the_order_of_their_queries,
            pages_of_a_kind_are_the_kind,
            a_page_goes_on_after_a_removed_key,
            a_page_is_of_one_kind,
            a_kind_is_counted,
            scopes_do_not_mix,
            a_later_value_replaces,
            the_same_entry_changes_nothing,
            removed_is_gone,
            a_rooms_state_needs_the_room,
            a_thousand_members_are_told_from_the_rest,
            what_came_of_a_redacted_event_goes_with_it,
        }
        batch {
            an_empty_batch_changes_nothing,
            each_change_is_one_revision,
            each_operation_alone_is_a_change_once,
            operations_see_those_before_them,
            a_room_made_anew_in_one_batch_is_empty,
            a_room_that_goes_leaves_the_others_of_its_batch,
            a_room_put_as_it_is_hides_no_change_of_its_batch,
            a_message_lands_on_no_gap_of_its_batch,
            a_late_failure_leaves_nothing_behind,
            a_sync_response_of_thousands_is_one_commit,
            both_durabilities_write,
        }
        preconditions {
            a_room_is_expected_at_its_revision,
            an_outbox_row_is_expected_at_its_revision,
            a_gap_is_expected_at_its_revision,
            a_state_entry_is_expected_with_its_value,
            preconditions_are_about_the_state_before,
            one_of_several_preconditions_is_enough_to_refuse,
            concurrent_writers_lose_no_update,
            concurrent_writers_without_preconditions_all_count,
        }
        feed {
            it_starts_at_the_present,
            every_commit_is_told_once_and_in_order,
            it_tells_what_was_touched,
            what_changes_nothing_is_not_told,
            every_subscriber_is_told,
            whoever_falls_behind_is_told_to_read_again,
            it_ends_when_the_store_is_closed,
            it_goes_on_after_a_pause,
        }
        lifecycle {
            a_new_store_is_empty,
            everything_survives_a_restart,
            a_closed_store_refuses_everything,
            a_suspended_store_refuses_everything_until_resumed,
            usage_counts_rows,
            chores_find_a_healthy_store,
            a_rotation_keeps_everything,
            secrets_change_without_a_row,
            it_says_what_it_is,
            a_dropped_write_is_whole_or_not_at_all,
        }
        snapshots {
            a_snapshot_keeps_to_its_commit,
            a_snapshot_can_only_be_read,
        }
        tampering {
            the_rows_that_are_moved_read_well_before,
            a_row_under_another_parent_is_noticed,
            a_rotation_does_not_make_a_moved_row_good,
        }
        content {
            json_is_kept_byte_for_byte,
            deep_json_is_kept_or_refused,
            a_megabyte_of_content,
            odd_ids_are_all_different,
            keys_do_not_run_into_each_other,
            times_before_1970_and_after_the_end,
            errors_and_names_carry_no_content,
        }
        }
    };
}

/// Expanded here alone: the one list of names makes [`CASES`] too.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_list {
    (() $($module:ident { $($case:ident,)* })*) => {
        /// Every case.
        pub const CASES: &[Case] = &[$($(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            run: |harness: &mut dyn Harness| -> CaseFuture<'_> {
                Box::pin(cases::$module::$case(harness))
            },
        },)*)*];
    };
}

__conformance_cases! { __conformance_list () }
