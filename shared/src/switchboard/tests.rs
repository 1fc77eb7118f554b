//! Laws that hold for any sequence of events, and the decisions that people care most about.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::model::{Author, AuthorRole, Content, EventId, Platform, ReceiptStatus};

fn party(id: &str, platform: Platform, copies: bool) -> Party {
    Party { connection: id.parse().unwrap(), platform, copies }
}

fn start() -> Start {
    Start {
        key: ConversationKey { channel: "shop".parse().unwrap(), customer: "c-1".into() },
        id: "conv-1".into(),
        route: "main".parse().unwrap(),
        parties: Parties {
            channel: party("shop", Platform::Webex, false),
            bot: party("bot", Platform::Webhook, true),
            observers: vec![party("archive", Platform::Webhook, true)],
        },
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn event(seconds: i64, role: AuthorRole, floor: Option<Owner>, body: EventBody) -> Event {
    Event {
        id: EventId::from_parts(&["e", &seconds.to_string()]),
        conversation: "c-1".into(),
        at: at(seconds),
        author: Author::nameless(role),
        channel: None,
        floor,
        body,
    }
}

fn says(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

fn run(before: Option<&Conversation>, from: Role, event: &Event) -> Result<Decision, Refusal> {
    decide(&Situation { conversation: before, start: Some(start()), from, event, now: event.at })
}

fn customer(seconds: i64, floor: Option<Owner>) -> Event {
    event(seconds, AuthorRole::Customer, floor, says("hello"))
}

fn handed_over() -> Conversation {
    let first = run(None, Role::Channel, &customer(1, Some(Owner::Bot))).unwrap();
    let ask = event(
        10,
        AuthorRole::Bot,
        None,
        EventBody::Handover { reason: Some("asked".into()), context: Map::new() },
    );
    let decision = run(Some(&first.conversation), Role::Bot, &ask).unwrap();
    assert_eq!(decision.targets[0], Target::addressed(&start().parties.channel, Role::Channel));
    decision.conversation
}

#[test]
fn the_first_message_goes_to_the_bot_and_a_copy_to_the_observer() {
    let decision = run(None, Role::Channel, &customer(1, Some(Owner::Bot))).unwrap();
    assert!(decision.changed);
    assert_eq!(decision.conversation.version, 1);
    let parties = start().parties;
    assert_eq!(
        decision.targets,
        [
            Target::addressed(&parties.bot, Role::Bot),
            Target::copied(&parties.observers[0], Role::Observer)
        ]
    );
    let again = run(Some(&decision.conversation), Role::Channel, &customer(2, None)).unwrap();
    assert!(!again.changed, "an ordinary message costs no write of the conversation");
}

#[test]
fn after_a_handover_the_bot_gets_copies_and_its_words_are_recorded_as_late() {
    let conversation = handed_over();
    let desk_time = run(Some(&conversation), Role::Channel, &customer(12, None)).unwrap();
    assert_eq!(desk_time.standing, Standing::Record);
    assert!(desk_time.targets.iter().all(|target| target.copy));
    let late =
        run(Some(&conversation), Role::Bot, &event(13, AuthorRole::Bot, None, says("hi"))).unwrap();
    assert_eq!(late.standing, Standing::Late);
    assert!(late.targets.iter().all(|target| target.role == Role::Observer));
}

#[test]
fn the_platforms_word_gives_the_floor_back_only_if_younger_than_the_handover() {
    let conversation = handed_over();
    let old = run(Some(&conversation), Role::Channel, &customer(9, Some(Owner::Bot))).unwrap();
    assert_eq!((old.conversation.owner, old.standing), (Owner::Desk, Standing::Record));
    let young = run(Some(&conversation), Role::Channel, &customer(11, Some(Owner::Bot))).unwrap();
    assert_eq!((young.conversation.owner, young.standing), (Owner::Bot, Standing::Regular));
    assert_eq!(young.targets[0], Target::addressed(&start().parties.bot, Role::Bot));
}

#[test]
fn an_agents_message_is_never_answered() {
    let unsaid = event(2, AuthorRole::Unknown, Some(Owner::Desk), says("I am Ann"));
    let decision = run(None, Role::Channel, &unsaid).unwrap();
    assert_eq!(decision.conversation.owner, Owner::Desk);
    assert!(decision.targets.iter().all(|target| target.copy));
}

#[test]
fn a_closed_conversation_starts_anew() {
    let first = run(None, Role::Channel, &customer(1, None)).unwrap().conversation;
    let close = event(2, AuthorRole::Bot, None, EventBody::Close { reason: None });
    let closed = run(Some(&first), Role::Bot, &close).unwrap().conversation;
    let bot_says = event(3, AuthorRole::Bot, None, says("more"));
    assert_eq!(run(Some(&closed), Role::Bot, &bot_says), Err(Refusal::Closed));
    let anew = run(Some(&closed), Role::Channel, &customer(4, None)).unwrap().conversation;
    assert_eq!((anew.phase, anew.version, anew.started_at), (Phase::Open, 3, at(4)));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_reason() {
    let hello = event(1, AuthorRole::Bot, None, says("hi"));
    assert_eq!(run(None, Role::Bot, &hello), Err(Refusal::UnknownConversation));
    assert_eq!(run(None, Role::Observer, &hello), Err(Refusal::OnlyListens));
    let back = event(1, AuthorRole::Bot, None, EventBody::Handback { reason: None });
    let open = run(None, Role::Channel, &customer(1, None)).unwrap().conversation;
    assert!(matches!(run(Some(&open), Role::Bot, &back), Err(Refusal::OutOfPlace { .. })));
    let situation = Situation {
        conversation: None,
        start: None,
        from: Role::Channel,
        event: &customer(1, None),
        now: at(1),
    };
    assert_eq!(decide(&situation), Err(Refusal::NoRoute));
}

fn any_body() -> impl Strategy<Value = EventBody> {
    let text = "[a-z]{1,8}";
    prop_oneof![
        text.prop_map(|text| says(&text)),
        text.prop_map(|id| EventBody::Choice { id, title: None }),
        any::<bool>().prop_map(|active| EventBody::Typing { active }),
        Just(EventBody::Receipt { message: "m".into(), status: ReceiptStatus::Read, reason: None }),
        Just(EventBody::Handover { reason: None, context: Map::new() }),
        Just(EventBody::Handback { reason: None }),
        Just(EventBody::Close { reason: None }),
        Just(EventBody::Opaque { name: "x".into(), raw: Value::Null }),
    ]
}

fn any_step() -> impl Strategy<Value = (Role, AuthorRole, Option<Owner>, i64, EventBody)> {
    (
        prop_oneof![Just(Role::Channel), Just(Role::Bot), Just(Role::Observer), Just(Role::Desk)],
        prop_oneof![
            Just(AuthorRole::Customer),
            Just(AuthorRole::Bot),
            Just(AuthorRole::Agent),
            Just(AuthorRole::Unknown)
        ],
        prop_oneof![Just(None), Just(Some(Owner::Bot)), Just(Some(Owner::Desk))],
        -20i64..20,
        any_body(),
    )
}

proptest! {
    #[test]
    fn laws_of_the_switchboard(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut held: Option<Conversation> = None;
        for (i, (role, author, floor, skew, body)) in steps.into_iter().enumerate() {
            let now = at(100 + 10 * i64::try_from(i).unwrap());
            let mut event = event(0, author, floor, body);
            event.at = now + SignedDuration::from_secs(skew);
            let situation =
                Situation { conversation: held.as_ref(), start: Some(start()), from: role, event: &event, now };
            let decision = decide(&situation);
            prop_assert_eq!(&decision, &decide(&situation), "the same every time");
            let Ok(decision) = decision else { continue };
            let owner_before = held.as_ref().map(|c| c.owner);
            let version_before = held.as_ref().map_or(0, |c| c.version);
            let after = &decision.conversation;

            prop_assert_eq!(decision.changed, held.as_ref() != Some(after));
            prop_assert_eq!(after.version, version_before + u64::from(decision.changed));
            prop_assert_eq!(after.handed_over_at.is_some(), after.owner == Owner::Desk);
            for target in &decision.targets {
                prop_assert_ne!(target.role, role, "nothing returns to its author");
                if target.role == Role::Observer {
                    prop_assert!(target.copy, "an observer's is always marked a copy");
                }
            }
            let addressed: Vec<_> = decision.targets.iter().filter(|t| !t.copy).collect();
            prop_assert!(addressed.len() <= 1, "exactly one is to deal with it");
            let is_message = matches!(event.body, EventBody::Message { .. });
            if role == Role::Bot && is_message && owner_before == Some(Owner::Desk) {
                prop_assert_eq!(decision.standing, Standing::Late);
                prop_assert!(addressed.is_empty(), "the customer never hears two voices");
            }
            if role == Role::Channel && is_message && author == AuthorRole::Customer
                && after.owner == Owner::Bot {
                prop_assert_eq!(addressed.len(), 1, "the owner hears every customer's message");
            }
            held = Some(decision.conversation);
        }
    }
}
