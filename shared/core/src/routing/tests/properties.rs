use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::{AgentLocation, EarlierMessage, Participation, ReceiptStatus, Timer};

fn any_body() -> impl Strategy<Value = EventBody> {
    prop_oneof![
        6 => prop::sample::select(vec!["hello", "agent", "robot", "1"]).prop_map(message),
        1 => "[a-z]{1,3}".prop_map(|id| EventBody::Choice { id, title: None, typed: None }),
        1 => any::<bool>().prop_map(|active| EventBody::Typing { active }),
        1 => Just(EventBody::Receipt {
            message: "m".into(), target: None, status: ReceiptStatus::Read, reason: None,
        }),
        2 => Just(handover()),
        1 => Just(EventBody::Handover {
            mode: HandoverMode::Pass, reason: None, context: Map::new(), transcript: Transcript::default(),
        }),
        1 => Just(EventBody::Accept),
        2 => Just(handback()),
        1 => Just(close()),
        1 => Just(EventBody::Opaque { is_message: true, name: "x".into(), raw: Value::Null }),
        1 => Just(EventBody::Delete { earlier: EarlierMessage::new("m", EventId::from_parts(&["m"])), notice: None }),
    ]
}

#[derive(Debug, Clone)]
struct Step {
    from: Option<Role>,
    author: AuthorRole,
    floor: Option<Owner>,
    skew: i64,
    echo: bool,
    names_current_session: bool,
    body: EventBody,
}

fn any_step() -> impl Strategy<Value = Step> {
    let from = prop::sample::select(vec![
        Some(Role::Channel),
        Some(Role::Channel),
        Some(Role::Channel),
        Some(Role::Bot),
        Some(Role::Bot),
        Some(Role::Desk),
        Some(Role::Desk),
        Some(Role::Observer),
        None,
    ]);
    let author = prop::sample::select(vec![
        None,
        None,
        None,
        None,
        Some(AuthorRole::Customer),
        Some(AuthorRole::System),
        Some(AuthorRole::Unknown),
    ]);
    let floor = prop::sample::select(vec![None, None, Some(Owner::Bot), Some(Owner::Desk)]);
    let rare = || prop::bool::weighted(0.05);
    (from, author, floor, -20i64..20, rare(), rare(), any_body()).prop_map(
        |(from, author, floor, skew, echo, elsewhere, body)| {
            let usual = match from {
                Some(Role::Channel) => AuthorRole::Customer,
                Some(Role::Bot) => AuthorRole::Bot,
                Some(Role::Desk) => AuthorRole::Agent,
                _ => AuthorRole::System,
            };
            let floor = floor.filter(|_| from == Some(Role::Channel));
            let (author, in_its_conversation) = (author.unwrap_or(usual), !elsewhere);
            Step {
                from,
                author,
                floor,
                skew,
                echo,
                names_current_session: in_its_conversation,
                body,
            }
        },
    )
}

fn any_scenario() -> impl Strategy<Value = Scenario> {
    let channel = prop::sample::select(vec![PLAIN, RICH]);
    let route = prop::sample::select(vec![
        full_route(),
        full_route(),
        route_without_desk(),
        route_without_bot(),
    ]);
    (channel, route, any::<bool>()).prop_map(|(channel, mut route, copies)| {
        if let Some(bot) = &mut route.bot {
            bot.copies = copies;
        }
        Scenario::new(channel, route)
    })
}

impl Scenario {
    fn step(&mut self, step: &Step) -> (Event, Result<Decision, Refusal>) {
        let mut event = event(self.seconds + 10 + step.skew, step.author, step.body.clone());
        event.claimed_owner = step.floor;
        let session = step.from.and_then(|role| self.session(role));
        let session = if step.names_current_session { session } else { Some("another".into()) };
        let sender = match step.from {
            Some(role) => Sender::Party { role, session: session.as_ref() },
            None => Sender::System(SystemTrigger::Operator),
        };
        let decision = self.try_event(sender, &event, step.echo);
        (event, decision)
    }
}

fn connection(role: Role) -> &'static str {
    match role {
        Role::Channel => "shop",
        Role::Bot => "bot",
        Role::Desk => "desk",
        Role::Observer => "archive",
    }
}

fn is_content(body: &EventBody) -> bool {
    matches!(body, EventBody::Message { .. } | EventBody::Choice { .. })
}

