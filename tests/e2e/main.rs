//! End-to-end tests: SAM deploys the real template to a local AWS, and tests use real HTTP.

mod api;
mod attack;
mod attack_bodies;
mod attack_leaks;
mod attack_tokens;
mod bad_input;
mod breaker;
mod browser;
mod call_counts;
mod chaos;
mod check;
mod console;
mod content;
mod customer;
mod delivery;
mod deployed;
mod docs;
mod duplicates;
mod faults;
mod handover;
mod listener;
mod loops;
mod observability;
mod ownership;
mod parked;
mod platform_pairs;
mod platforms;
mod schedule;
mod setup;
mod simulate;
mod smoke;
mod soak;
mod sqs_contract;
mod timers;
mod upgrade;
mod webhook;

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::{Handle, Runtime};
use trunkline_tests::TestEnvironment;

/// Creates a trial for each function, on the shared stack.
macro_rules! trials {
    ($env:expr, $handle:expr, [$($module:ident :: $name:ident),* $(,)?]) => {
        vec![$({
            let (env, handle): (Arc<TestEnvironment>, Handle) = (Arc::clone($env), $handle.clone());
            Trial::test(concat!(stringify!($module), "::", stringify!($name)), move || {
                handle.block_on($module::$name(&env));
                Ok(())
            })
        }),*]
    };
}

fn main() {
    let mut arguments = Arguments::from_args();
    // More concurrent tests only wait for each other on a machine with two cores.
    arguments.test_threads.get_or_insert(4);
    let runtime = Runtime::new().expect("cannot start the Tokio runtime");
    let env = if arguments.list { None } else { Some(runtime.block_on(TestEnvironment::start())) };
    let Some(env) = env.map(Arc::new) else { return };
    let handle = runtime.handle();
    let (first, mut together) = (first(&env, handle), together(&env, handle));
    together.extend(attacks(&env, handle));
    let (mut alone, last) = (alone(&env, handle), last(&env, handle));
    alone.extend(upgrade(&env, handle));
    let first = libtest_mimic::run(&arguments, first);
    let together = libtest_mimic::run(&arguments, together);
    arguments.test_threads = Some(1);
    let alone = libtest_mimic::run(&arguments, alone);
    let last = libtest_mimic::run(&arguments, last);
    // Dropping the environment stops all processes, also after a failed test.
    drop(env);
    drop(runtime);
    first.exit_if_failed();
    together.exit_if_failed();
    alone.exit_if_failed();
    last.exit();
}

/// Tests that need a stack without other traffic.
fn first(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(env, handle, [browser::console_works_in_a_browser])
}

