//! Options of a route that can never take effect.

use trunkline_core::model::{HandoverPolicy, Role, Route};

use super::{Answering, keywords, texts, warn_of_repeated};
use crate::file::Desired;
use crate::file::problems::ConfigProblems;
use crate::file::yaml::{Members, Node};

const ADD_DESK: &str = "add a desk to the route, or remove it";
const ADD_BOT: &str = "add a bot to the route, or remove it";

/// Checks a route. `members` are those of the file.
pub(super) fn check(
    route: &Route,
    line: usize,
    members: &Members<'_>,
    desired: &Desired,
    warnings: &mut ConfigProblems,
) {
    let answering = Answering::of(route, desired);
    let policy = &route.handover_policy;
    check_default(route, line, members, desired, warnings);
    warn_of_repeated(members.get("observers"), &route.observers, warnings);
    if let Some(handover) = members.get("handover").map(Node::read_members) {
        check_desk_options(&handover, answering, warnings);
        check_transcript(&handover, policy, answering, warnings);
    }
    if let Some(line) = members.line("bot_down_after") {
        if !answering.has_bot {
            warnings.add(line, format!("bot_down_after has no effect without a bot: {ADD_BOT}"));
        } else if !answering.can_have_agents {
            warnings.add(line, format!("bot_down_after has no effect without a desk: {ADD_DESK}"));
        }
    }
    texts::check(policy, members, answering, warnings);
    keywords::check(policy, members, answering, warnings);
}

/// Warns about a default route that gets no channel, because every channel of the file is in another route.
fn check_default(
    route: &Route,
    line: usize,
    members: &Members<'_>,
    desired: &Desired,
    warnings: &mut ConfigProblems,
) {
    let connections = desired.connections.iter().map(|desired| &desired.connection);
    let mut channels = connections.filter(|connection| connection.role == Role::Channel).peekable();
    let has_channels = channels.peek().is_some();
    let is_idle = channels.all(|channel| channel.route.as_ref() != Some(&route.id));
    // `channels: []` says that the route has no channel yet.
    if has_channels && is_idle && members.get("channels").is_none() {
        let id = &route.id;
        let how = "move a channel to it, or remove the route";
        warnings.add(
            line,
            format!("the route {id} has no channel, because other routes have all: {how}"),
        );
    }
}

/// Checks the options that concern the desk.
fn check_desk_options(handover: &Members<'_>, answering: Answering, warnings: &mut ConfigProblems) {
    for name in ["accept_within", "agent_idle", "if_unanswered", "after_close"] {
        let Some(line) = handover.line(name) else { continue };
        let is_choice = ["if_unanswered", "after_close"].contains(&name);
        if !answering.has_desk {
            warnings.add(line, format!("{name} has no effect without a desk: {ADD_DESK}"));
        } else if is_choice && !answering.has_bot {
            let what =
                "has no effect without a bot, because the conversation is closed in any case";
            warnings.add(line, format!("{name} {what}: {ADD_BOT}"));
        } else if name == "if_unanswered" {
            let has_timer =
                ["accept_within", "agent_idle"].map(|name| handover.line(name).is_some());
            if !has_timer.contains(&true) {
                let what = "if_unanswered has no effect without accept_within and agent_idle";
                warnings.add(line, format!("{what}: set one of them, or remove it"));
            }
        }
    }
}

fn check_transcript(
    handover: &Members<'_>,
    policy: &HandoverPolicy,
    answering: Answering,
    warnings: &mut ConfigProblems,
) {
    for name in ["transcript", "transcript_since"] {
        let Some(line) = handover.line(name) else { continue };
        if !answering.can_have_agents {
            warnings.add(line, format!("{name} has no effect without a desk: {ADD_DESK}"));
        } else if !answering.has_bot {
            let what = "has no effect without a bot, because no message precedes the handover";
            warnings.add(line, format!("{name} {what}: {ADD_BOT}"));
        } else if name == "transcript_since" && policy.transcript == 0 {
            let what = "transcript_since has no effect, because transcript is 0";
            warnings.add(line, format!("{what}: remove it, or raise transcript"));
        }
    }
}
