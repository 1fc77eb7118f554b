use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::{Floor, Place, ReceiptStatus, Timer};

fn any_body() -> impl Strategy<Value = EventBody> {
    prop_oneof![
        6 => prop::sample::select(vec!["hello", "agent", "robot", "1"]).prop_map(says),
        1 => "[a-z]{1,3}".prop_map(|id| EventBody::Choice { id, title: None, typed: None }),
        1 => any::<bool>().prop_map(|active| EventBody::Typing { active }),
        1 => Just(EventBody::Receipt {
            message: "m".into(), about: None, status: ReceiptStatus::Read, reason: None,
        }),
        2 => Just(handover()),
        1 => Just(EventBody::Handover {
            mode: Mode::Pass, reason: None, context: Map::new(), recall: Recall::default(),
        }),
        1 => Just(EventBody::Accept),
        2 => Just(handback()),
        1 => Just(close()),
        1 => Just(EventBody::Opaque { said: true, name: "x".into(), raw: Value::Null }),
        1 => Just(EventBody::Delete { message: "m".into() }),
    ]
}

#[derive(Debug, Clone)]
struct Step {
    from: Option<Role>,
    author: AuthorRole,
    floor: Option<Owner>,
    skew: i64,
    echo: bool,
    in_its_conversation: bool,
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
            Step { from, author, floor, skew, echo, in_its_conversation, body }
        },
    )
}

fn any_play() -> impl Strategy<Value = Play> {
    let channel = prop::sample::select(vec![Platform::Webex, Platform::Webhook]);
    let serving = prop::sample::select(vec![both(), both(), bot_only(), desk_only()]);
    (channel, serving, any::<bool>()).prop_map(|(channel, mut serving, copies)| {
        if let Some(bot) = &mut serving.bot {
            bot.copies = copies;
        }
        Play::on(channel, serving)
    })
}

