//! The list of cases.

/// Makes one test of every case for one store.
///
/// `store_suite!(sqlite, make)` expands into a module `sqlite` of tests; `make` names an async
/// function without arguments that answers a [`Harness`](crate::suite::Harness) of an empty
/// store, or maybe one: without it, which has to be said aloud, a case passes. After each case the books are checked.
#[macro_export]
macro_rules! store_suite {
    ($name:ident, $make:ident) => {
        mod $name {
            $crate::store_suite! { @cases $make;
                sends {
                    a_normal_packet_moves_its_money_into_escrow,
                    a_group_packet_is_split_when_it_is_sent,
                    the_same_number_again_answers_the_same_and_moves_nothing,
                    a_number_with_other_terms_is_refused,
                    texts_may_differ_on_a_replay,
                    the_same_number_at_two_merchants_is_two_orders,
                    order_numbers_and_openids_are_told_apart_by_case,
                    an_order_reads_back_as_it_was_sent,
                    an_order_that_was_never_sent_is_nothing,
                    a_refusal_before_the_order_leaves_no_order,
                    the_form_of_the_message_is_decided_at_the_send,
                    packets_are_read_many_at_a_time,
                    a_merchant_that_does_not_exist_sends_nothing,
                }
                refused {
                    a_refused_order_is_kept_with_its_reason,
                    a_refused_order_is_cured_under_the_same_number,
                    refusals_of_an_order_are_counted_from_the_first,
                    a_refused_order_fails_for_good_after_a_day,
                    a_refused_order_holds_on_to_its_terms,
                    a_refused_order_moves_no_money_and_uses_no_limit,
                }
                claims {
                    a_claim_moves_the_packet_into_the_wallet,
                    a_second_claim_answers_as_the_first,
                    only_its_receiver_opens_a_normal_packet,
                    a_made_up_code_finds_no_packet,
                    the_seed_user_opens_a_group_before_others,
                    a_group_is_claimed_to_the_last_fen,
                    a_claim_counts_until_the_last_millisecond,
                    claims_name_people_as_the_packets_app_does,
                    a_user_that_does_not_exist_claims_nothing,
                }
                limits {
                    a_merchants_day_is_filled_to_the_fen,
                    a_merchants_day_starts_anew_at_midnight_in_beijing,
                    a_refund_gives_no_limit_back,
                    a_user_claims_up_to_the_count_of_the_day,
                    a_user_claims_up_to_the_amount_of_the_day,
                    limits_of_one_merchant_are_not_those_of_another,
                    a_lowered_cap_holds_from_then_on,
                }
                refunds {
                    an_unclaimed_packet_goes_back_at_its_end,
                    a_packet_is_refunded_once,
                    what_is_left_of_a_group_goes_back,
                    a_claimed_packet_has_nothing_to_refund,
                    a_refund_goes_to_the_account_that_paid,
                    an_unknown_packet_is_not_refunded,
                    a_frozen_merchant_gets_its_money_back,
                }
                accounts {
                    a_recharge_arrives_once,
                    a_reference_stands_for_one_movement,
                    references_belong_to_their_owner,
                    money_moves_between_the_accounts_of_a_merchant,
                    an_operation_account_that_is_not_opened_takes_nothing,
                    an_opened_operation_account_pays_for_sends,
                    amounts_that_no_movement_may_have_are_refused,
                    a_frozen_merchant_neither_sends_nor_withdraws,
                }
                wallets {
                    a_user_pays_a_merchant_once,
                    a_transfer_shows_in_both_histories_at_once,
                    a_transfer_that_makes_no_sense_is_refused,
                    references_of_users_are_their_own,
                    a_withdrawal_is_pending_until_the_rail_says_paid,
                    a_withdrawal_that_fails_comes_back_once,
                    pending_payouts_are_listed_oldest_first,
                    a_frozen_wallet_neither_gives_nor_takes,
                    moving_money_leaves_the_freeze_as_it_is,
                    a_history_is_read_in_pages,
                }
                sandbox {
                    a_sandbox_clock_runs_ahead,
                    a_live_merchants_clock_is_not_advanced,
                    a_clock_step_has_bounds,
                    decision_times_never_go_back,
                }
                providers {
                    only_an_active_authorization_lets_a_provider_send,
                    an_authorization_is_changed_from_the_state_that_was_read,
                    a_provider_sends_its_sub_merchants_money_or_its_own,
                    a_merchant_that_is_no_provider_pays_for_itself_only,
                    a_provider_sends_normal_packets_only,
                    the_message_app_is_bound_to_one_of_the_two,
                    a_claim_names_its_receiver_as_the_provider_did,
                    a_frozen_sub_merchant_is_not_sent_for,
                    numbers_of_provider_and_sub_merchant_do_not_meet,
                }
                people {
                    one_subject_in_two_apps_is_one_wallet,
                    the_same_openid_in_two_apps_is_two_people,
                    registering_again_updates_a_person,
                    a_person_keeps_the_subject,
                    somebody_who_was_never_registered_is_nothing,
                    people_are_found_together,
                    many_people_are_registered_together,
                    messages_are_listed_newest_first,
                    a_message_that_is_there_stays_as_it_is,
                }
                merchants {
                    a_merchant_reads_back_as_it_was_made,
                    a_merchant_number_is_given_once,
                    merchants_are_listed_by_number,
                    settings_of_an_older_version_are_not_overwritten,
                    changing_settings_leaves_the_book_and_the_other_way_round,
                    a_key_is_replaced,
                    certificates_are_found_by_their_serial,
                    a_certificate_is_revoked_once,
                    a_store_that_runs_passes_its_check,
                }
                jobs {
                    due_packets_come_oldest_first_over_all_merchants,
                    a_claimed_packet_is_never_due,
                    packets_that_end_within_the_hour_are_counted,
                    due_packets_go_by_their_merchants_clock,
                    a_scan_starts_where_everything_before_is_settled,
                    the_clock_went_back_over_a_restart_and_packets_are_still_refunded,
                    a_journal_is_unfollowed_until_its_cursor_is_at_the_head,
                    unfollowed_journals_come_in_pages,
                    following_a_journal_writes_each_line_once,
                    a_journal_is_read_in_pages,
                    one_view_of_the_books_stays_as_it_was,
                }
                batches {
                    commands_of_one_batch_see_each_other,
                    one_number_twice_in_a_batch_is_one_packet,
                    a_large_batch_is_kept_as_small_ones_are,
                    an_order_refused_and_cured_in_one_batch_is_funded,
                    orders_of_one_batch_keep_their_own_terms,
                    a_refusal_in_a_batch_leaves_the_others_alone,
                    nothing_is_written_when_nothing_changed,
                    a_batch_over_two_merchants_is_written_whole,
                    a_defect_leaves_the_batch_as_it_was,
                    a_decision_that_panics_leaves_the_batch_as_it_was,
                }
                follow {
                    facts_that_follow_a_batch_are_those_that_are_loaded_after_it,
                    the_day_of_a_receiver_follows_the_claim_before,
                }
                races {
                    racing_sends_spend_the_balance_exactly,
                    racing_sends_of_one_number_are_one_packet,
                    racing_claims_take_every_share_once,
                    racing_claims_of_one_user_are_one_claim,
                    racing_refunds_are_one_refund,
                }
            }
        }
    };
    (@cases $make:ident; $($topic:ident { $($case:ident,)+ })+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let made: Option<$crate::Harness> = super::$make().await.into();
                let Some(harness) = made else { return };
                Box::pin($crate::suite::$topic::$case(&harness)).await;
                Box::pin($crate::suite::check_books(harness.store())).await;
            }
        )+)+
    };
}

#[cfg(test)]
mod tests {
    /// A case that is written and not listed would never run.
    #[test]
    fn every_case_that_is_written_is_listed() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/suite");
        let list = include_str!("cases.rs");
        let mut written = 0;
        for file in std::fs::read_dir(here).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let heads = text.lines().filter_map(|line| {
                let name = line.strip_prefix("pub async fn ")?;
                name.strip_suffix("(h: &Harness) {")
            });
            for name in heads {
                assert!(list.contains(&format!(" {name},\n")), "{name}");
                written += 1;
            }
        }
        assert!(written > 90, "only {written} cases were found");
    }
}
