//! What a bot's events do.

use super::{Decision, Refusal, Situation, Standing, settle};
use crate::model::{EventBody, Owner, Phase, Role, Target};

pub(super) fn decide(situation: &Situation<'_>) -> Result<Decision, Refusal> {
    let event = situation.event;
    let before = situation.conversation.ok_or(Refusal::UnknownConversation)?;
    if !before.is_open() {
        return Err(Refusal::Closed);
    }
    let mut after = before.clone();
    let can = after.parties.channel.platform.capabilities();
    let channel = vec![Target::addressed(&after.parties.channel, Role::Channel)];
    let out_of_place = Refusal::OutOfPlace { role: "bot", kind: event.body.kind() };
    let owns = before.owner == Owner::Bot;
    let (standing, targets) = match &event.body {
        EventBody::Message { .. } if owns => (Standing::Regular, channel),
        EventBody::Typing { .. } => (Standing::Regular, only_if(can.typing && owns, channel)),
        EventBody::Receipt { .. } => (Standing::Regular, only_if(can.receipts, channel)),
        EventBody::Handover { .. } if !can.handover => return Err(out_of_place),
        EventBody::Handover { .. } if owns => {
            after.owner = Owner::Desk;
            after.handed_over_at = Some(situation.now);
            (Standing::Regular, channel)
        }
        EventBody::Close { .. } if owns => {
            after.phase = Phase::Closed;
            (Standing::Regular, channel)
        }
        EventBody::Message { .. } | EventBody::Handover { .. } | EventBody::Close { .. } => {
            (Standing::Late, Vec::new())
        }
        EventBody::Opaque { .. } => (Standing::Record, Vec::new()),
        EventBody::Choice { .. } | EventBody::Handback { .. } => return Err(out_of_place),
    };
    Ok(settle(situation.conversation, after, standing, targets, event))
}

fn only_if(shown: bool, targets: Vec<Target>) -> Vec<Target> {
    if shown { targets } else { Vec::new() }
}