impl Play {
    fn step(&mut self, step: &Step) -> (Event, Result<Decision, Refusal>) {
        let mut event = event(self.seconds + 10 + step.skew, step.author, step.body.clone());
        event.floor = step.floor;
        let leg = step.from.and_then(|role| self.leg(role));
        let leg = if step.in_its_conversation { leg } else { Some("another".into()) };
        let sender = match step.from {
            Some(role) => Sender::Party { role, leg: leg.as_deref() },
            None => Sender::House(Cause::Operator),
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

fn is_said(body: &EventBody) -> bool {
    matches!(body, EventBody::Message { .. } | EventBody::Choice { .. })
}

fn check(
    step: &Step,
    before: Option<&Conversation>,
    decision: &Decision,
) -> Result<(), TestCaseError> {
    let after = &decision.conversation;
    let version = before.map_or(0, |before| before.version);
    prop_assert_eq!(decision.changed, before != Some(after));
    prop_assert_eq!(after.version, version + u64::from(decision.changed));

    // Exactly one owner.
    let (bot, desk) = (after.floor(Owner::Bot), after.floor(Owner::Desk));
    prop_assert_eq!(after.is_open(), (bot == Floor::Standby) != (desk == Floor::Standby));
    prop_assert!(bot != Floor::Pending, "a bot accepts at once");
    if !after.is_open() {
        prop_assert!(after.handover.is_none(), "nobody has what is over");
    }

    let addressed: Vec<_> = decision.targets.iter().filter(|target| !target.copy).collect();
    for target in &decision.targets {
        prop_assert!(
            step.from.is_none_or(|from| target.connection.as_str() != connection(from)),
            "nothing returns to its author"
        );
        prop_assert!(target.role != Role::Observer || target.copy, "copies are marked");
        if is_said(&step.body) && target.role == Role::Bot && after.owner() == Owner::Desk {
            prop_assert!(target.copy, "what is not the bot's to answer is marked");
        }
        if target.role == Role::Desk && !target.copy {
            let id = after.handover.as_ref().or(before.and_then(|b| b.handover.as_ref()));
            prop_assert_eq!(target.conversation.as_ref(), id.map(|handover| &handover.id));
        }
    }
    for said in decision.before.iter().chain(&decision.after) {
        let is_notice = matches!(said.body, EventBody::Message { .. });
        for target in &said.targets {
            prop_assert!(
                !is_notice
                    || target.role == Role::Channel
                    || target.copy && target.role == Role::Observer,
                "a notice of ours goes to the customer only"
            );
        }
    }

    // Every customer's message reaches the owner of its moment, and nobody else.
    let by_customer = step.from == Some(Role::Channel) && step.author == AuthorRole::Customer;
    if is_said(&step.body) && by_customer && !step.echo {
        let native = after.handover.as_ref().is_some_and(|h| h.place == Place::Channel);
        let roles: Vec<_> = addressed.iter().map(|target| target.role).collect();
        match after.owner() {
            Owner::Bot => prop_assert_eq!(roles, [Role::Bot]),
            Owner::Desk if native => prop_assert_eq!(roles, []),
            Owner::Desk => prop_assert_eq!(roles, [Role::Desk]),
        }
    }
    let speaks = matches!(step.body, EventBody::Message { .. });
    // Whoever operates it may speak to the customer, to nobody else, and takes nothing from anybody.
    if speaks && step.from.is_none() {
        let roles: Vec<_> = addressed.iter().map(|target| target.role).collect();
        prop_assert_eq!(roles, [Role::Channel]);
        prop_assert_eq!(before.map(Conversation::owner), Some(after.owner()));
    }
    // Otherwise the customer never hears two voices.
    if speaks && !matches!(step.from, None | Some(Role::Channel)) && !addressed.is_empty() {
        let owner = before.map(Conversation::owner);
        let role = if owner == Some(Owner::Bot) { Role::Bot } else { Role::Desk };
        prop_assert_eq!(step.from, Some(role));
        prop_assert!(step.in_its_conversation);
    }
    if step.echo && step.from.is_some() {
        prop_assert!(decision.targets.is_empty(), "an echo goes nowhere");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn laws_of_the_switchboard(
        mut play in any_play(), steps in prop::collection::vec(any_step(), 1..40)
    ) {
        for step in steps {
            let before = play.held.clone();
            let mut again = play.clone();
            let (_, decision) = play.step(&step);
            prop_assert_eq!(&decision, &again.step(&step).1, "the same every time");
            let Ok(decision) = decision else { continue };
            check(&step, before.as_ref(), &decision)?;

            // After a hand-back the bot gets the next one.
            let gave_back = before.as_ref().is_some_and(|b| b.handover.is_some())
                && decision.conversation.handover.is_none()
                && decision.conversation.is_open()
                && decision.conversation.parties.bot.is_some();
            if gave_back {
                let next = play.clone().does(Role::Channel, says("hello"));
                prop_assert_eq!(addressed(&next), [Role::Bot]);
            }
        }
    }

    /// Whatever is taken twice changes hands once, even without the table, which drops repeats.
    #[test]
    fn any_duplication_leads_to_the_same(
        mut once in any_play(), steps in prop::collection::vec((any_step(), 1usize..3), 1..30)
    ) {
        let mut often = once.clone();
        for (mut step, times) in steps {
            // A platform's word whose turn it is counts each time: only the table drops its repeat.
            step.floor = None;
            let _ = once.step(&step);
            let seconds = often.seconds;
            for _ in 0..times {
                often.seconds = seconds;
                let _ = often.step(&step);
            }
            let state = |play: &Play| play.held.clone().map(|held| Conversation { version: 0, ..held });
            prop_assert_eq!(state(&once), state(&often));
        }
    }

    #[test]
    fn no_timer_acts_on_a_conversation_that_has_gone_on(
        mut play in any_play(), steps in prop::collection::vec(any_step(), 1..30), id in "[a-z]{3}"
    ) {
        for step in steps {
            let _ = play.step(&step);
        }
        let timers = [
            Timer::AcceptWithin { handover: id.clone() },
            Timer::AgentIdle { handover: id.clone() },
            Timer::SessionTtl { conversation: id },
        ];
        for timer in timers {
            let before = play.held.clone();
            let event = event(play.seconds + 10, AuthorRole::System, handback());
            let refused = play.try_event(Sender::House(Cause::Timer(&timer)), &event, false);
            prop_assert!(refused.is_err());
            prop_assert_eq!(&play.held, &before);
        }
    }
}
