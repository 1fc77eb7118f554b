//! End to end: the real template, deployed by SAM to a local AWS, over real HTTP.

mod api;
mod attack;
mod attack_bodies;
mod attack_leaks;
mod attack_tokens;
mod bad_input;
mod breaker;
mod browser;
mod carried;
mod chaos;
mod check;
mod console;
mod counts;
mod customer;
mod delivery;
mod duplicates;
mod faults;
mod handover;
mod listener;
mod loops;
mod ownership;
mod pairs;
mod papers;
mod parked;
mod platforms;
mod schedule;
mod setup;
mod sight;
mod simulate;
mod soak;
mod story;
mod timers;
mod upgrade;
mod webhook;

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::{Handle, Runtime};
use trunkline_tests::World;

/// A test by its function's name, on the one stack.
macro_rules! trials {
    ($world:expr, $handle:expr, [$($module:ident :: $name:ident),* $(,)?]) => {
        vec![$({
            let (world, handle): (Arc<World>, Handle) = (Arc::clone($world), $handle.clone());
            Trial::test(concat!(stringify!($module), "::", stringify!($name)), move || {
                handle.block_on($module::$name(&world));
                Ok(())
            })
        }),*]
    };
}

fn main() {
    let mut arguments = Arguments::from_args();
    // The stack has two cores like the rest of us; more at once only makes each wait.
    arguments.test_threads.get_or_insert(4);
    let runtime = Runtime::new().expect("a runtime");
    let world = if arguments.list { None } else { Some(runtime.block_on(World::start())) };
    let Some(world) = world.map(Arc::new) else { return };
    let handle = runtime.handle();
    let (first, mut together) = (first(&world, handle), together(&world, handle));
    together.extend(attacks(&world, handle));
    let (alone, last) = (alone(&world, handle), last(&world, handle));
    let first = libtest_mimic::run(&arguments, first);
    let together = libtest_mimic::run(&arguments, together);
    arguments.test_threads = Some(1);
    let alone = libtest_mimic::run(&arguments, alone);
    let last = libtest_mimic::run(&arguments, last);
    // Everything that was started ends with the world, also when a test failed.
    drop(world);
    drop(runtime);
    first.exit_if_failed();
    together.exit_if_failed();
    alone.exit_if_failed();
    last.exit();
}

/// What is seen best while there is nothing else to be seen.
fn first(world: &Arc<World>, handle: &Handle) -> Vec<Trial> {
    trials!(world, handle, [browser::the_console_is_used_in_a_browser])
}

/// What runs side by side.
fn together(world: &Arc<World>, handle: &Handle) -> Vec<Trial> {
    trials!(
        world,
        handle,
        [
            story::a_customers_message_reaches_the_bot_and_the_answer_the_customer,
            story::signatures_hold_in_the_reference_library_both_ways,
            duplicates::five_at_once_are_one_delivery,
            duplicates::six_minutes_later_is_still_one_delivery,
            duplicates::a_message_that_the_queue_gives_again_is_sent_once,
            duplicates::what_was_written_but_not_queued_is_queued_by_the_duplicate,
            duplicates::two_first_messages_at_once_make_one_conversation,
            bad_input::webex_is_always_answered_with_its_token,
            bad_input::a_wrong_key_and_an_unknown_connection_look_the_same,
            bad_input::webhooks_are_told_what_is_wrong,
            bad_input::a_caller_that_is_not_on_the_list_finds_nothing,
            counts::an_ordinary_message_costs_two_reads_two_writes_and_one_send,
            ownership::a_handover_and_the_way_back,
            ownership::a_closed_conversation_starts_anew,
            ownership::a_conversation_that_goes_on_for_months_is_not_forgotten,
            handover::the_full_story,
            handover::message_while_pending_reaches_the_desk,
            handover::late_bot_answer_is_not_shown,
            handover::closed_by_agent_returns_control_to_bot,
            handover::a_customer_switches_by_keyword_in_their_language,
            handover::a_person_who_operates_it_hands_over_and_back_and_closes,
            handover::whatever_is_not_the_senders_to_do_is_refused,
            handover::what_was_picked_is_told_as_the_customer_saw_it,
            handover::a_change_of_configuration_strands_nobody,
            handover::a_route_without_a_bot,
            timers::nobody_accepts_in_time,
            timers::an_agent_does_not_answer_in_time,
            timers::silence_ends_a_conversation,
            timers::a_bot_that_is_down_for_long_is_left_and_what_waits_for_it_is_told,
            loops::bridge_notice_is_never_bridged,
            loops::two_linked_channels_do_not_loop,
            loops::a_story_told_twice_over_is_the_same_story,
            carried::receipts_and_typing_go_both_ways_under_the_right_ids,
            carried::another_conversations_message_cannot_be_named,
            carried::choices_become_numbers_where_there_are_no_buttons,
            carried::long_texts_arrive_in_parts_and_in_order,
            carried::what_cannot_be_shown_is_said_once,
            carried::events_that_come_out_of_order_wait_for_each_other,
            platforms::cm_to_twin_to_unblu_and_back,
            platforms::webex_to_servisbot_to_unblu,
            platforms::people_at_unblu_begin_a_conversation,
            platforms::cm_as_a_host_hands_over_by_its_own_router,
            platforms::a_desk_behind_cms_router,
            platforms::files_and_receipts_between_a_channel_and_unblu,
            platforms::our_conversations_are_readable_as_servisbot_events,
            pairs::a_webhook_channel_to_twin_by_callback_to_unblu,
            pairs::webex_to_servisbot_to_webex_connects_own_agents_and_back,
            pairs::cm_to_a_servisbot_whose_events_name_nobody_to_a_webhook_desk,
            pairs::a_webhook_channel_to_servisbot_to_agents_behind_cm,
            api::whoever_is_not_known_gets_in_nowhere,
            api::each_role_may_what_it_may,
            console::one_signs_in_once_by_a_link_and_by_a_cookie_thereafter,
            api::conversations_are_listed_read_and_turned,
            api::a_connection_and_a_route_are_set_up,
            api::an_outage_is_seen_and_what_is_parked_is_replayed,
            console::the_pages_come_with_their_policy,
            console::the_command_looks_by_the_same_api,
            api::an_identity_providers_claims_say_who_calls,
            check::a_channel_that_unblu_gave_up_is_switched_on_again,
            webhook::channel_observer_and_addresses_of_their_own,
            webhook::bearer_and_api_key,
            webhook::handshakes_both_ways,
            delivery::a_receiver_that_fails_once_gets_it_again_in_order,
            delivery::a_permanent_failure_is_recorded_and_the_leg_goes_on,
            faults::a_table_and_a_queue_that_refuse_for_a_while,
            faults::a_connection_that_breaks_after_the_message_was_taken,
            faults::a_receiver_that_resets_connections,
            faults::a_receiver_that_asks_to_wait_is_left_alone_so_long,
            breaker::five_failures_open_it_and_a_probe_closes_it,
            breaker::manual_reactivation_holds_until_verified,
            breaker::a_connection_that_is_down_does_not_delay_another,
            parked::a_poisoned_message_holds_its_leg_for_a_bounded_time_and_is_replayed,
            parked::a_permanent_failure_waits_for_a_person_and_never_is_a_dead_letter,
            parked::what_is_discarded_is_not_sent,
            parked::a_payload_that_no_worker_can_handle_is_a_dead_letter_until_redriven,
            schedule::four_more_attempts_within_the_hour_and_then_a_person,
            customer::a_customers_data_is_given_out_and_removed,
            sight::a_message_is_followed_from_the_webhook_to_the_platforms_answer,
            setup::the_command_applies_and_prints_addresses,
            setup::the_command_says_all_that_is_wrong_with_a_file,
            setup::every_function_has_a_sample_and_the_demo_runs_and_ends,
            simulate::cm_twin_and_unblu_are_played_from_three_terminals,
            simulate::webex_servisbot_and_a_webhook_desk_are_played,
            simulate::a_webhook_customer_and_two_sides_of_cm_are_played,
        ]
    )
}