/// Tests that run concurrently.
fn together(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(
        env,
        handle,
        [
            smoke::delivers_customer_message_to_bot_and_reply_to_customer,
            smoke::signatures_interoperate_with_reference_library,
            duplicates::concurrent_duplicates_deliver_once,
            duplicates::duplicate_after_deduplication_window_delivers_once,
            duplicates::redelivered_queue_message_is_sent_once,
            duplicates::duplicate_enqueues_event_that_was_stored_but_not_queued,
            duplicates::concurrent_first_messages_create_one_conversation,
            bad_input::webex_responses_always_carry_verification_token,
            bad_input::wrong_key_and_unknown_connection_get_identical_responses,
            bad_input::webhook_errors_have_code_and_detail,
            bad_input::caller_outside_allow_ips_gets_404,
            call_counts::message_costs_two_reads_two_writes_and_one_send,
            ownership::handover_and_handback_transfer_ownership,
            ownership::message_after_close_starts_new_conversation,
            ownership::active_conversation_does_not_expire,
            handover::bot_hands_over_to_desk_and_gets_conversation_back,
            handover::message_while_pending_reaches_desk,
            handover::late_bot_reply_is_not_delivered,
            handover::closed_by_agent_returns_control_to_bot,
            handover::keyword_in_customer_language_switches_owner,
            handover::operator_hands_over_and_back_and_closes,
            handover::rejects_events_that_sender_may_not_send,
            handover::transcript_shows_choice_titles,
            handover::open_conversation_survives_configuration_change,
            handover::route_without_bot_starts_at_desk,
            timers::unaccepted_handover_returns_to_bot,
            timers::idle_agent_closes_conversation,
            timers::session_ttl_closes_conversation,
            timers::bot_outage_hands_over_with_undelivered_messages,
            loops::echoed_notice_is_not_forwarded,
            loops::linked_channels_do_not_loop,
            loops::replaying_every_event_changes_nothing,
            content::receipts_and_typing_are_forwarded_with_original_ids,
            content::receipt_cannot_reference_another_conversation,
            content::choices_render_as_numbers_without_buttons,
            content::long_text_is_split_in_order,
            content::unsupported_content_notice_is_sent_once,
            content::out_of_order_events_are_reordered,
            platforms::cm_to_twin_to_unblu_and_back,
            platforms::webex_to_servisbot_to_unblu,
            platforms::unblu_agent_starts_conversation,
            platforms::cm_host_hands_over_through_its_router,
            platforms::desk_behind_cm_router,
            platforms::files_and_receipts_between_channel_and_unblu,
            platforms::servisbot_observer_receives_eventing_messages,
            platform_pairs::webhook_to_twin_callback_to_unblu,
            platform_pairs::webex_to_servisbot_to_webex_agents_and_back,
            platform_pairs::cm_to_servisbot_without_customer_reference_to_webhook_desk,
            platform_pairs::webhook_to_servisbot_to_cm_agents,
            api::every_operation_requires_authentication,
            api::roles_limit_operations,
            console::sign_in_link_works_once_and_sets_cookie,
            api::conversations_are_listed_read_and_handed_over,
            api::connection_and_route_are_configured,
            api::outage_is_visible_and_parked_deliveries_are_replayed,
            console::pages_have_content_security_policy,
            console::cli_reads_through_the_operator_api,
            api::jwt_claims_identify_caller,
            check::disabled_unblu_webhook_is_reactivated,
            webhook::channel_bot_and_observer_with_event_urls,
            webhook::bearer_and_api_key_authentication,
            webhook::verification_handshake_both_ways,
            delivery::failed_delivery_is_retried_in_order,
            delivery::permanent_failure_is_recorded_and_leg_continues,
            faults::recovers_from_table_and_queue_errors,
            faults::aborted_response_is_retried,
            faults::connection_resets_are_retried_without_duplicates,
            faults::retry_after_is_honoured,
            breaker::opens_after_five_failures_and_closes_after_probe,
            breaker::manual_reactivation_holds_until_verified,
            breaker::down_connection_does_not_delay_another,
            parked::failing_message_blocks_leg_for_bounded_time_and_is_replayed,
            parked::permanent_failure_waits_for_operator_and_is_no_dead_letter,
            parked::discarded_delivery_is_not_sent,
            parked::unreadable_payload_is_dead_lettered_until_redriven,
            schedule::retries_four_times_within_an_hour_then_waits_for_operator,
            deployed::connection_of_missing_platform_is_refused,
            deployed::queue_without_worker_is_stalled_until_it_is_read,
            deployed::schedule_reports_the_queues,
            sqs_contract::queues_of_the_testkit_behave_like_the_local_aws,
            customer::customer_data_is_exported_and_deleted,
            observability::trace_covers_message_end_to_end,
            setup::cli_applies_and_prints_addresses,
            setup::cli_reports_every_configuration_error,
            setup::every_function_has_a_sample_event_and_demo_runs,
            simulate::simulates_cm_twin_and_unblu,
            simulate::simulates_webex_servisbot_and_webhook_desk,
            simulate::simulates_webhook_customer_and_two_cm_parties,
        ]
    )
}

/// Attacks, which run concurrently as well.
fn attacks(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(
        env,
        handle,
        [
            attack::forged_webhook_signatures_are_rejected_and_replays_deduplicated,
            attack::forged_unblu_signatures_are_rejected_and_replays_deduplicated,
            attack::rejects_manipulated_inbound_addresses,
            attack::connection_cannot_access_conversation_of_another,
            attack::rejects_wrong_tokens_of_each_platform,
            attack_tokens::rejects_forged_or_expired_jwts,
            attack_bodies::malformed_bodies_do_not_corrupt_conversation,
            attack_bodies::hostile_ids_do_not_inject_headers_or_log_lines,
            attack_bodies::markup_entities_are_not_expanded,
            attack_bodies::unsafe_file_urls_are_sent_as_links,
        ]
    )
}

/// Tests that kill workers, measure time or are slow. They run one at a time after the others, because a
/// killed worker delays messages that other tests count.
fn alone(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(
        env,
        handle,
        [
            timers::slow_bot_ack_does_not_hand_over,
            faults::worker_killed_between_send_and_record,
            faults::inbound_killed_between_write_and_enqueue,
            faults::worker_killed_during_drain,
            faults::worker_killed_between_breaker_close_and_release,
            faults::worker_killed_between_parking_and_scheduling,
            faults::timed_out_delivery_follows_retry_unknown,
            listener::listener_replacement_and_crash_lose_and_repeat_nothing,
            attack_tokens::token_guessing_is_rate_limited,
            console::api_matches_its_openapi_document,
            chaos::failing_conversation_does_not_delay_others,
            docs::every_documented_command_runs,
            soak::no_loss_no_memory_growth_no_leftovers,
            chaos::no_loss_or_reordering_under_faults,
        ]
    )
}

/// The upgrade test. It is ignored until 0.3.0, because 0.1 and 0.2 have no installations. To run it:
/// `make previous build`, then set `TRUNKLINE_PREVIOUS`.
fn upgrade(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    let ignored = std::env::var_os("TRUNKLINE_PREVIOUS").is_none();
    let trials = trials!(env, handle, [upgrade::conversations_survive_upgrade_and_rollback]);
    trials.into_iter().map(|trial| trial.with_ignored_flag(ignored)).collect()
}

/// Tests that inspect the logs of the whole run.
fn last(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(
        env,
        handle,
        [
            attack_leaks::logs_and_cli_output_contain_no_secrets,
            attack_leaks::logs_contain_no_message_text,
            attack_leaks::every_log_line_is_one_json_object,
        ]
    )
}
