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
mod deployed;
mod doctor;
mod documents;
mod faults;
mod files;
mod handover;
mod listener;
mod observability;
mod operate;
mod ownership;
mod parked;
mod permissions;
mod platform_pairs;
mod platforms;
mod restore;
mod setup;
mod simulate;
mod smoke;
mod soak;
mod sqs_contract;
mod timers;
mod upgrade;
mod webhook;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::{Handle, Runtime};
use trunkline_tests::{TestEnvironment, unblu_version};

/// How many of the slowest trials are printed at the end.
const SLOWEST: usize = 15;

/// The stories with Unblu. They run again with each version of its web API (`make conform`).
const STORIES_WITH_UNBLU: [&str; 7] = [
    "platforms::cm_to_twin_to_unblu_and_back",
    "platforms::webex_to_servisbot_to_unblu",
    "platforms::files_and_receipts_between_channel_and_unblu",
    "platform_pairs::webhook_to_twin_callback_to_unblu",
    "check::disabled_unblu_webhook_is_reactivated",
    "attack::forged_unblu_signatures_are_rejected_and_replays_deduplicated",
    "attack_bodies::unsafe_file_urls_are_sent_as_links",
];

tokio::task_local! {
    /// The name of the running trial.
    static TRIAL: &'static str;
}

/// Fails a trial that starts Unblu and is not one of the stories with Unblu.
fn expect_story_with_unblu() {
    let name = TRIAL.get();
    assert!(STORIES_WITH_UNBLU.contains(&name), "add {name} to STORIES_WITH_UNBLU");
}

static DURATIONS: Mutex<Vec<(Duration, &str)>> = Mutex::new(Vec::new());

/// Records the duration of a trial when it is dropped.
struct Recorded {
    name: &'static str,
    began: Instant,
}

impl Drop for Recorded {
    fn drop(&mut self) {
        DURATIONS.lock().unwrap().push((self.began.elapsed(), self.name));
    }
}

/// Prints the slowest trials, so that a slow one is noticed.
fn print_slowest() {
    let mut durations = DURATIONS.lock().unwrap();
    durations.sort_unstable_by(|one, other| other.cmp(one));
    let total: Duration = durations.iter().map(|(duration, _)| duration).sum();
    println!("{} trials took {:.0} s in total; the slowest:", durations.len(), total.as_secs_f64());
    for (duration, name) in durations.iter().take(SLOWEST) {
        println!("{:>6.1} s  {name}", duration.as_secs_f64());
    }
}

/// Creates a trial for each function, on the shared stack.
macro_rules! trials {
    ($env:expr, $handle:expr, [$($module:ident :: $name:ident),* $(,)?]) => {
        vec![$({
            let (env, handle): (Arc<TestEnvironment>, Handle) = (Arc::clone($env), $handle.clone());
            Trial::test(concat!(stringify!($module), "::", stringify!($name)), move || {
                // Records the duration also if the trial fails.
                let name = concat!(stringify!($module), "::", stringify!($name));
                let _recorded = Recorded { name, began: Instant::now() };
                handle.block_on(TRIAL.scope(name, $module::$name(&env)));
                Ok(())
            })
        }),*]
    };
}

fn main() {
    let mut arguments = Arguments::from_args();
    // The tests mostly wait. More of them only wait for each other on a machine with two cores.
    arguments.test_threads.get_or_insert(8);
    let runtime = Runtime::new().expect("cannot start the Tokio runtime");
    let env = if arguments.list { None } else { Some(runtime.block_on(TestEnvironment::start())) };
    let Some(env) = env.map(Arc::new) else { return };
    let handle = runtime.handle();
    let concurrent = arguments.clone();
    arguments.test_threads = Some(1);
    let mut conclusions = Vec::new();
    let mut run = |arguments: &Arguments, trials: Vec<Trial>| {
        conclusions.push(libtest_mimic::run(arguments, trials));
    };
    let mut stories: Vec<Trial> =
        [together(&env, handle), attacks(&env, handle)].into_iter().flatten().collect();
    if unblu_version::chosen().is_some() {
        stories.retain(|trial| STORIES_WITH_UNBLU.contains(&trial.name()));
        assert_eq!(stories.len(), STORIES_WITH_UNBLU.len(), "a story has another name");
        run(&concurrent, stories);
    } else {
        run(&arguments, first(&env, handle));
        run(&concurrent, stories);
        run(&arguments, alone(&env, handle));
        let long = [long(&env, handle), upgrade(&env, handle)];
        run(&arguments, long.into_iter().flatten().collect());
        run(&arguments, last(&env, handle));
    }
    print_slowest();
    // Dropping the environment stops all processes, also after a failed test.
    drop(env);
    drop(runtime);
    conclusions.iter().for_each(libtest_mimic::Conclusion::exit_if_failed);
}

/// Tests that need a stack without other traffic.
fn first(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(
        env,
        handle,
        [
            browser::first_view_is_fast,
            call_counts::message_costs_two_reads_two_or_three_writes_and_one_send,
            doctor::a_message_passes_through_the_stack_and_leaves_nothing,
            doctor::a_message_that_does_not_pass_is_found_and_removed,
            doctor::an_interrupted_run_removes_what_it_created,
        ]
    )
}