fn assert_invariants(
    step: &Step,
    before: Option<&Conversation>,
    decision: &Decision,
) -> Result<(), TestCaseError> {
    let after = &decision.conversation;
    let version = before.map_or(0, |before| before.version);
    prop_assert_eq!(decision.changed, before != Some(after));
    prop_assert_eq!(after.version, version + u64::from(decision.changed));

    // Exactly one owner.
    let (bot, desk) = (after.participation(Owner::Bot), after.participation(Owner::Desk));
    prop_assert_eq!(
        after.is_open(),
        (bot == Participation::Standby) != (desk == Participation::Standby)
    );
    prop_assert!(bot != Participation::Pending, "a bot needs no acceptance");
    if !after.is_open() {
        prop_assert!(after.handover.is_none(), "a closed conversation has no handover");
    }

    let addressed: Vec<_> = decision.targets.iter().filter(|target| !target.copy).collect();
    for target in &decision.targets {
        prop_assert!(
            step.from.is_none_or(|from| target.connection.as_str() != connection(from)),
            "no event returns to its sender"
        );
        prop_assert!(target.role != Role::Observer || target.copy, "copies are marked");
        if is_content(&step.body) && target.role == Role::Bot && after.owner() == Owner::Desk {
            prop_assert!(
                target.copy,
                "the bot receives a copy while the desk owns the conversation"
            );
        }
        if target.role == Role::Desk && !target.copy {
            let id = after.handover.as_ref().or(before.and_then(|b| b.handover.as_ref()));
            prop_assert_eq!(
                target.session_id.as_ref(),
                id.map(|handover| handover.id.as_session_id())
            );
        }
    }
    for said in decision.preceding.iter().chain(&decision.following) {
        let is_notice = matches!(said.body, EventBody::Message { .. });
        for target in &said.targets {
            prop_assert!(
                !is_notice
                    || target.role == Role::Channel
                    || target.copy && target.role == Role::Observer,
                "a system message goes to the customer and to observers only"
            );
        }
    }

    // Every customer's message reaches the owner at that time and no one else.
    let by_customer = step.from == Some(Role::Channel) && step.author == AuthorRole::Customer;
    if is_content(&step.body) && by_customer && !step.echo {
        let native = after.handover.as_ref().is_some_and(|h| h.location == AgentLocation::Channel);
        let roles: Vec<_> = addressed.iter().map(|target| target.role).collect();
        match after.owner() {
            Owner::Bot => prop_assert_eq!(roles, [Role::Bot]),
            Owner::Desk if native => prop_assert_eq!(roles, []),
            Owner::Desk => prop_assert_eq!(roles, [Role::Desk]),
        }
    }
    let speaks = matches!(step.body, EventBody::Message { .. });
    // An operator's message reaches the customer only and does not change the owner.
    if speaks && step.from.is_none() {
        let roles: Vec<_> = addressed.iter().map(|target| target.role).collect();
        prop_assert_eq!(roles, [Role::Channel]);
        prop_assert_eq!(before.map(Conversation::owner), Some(after.owner()));
    }
    // Apart from operators, only the owner can send to the customer.
    if speaks && !matches!(step.from, None | Some(Role::Channel)) && !addressed.is_empty() {
        let owner = before.map(Conversation::owner);
        let role = if owner == Some(Owner::Bot) { Role::Bot } else { Role::Desk };
        prop_assert_eq!(step.from, Some(role));
        prop_assert!(step.names_current_session);
    }
    if step.echo && step.from.is_some() {
        prop_assert!(decision.targets.is_empty(), "an echo is not delivered");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn every_decision_keeps_the_invariants(
        mut scenario in any_scenario(), steps in prop::collection::vec(any_step(), 1..40)
    ) {
        for step in steps {
            let before = scenario.conversation.clone();
            let mut again = scenario.clone();
            let (_, decision) = scenario.step(&step);
            prop_assert_eq!(&decision, &again.step(&step).1, "routing is deterministic");
            let Ok(decision) = decision else { continue };
            assert_invariants(&step, before.as_ref(), &decision)?;

            // After a hand-back the bot receives the next message.
            let gave_back = before.as_ref().is_some_and(|b| b.handover.is_some())
                && decision.conversation.handover.is_none()
                && decision.conversation.is_open()
                && decision.conversation.parties.bot.is_some();
            if gave_back {
                let next = scenario.clone().send(Role::Channel, message("hello"));
                prop_assert_eq!(addressed_roles(&next), [Role::Bot]);
            }
        }
    }

    /// A repeated event changes the owner once, even without the de-duplication of the table.
    #[test]
    fn duplicates_do_not_change_the_result(
        mut once in any_scenario(), steps in prop::collection::vec((any_step(), 1usize..3), 1..30)
    ) {
        let mut often = once.clone();
        for (mut step, times) in steps {
            // An owner reported by the platform counts each time; only the table drops the repeat.
            step.floor = None;
            let _ = once.step(&step);
            let seconds = often.seconds;
            for _ in 0..times {
                often.seconds = seconds;
                let _ = often.step(&step);
            }
            let state = |scenario: &Scenario| scenario.conversation.clone().map(|conversation| Conversation { version: 0, ..conversation });
            prop_assert_eq!(state(&once), state(&often));
        }
    }

    #[test]
    fn obsolete_timers_change_nothing(
        mut scenario in any_scenario(), steps in prop::collection::vec(any_step(), 1..30), id in "[a-z]{3}"
    ) {
        for step in steps {
            let _ = scenario.step(&step);
        }
        let timers = [
            Timer::AcceptWithin { handover: id.as_str().into() },
            Timer::AgentIdle { handover: id.as_str().into() },
            Timer::SessionTtl { conversation: id.into() },
        ];
        for timer in timers {
            let before = scenario.conversation.clone();
            let event = event(scenario.seconds + 10, AuthorRole::System, handback());
            let refused = scenario.try_event(Sender::System(SystemTrigger::Timer(&timer)), &event, false);
            prop_assert!(refused.is_err());
            prop_assert_eq!(&scenario.conversation, &before);
        }
    }
}
