use super::{WHOLE, assert_quiet, assert_warns, connection, file, route, whole};

#[test]
fn a_default_route_without_a_channel() {
    let more = "  spare: { default: true, bot: bot }\n";
    let text = |more: &str| whole("") + more;
    assert_warns(
        &text(more),
        &[
            "line 12: the route spare has no channel, because other routes have all: move a channel to it",
        ],
    );
    assert_quiet(&text("  spare: { default: true, channels: [], bot: bot }\n"));
    let phone = connection("phone", "fax", "channel", "");
    assert_quiet(&(file(["fax", "", "", ""], &phone, WHOLE) + more));
    assert_quiet(&whole("    default: true\n"));
}

#[test]
fn observers_that_are_named_twice() {
    let text = |observers: &str| whole("").replace("[archive]", observers);
    assert_warns(
        &text("[archive, archive]"),
        &["line 11: 'archive' is in the list twice: remove one"],
    );
    assert_quiet(&text("[archive]"));
}

#[test]
fn options_of_the_desk_without_a_desk() {
    for option in
        ["accept_within: 60", "agent_idle: 60", "if_unanswered: close", "after_close: close"]
    {
        let name = option.split(':').next().unwrap();
        let text = format!("    handover: {{ {option} }}\n");
        // Agents on the channel's own platform have no timers.
        for platform in ["fax", "faxline"] {
            assert_warns(
                &route(platform, "bot: bot", &text),
                &[&format!(
                    "line 8: {name} has no effect without a desk: add a desk to the route, or remove it"
                )],
            );
        }
        let timer = if name == "if_unanswered" { "accept_within: 60, " } else { "" };
        assert_quiet(&whole(&format!("    handover: {{ {timer}{option} }}\n")));
    }
}

#[test]
fn what_the_bot_would_do_without_a_bot() {
    let handover =
        |options: &str| route("fax", "desk: desk", &format!("    handover: {{ {options} }}\n"));
    assert_warns(
        &handover("if_unanswered: bot, accept_within: 60"),
        &[
            "line 8: if_unanswered has no effect without a bot, because the conversation is closed in any case",
        ],
    );
    assert_warns(
        &handover("after_close: close"),
        &["line 8: after_close has no effect without a bot"],
    );
    assert_quiet(&handover("accept_within: 60, agent_idle: 60"));
}

#[test]
fn if_unanswered_without_a_timer() {
    assert_warns(
        &whole("    handover: { if_unanswered: close }\n"),
        &[
            "line 12: if_unanswered has no effect without accept_within and agent_idle: set one of them",
        ],
    );
    assert_quiet(&whole("    handover: { if_unanswered: close, agent_idle: 60 }\n"));
}

#[test]
fn transcripts_that_nobody_receives() {
    let options = "    handover:\n      transcript: 5\n      transcript_since: handback\n";
    assert_warns(
        &route("fax", "bot: bot", options),
        &[
            "line 9: transcript has no effect without a desk: add a desk",
            "line 10: transcript_since has no effect without a desk: add a desk",
        ],
    );
    assert_warns(
        &route("fax", "desk: desk", options),
        &[
            "line 9: transcript has no effect without a bot, because no message precedes the handover",
            "line 10: transcript_since has no effect without a bot",
        ],
    );
    assert_warns(
        &whole(&options.replace("transcript: 5", "transcript: 0")),
        &["line 14: transcript_since has no effect, because transcript is 0: remove it"],
    );
    assert_quiet(&whole(options));
    assert_quiet(&route("faxline", "bot: bot", options));
    assert_quiet(&whole("    handover: { transcript: 0 }\n"));
}

#[test]
fn bot_down_after_without_a_bot_or_agents() {
    let option = "    bot_down_after: 60\n";
    assert_warns(
        &route("fax", "desk: desk", option),
        &[
            "line 8: bot_down_after has no effect without a bot: add a bot to the route, or remove it",
        ],
    );
    assert_warns(
        &route("fax", "bot: bot", option),
        &[
            "line 8: bot_down_after has no effect without a desk: add a desk to the route, or remove it",
        ],
    );
    assert_quiet(&route("faxline", "bot: bot", option));
    assert_quiet(&whole(option));
}