/// Tests that run concurrently. The slowest begin first.
fn together(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(
        env,
        handle,
        [
            browser::outage_is_shown_and_replayed,
            browser::console_works_in_a_browser,
            setup::every_function_has_a_sample_event_and_demo_runs,
            permissions::a_missing_action_of_a_policy_fails_the_first_message,
            operate::connection_is_suspended_resumed_rotated_and_deleted,
            listener::listener_replacement_and_crash_lose_and_repeat_nothing,
            api::outage_is_visible_and_parked_deliveries_are_replayed,
            smoke::delivers_customer_message_to_bot_and_reply_to_customer,
            smoke::signatures_interoperate_with_reference_library,
            bad_input::webex_responses_always_carry_verification_token,
            bad_input::wrong_key_and_unknown_connection_get_identical_responses,
            bad_input::webhook_errors_have_code_and_detail,
            bad_input::caller_outside_allow_ips_gets_404,
            bad_input::characters_that_no_uri_has_are_no_function_error,
            ownership::handover_and_handback_transfer_ownership,
            handover::bot_hands_over_to_desk_and_gets_conversation_back,
            handover::operator_hands_over_and_back_and_closes,
            timers::unaccepted_handover_returns_to_bot,
            content::choices_render_as_numbers_without_buttons,
            content::long_text_is_split_in_order,
            content::unsupported_content_notice_is_sent_once,
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
            console::pages_have_content_security_policy,
            console::cli_reads_through_the_operator_api,
            api::jwt_claims_identify_caller,
            check::disabled_unblu_webhook_is_reactivated,
            webhook::channel_bot_and_observer_with_event_urls,
            webhook::bearer_and_api_key_authentication,
            webhook::verification_handshake_both_ways,
            faults::recovers_from_table_and_queue_errors,
            faults::recovers_from_throttling,
            faults::recovers_from_lost_answers,
            faults::aborted_response_is_retried,
            faults::connection_resets_are_retried_without_duplicates,
            parked::failed_deliveries_are_listed_replayed_and_discarded,
            parked::unreadable_payload_is_dead_lettered_until_redriven,
            doctor::each_fault_of_an_account_or_stack_is_found,
            deployed::connection_of_missing_platform_is_refused,
            deployed::queue_without_worker_is_stalled_until_it_is_read,
            deployed::schedule_reports_the_queues,
            sqs_contract::queues_of_the_testkit_behave_like_the_local_aws,
            customer::customer_data_is_exported_and_deleted,
            restore::restored_table_brings_lost_conversation_back,
            files::agents_file_opens_by_link_v4,
            files::agents_file_opens_by_link_v3,
            files::operators_private_file_opens_by_link,
            observability::trace_covers_message_end_to_end,
            setup::cli_applies_and_prints_addresses,
            setup::cli_reports_every_configuration_error,
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
            attack_tokens::token_guessing_is_rate_limited,
            attack_bodies::malformed_bodies_do_not_corrupt_conversation,
            attack_bodies::hostile_ids_do_not_inject_headers_or_log_lines,
            attack_bodies::markup_entities_are_not_expanded,
            attack_bodies::unsafe_file_urls_are_sent_as_links,
        ]
    )
}

/// The test that kills workers of all platforms and so delays messages that other tests count.
fn alone(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    trials!(env, handle, [chaos::no_loss_or_reordering_under_faults,])
}

/// Tests that take minutes. They are ignored without the variable that `make documents`, `make soak` or
/// `make chaos` sets.
fn long(env: &Arc<TestEnvironment>, handle: &Handle) -> Vec<Trial> {
    let ignore = |variable: &str, trials: Vec<Trial>| {
        let ignored = std::env::var_os(variable).is_none();
        trials.into_iter().map(move |trial| trial.with_ignored_flag(ignored)).collect::<Vec<_>>()
    };
    let documents = trials!(
        env,
        handle,
        [
            // Before the documented commands, because its examples use names of the documentation.
            documents::api_matches_its_openapi_document,
            documents::every_documented_command_runs,
            documents::pages_are_accessible,
            documents::every_log_line_is_one_json_object,
        ]
    );
    let soak = trials!(env, handle, [soak::no_loss_no_memory_growth_no_leftovers]);
    let chaos = trials!(
        env,
        handle,
        [
            chaos::failing_conversation_does_not_delay_others,
            chaos::worker_killed_between_send_and_record,
            chaos::opens_after_five_failures_and_closes_after_probe,
        ]
    );
    let groups = [
        ignore("TRUNKLINE_DOCUMENTS", documents),
        ignore("TRUNKLINE_SOAK", soak),
        ignore("TRUNKLINE_CHAOS", chaos),
    ];
    groups.into_iter().flatten().collect()
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
            permissions::no_function_was_denied_an_action,
            permissions::every_request_fits_the_service_models,
            attack_leaks::logs_and_cli_output_contain_no_secrets,
            attack_leaks::logs_contain_no_message_text,
            attack_leaks::every_log_line_is_one_json_object,
        ]
    )
}
