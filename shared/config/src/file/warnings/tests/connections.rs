use super::{WHOLE, assert_quiet, assert_warns, connection, file, route, whole};

#[test]
fn connections_that_no_route_has() {
    let unused = |id, role, more| connection(id, "faxline", role, more);
    let spare = [
        unused("spare-bot", "bot", ""),
        unused("spare-desk", "desk", ""),
        unused("spare-archive", "observer", ""),
    ];
    assert_warns(
        &file(["fax", "", "", ""], &spare.concat(), WHOLE),
        &[
            "line 6: no route of this file has the connection spare-bot: add it to a route, or remove it",
            "line 7: no route of this file has the connection spare-desk",
            "line 8: no route of this file has the connection spare-archive",
        ],
    );
    let alerts = "settings: { message_url: https://fax.example/m, alerts: true },";
    assert_quiet(&file(["fax", "", "", ""], &unused("alerts", "observer", alerts), WHOLE));
}

#[test]
fn copies_that_nobody_receives() {
    let [channel, observer] =
        ["channel", "observer"].map(|role| connection("x", "fax", role, "copies: true,"));
    let with_channel = WHOLE.replace("[line]", "[line, x]");
    assert_warns(
        &file(["fax", "", "", ""], &channel, &with_channel),
        &["line 6: copies has no effect on a channel: remove it"],
    );
    let with_observer = WHOLE.replace("[archive]", "[archive, x]");
    assert_warns(
        &file(["fax", "", "", ""], &observer, &with_observer),
        &["line 6: copies has no effect on an observer, which always receives copies: remove it"],
    );
    let copying = |text: String| {
        text.replace("platform: fax, role: bot,", "platform: fax, role: bot, copies: true,")
            .replace("platform: fax, role: desk,", "platform: fax, role: desk, copies: true,")
    };
    assert_warns(
        &copying(route("fax", "bot: bot", "")),
        &["line 3: copies has no effect on a bot whose routes have no desk: remove it"],
    );
    assert_warns(
        &copying(route("fax", "desk: desk", "")),
        &["line 3: copies has no effect on a desk whose routes have no bot: remove it"],
    );
    // The channel has agents of its own, or may get a channel that has.
    assert_quiet(&copying(route("faxline", "bot: bot", "")));
    assert_quiet(&copying(whole("")));
    let later = copying(route("fax", "bot: bot", "")).replace("[line]", "[]");
    assert_quiet(&later.replace("routes:\n", "routes:\n  all: { channels: [line], bot: bot }\n"));
}

#[test]
fn sender_prefix_on_a_bot_without_copies() {
    let prefixed = |more: &str| file(["fax", more, "", ""], "", WHOLE);
    assert_warns(
        &prefixed("sender_prefix: true,"),
        &[
            "line 3: sender_prefix has no effect on a bot without copies of agents' messages: add `copies: true`",
        ],
    );
    assert_quiet(&prefixed("sender_prefix: true, copies: true,"));
    assert_quiet(&file(["fax", "", "sender_prefix: true,", "sender_prefix: true,"], "", WHOLE));
}

#[test]
fn reorder_window_on_an_observer() {
    assert_warns(
        &file(["fax", "", "", "reorder_window: 2,"], "", WHOLE),
        &["line 5: reorder_window has no effect on an observer, which sends no events: remove it"],
    );
    assert_quiet(&file(["fax", "reorder_window: 2,", "reorder_window: 2,", ""], "", WHOLE));
}

#[test]
fn features_that_the_platform_shows_anyway() {
    let showing = |shows: &str| file(["fax", &format!("shows: [{shows}],"), "", ""], "", WHOLE);
    assert_warns(
        &showing("media, markup"),
        &["line 3: fax shows 'media' without this: remove it from shows"],
    );
    assert_warns(
        &showing("markup, markup"),
        &["line 3: 'markup' is in the list twice: remove one"],
    );
    assert_quiet(&showing("markup"));
}

#[test]
fn addresses_that_another_range_contains() {
    let from = |ranges: &str| file(["fax", &format!("allow_ips: [{ranges}],"), "", ""], "", WHOLE);
    assert_warns(
        &from("192.0.2.7, 198.51.100.7, 192.0.2.0/24"),
        &["line 3: 192.0.2.7/32 has no effect beside 192.0.2.0/24: remove it from allow_ips"],
    );
    assert_warns(
        &from("192.0.2.7, 192.0.2.7"),
        &["line 3: 192.0.2.7/32 has no effect beside 192.0.2.7/32"],
    );
    assert_quiet(&from("192.0.2.7, 192.0.2.8, 198.51.100.0/24, 2001:db8::/32"));
}

#[test]
fn retries_that_never_take_place() {
    let retrying =
        |policy: &str| file(["fax", &format!("delivery: {{ {policy} }},"), "", ""], "", WHOLE);
    assert_warns(
        &retrying("retry: [1, 2], retry_unknown: 3"),
        &["line 3: retry_unknown is 3, but retry has 2 waits: write 2, or add waits to retry"],
    );
    assert_quiet(&retrying("retry: [1, 2], retry_unknown: 2"));
    assert_quiet(&retrying("retry: []"));
    assert_warns(
        &retrying("retry_statuses: [404, 503]"),
        &["line 3: 503 is retried without this: remove it from retry_statuses"],
    );
    assert_warns(
        &retrying("retry_statuses: [404, 404]"),
        &["line 3: '404' is in the list twice: remove one"],
    );
    assert_quiet(&retrying("retry_statuses: [404, 409]"));
}

#[test]
fn alerts_of_a_connection_that_is_no_observer() {
    let alerts = "settings: { message_url: https://fax.example/m, alerts: true },";
    let with_bot = |alerts: &str| {
        let bot = connection("caller", "faxline", "bot", alerts);
        file(["fax", "", "", ""], &bot, &WHOLE.replace("bot: bot", "bot: caller"))
            .replace("routes:\n", "routes:\n  other: { channels: [], bot: bot }\n")
    };
    assert_warns(
        &with_bot(alerts),
        &["line 6: alerts has an effect on an observer only: remove it, or set it on an observer"],
    );
    assert_quiet(&with_bot(&alerts.replace("true", "false")));
    let observer = connection("watch", "faxline", "observer", alerts);
    assert_quiet(&file(["fax", "", "", ""], &observer, WHOLE));
}

#[test]
fn rotations_between_equal_values() {
    let rotating = |second: &str| {
        let secrets = format!("secrets: {{ signing: [{{ env: NEW }}, {{ env: {second} }}] }},");
        file(["fax", &secrets, "", ""], "", WHOLE)
    };
    assert_warns(
        &rotating("NEW"),
        &["line 3: both values of the secret signing are the same: refer to the new value first"],
    );
    assert_quiet(&rotating("OLD"));
}