/// What tries to get in, or to get something out.
fn attacks(world: &Arc<World>, handle: &Handle) -> Vec<Trial> {
    trials!(
        world,
        handle,
        [
            attack::a_forged_or_replayed_webhook_signature_gets_nowhere,
            attack::a_forged_or_replayed_unblu_signature_gets_nowhere,
            attack::tricks_in_an_address_find_nothing,
            attack::one_connection_cannot_reach_anothers_conversation,
            attack::wrong_tokens_of_each_platform_are_denied,
            attack_tokens::a_forged_or_expired_token_gets_nowhere,
            attack_bodies::depth_size_and_odd_json_leave_a_conversation_as_it_was,
            attack_bodies::ids_of_any_kind_break_neither_headers_nor_lines,
            attack_bodies::markup_that_unfolds_is_not_unfolded,
            attack_bodies::a_files_address_that_leads_elsewhere_or_never_ends_is_only_a_link,
        ]
    )
}

/// What kills workers, measures time or is slow runs by itself, after the rest: a worker that dies holds
/// what other tests count.
fn alone(world: &Arc<World>, handle: &Handle) -> Vec<Trial> {
    trials!(
        world,
        handle,
        [
            timers::slow_bot_ack_does_not_hand_over,
            faults::killed_after_the_send_and_before_the_record,
            faults::killed_after_the_write_and_before_the_queue,
            faults::killed_in_the_middle_of_a_drain,
            faults::killed_between_closing_the_breaker_and_releasing_what_is_parked,
            faults::killed_between_parking_and_leaving_the_note,
            faults::a_receiver_that_is_too_slow_gets_it_again_as_often_as_is_set,
            listener::a_listener_is_replaced_and_killed_and_nothing_is_lost_or_said_twice,
            attack_tokens::whoever_guesses_tokens_is_made_to_wait,
            console::the_api_is_as_it_is_described,
            upgrade::live_conversations_survive_a_deploy_and_the_way_back,
            chaos::one_poisoned_conversation_does_not_hold_up_the_others,
            papers::every_command_of_the_docs_is_run,
            soak::nothing_is_lost_grows_or_stays_behind,
            chaos::nothing_is_lost_or_out_of_order_while_all_goes_wrong,
        ]
    )
}

/// What looks back at the whole run.
fn last(world: &Arc<World>, handle: &Handle) -> Vec<Trial> {
    trials!(
        world,
        handle,
        [
            attack_leaks::no_log_and_no_command_shows_a_secret,
            attack_leaks::no_log_says_what_customers_wrote,
            attack_leaks::every_line_of_a_function_is_one_json_object,
        ]
    )
}