#[test]
fn languages_without_texts() {
    assert_warns(
        &whole("    language: en\n"),
        &[
            "line 12: language has no effect, because the route has no texts: add texts, or remove it",
        ],
    );
    assert_warns(
        &whole("    language: en\n    texts: { nl: { waiting: W }, de: { waiting: W } }\n"),
        &[
            "line 12: language is 'en', but texts has only de, nl, so a customer whose language is unknown receives no text",
        ],
    );
    assert_quiet(&whole("    language: en\n    keywords: { en: { handover: [agent] } }\n"));
    assert_quiet(&whole("    language: pt-BR\n    texts: { pt: { waiting: W } }\n"));
    assert_quiet(&whole("    language: EN\n    texts: { en: { waiting: W } }\n"));
}

#[test]
fn texts_that_customers_of_unknown_language_do_not_receive() {
    assert_warns(
        &whole("    texts: { nl: { waiting: W }, en: { waiting: W } }\n"),
        &[
            "line 12: a customer whose language is unknown receives none of these texts: set the route's language",
        ],
    );
    assert_quiet(&whole("    texts: { nl: { waiting: W } }\n"));
    assert_quiet(&whole(
        "    language: nl\n    texts: { nl: { waiting: W }, en: { waiting: W } }\n",
    ));
}

#[test]
fn a_language_in_two_cases() {
    assert_warns(
        &whole("    language: en\n    texts: { en: { waiting: W }, EN: { waiting: V } }\n"),
        &["line 13: the texts for 'en' are never sent beside those for 'EN'"],
    );
    assert_quiet(&whole(
        "    language: en\n    texts: { en: { waiting: W }, en-GB: { waiting: V } }\n",
    ));
}

#[test]
fn texts_of_the_desk_without_a_desk() {
    for name in ["waiting", "joined", "left", "unanswered"] {
        let text = format!("    texts: {{ en: {{ {name}: X }} }}\n");
        let expected = format!(
            "line 8: the text {name} is never sent, because the route has no desk: add a desk to the route, or remove it"
        );
        assert_warns(&route("faxline", "bot: bot", &text), &[&expected]);
        assert_quiet(&whole(&text));
        assert_quiet(&route("faxline", "bot: bot", &text.replace(": X", ": ''")));
    }
    assert_quiet(&route("fax", "bot: bot", "    texts: { en: { unsupported: X } }\n"));
}

#[test]
fn the_agents_name_in_no_text() {
    let texts = |texts: &str| whole(&format!("    texts: {{ en: {{ {texts} }} }}\n"));
    assert_warns(
        &texts("joined: Hello, agent: A"),
        &["line 12: the text agent has no effect, because no text contains {agent}: remove it"],
    );
    assert_quiet(&texts("joined: 'I am {agent}', agent: A"));
    assert_quiet(&texts("joined: Hello"));
}

#[test]
fn keywords_without_a_bot_or_agents() {
    let both = "    keywords: { en: { handover: [agent], handback: [robot] } }\n";
    assert_warns(
        &route("fax", "desk: desk", both),
        &[
            "line 8: the handback keywords have no effect without a bot, because agents have every conversation",
            "line 8: the handover keywords have no effect without a bot, because agents have every conversation",
        ],
    );
    assert_warns(
        &route("fax", "bot: bot", both),
        &[
            "line 8: the handback keywords have no effect without a desk: add a desk to the route, or remove them",
            "line 8: the handover keywords have no effect without a desk",
        ],
    );
    // Agents on the channel's own platform hand back there.
    assert_warns(
        &route("faxline", "bot: bot", both),
        &["line 8: the handback keywords have no effect without a desk"],
    );
    assert_quiet(&whole(both));
    assert_quiet(&route("faxline", "bot: bot", "    keywords: { en: { handover: [agent] } }\n"));
    assert_quiet(&route("fax", "bot: bot", "    keywords: { en: { handover: [] } }\n"));
}

#[test]
fn keywords_that_another_keyword_precedes() {
    let words = |handover: &str, handback: &str| {
        whole(&format!(
            "    keywords: {{ en: {{ handover: [{handover}], handback: [{handback}] }} }}\n"
        ))
    };
    assert_warns(
        &words("agent, Help  Me", "robot, help me"),
        &[
            "line 12: 'help me' is a handover keyword, too, and is never a handback keyword: remove it",
        ],
    );
    assert_warns(
        &words("agent, AGENT", "robot"),
        &["line 12: 'agent' is in the list twice: remove one"],
    );
    assert_quiet(&words("agent, agents", "robot"));
    assert_quiet(&whole("    keywords: { en: { handover: [menu] }, nl: { handback: [menu] } }\n"));
}
