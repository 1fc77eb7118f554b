// A conversation: transcript, details and actions.
import { withQuery, at, get } from "../api.js";
import { h } from "../dom.js";
import { actions } from "../parts/actions.js";
import { connectionLink, facts, heading, emptyState, ownerBadge, routeLink } from "../parts/common.js";
import { button } from "../parts/button.js";
import { composer } from "../parts/composer.js";
import { transcript } from "../parts/transcript.js";
import { compare, when } from "../time.js";
import { triggerText } from "../labels.js";

const EVERY = 2000;
const BOTTOM_MARGIN = 60;

export function open(view) {
  const { channel, customer } = view.params;
  const path = at`conversations/${channel}/${customer}`;
  // In the server's order, oldest first, which breaks ties between equal timestamps.
  let known = new Map();
  let conversation = null;
  let older = null;
  let loaded = false;
  const key = (entry) => `${entry.from} ${entry.id}`;

  const now = view.poll(async (signal) => {
    const [answer, page] = await Promise.all([get(path, signal), get(`${path}/timeline`, signal)]);
    conversation = answer;
    // More than a page of new entries: there is a gap, so start again with this page.
    const gap = loaded && page.next && !page.items.some((entry) => known.has(key(entry)));
    if (gap) known.clear();
    if (!loaded || gap) older = page.next;
    page.items.reverse().forEach((entry) => known.set(key(entry), entry));
    loaded = true;
    draw();
  }, EVERY);

  async function earlier() {
    const page = await get(withQuery(`${path}/timeline`, { cursor: older }));
    known = new Map([...page.items.reverse().map((entry) => [key(entry), entry]), ...known]);
    older = page.next;
    const log = document.querySelector(".log");
    const fromEnd = log.scrollHeight - log.scrollTop;
    draw();
    log.scrollTop = log.scrollHeight - fromEnd;
  }

  function draw() {
    const log = document.querySelector(".log");
    const follow = !log || log.scrollHeight - log.scrollTop - log.clientHeight < BOTTOM_MARGIN;
    const entries = [...known.values()].sort((one, other) => compare(one.at, other.at) || compare(one.received_at, other.received_at));
    const { state } = conversation;
    view.draw(`${customer} on ${channel}`,
      heading([h("bdi", null, customer), " on ", channel], ownerBadge(state)),
      h("p", { key: "summary", class: "summary-line" }, summary(conversation)),
      h("div", { key: "columns", class: "columns" },
        h("section", { key: "talk", class: "talk", "aria-labelledby": "transcript" },
          h("h2", { id: "transcript" }, "Transcript"),
          h("div", { key: "log", class: "log", role: "log", tabindex: "0", "aria-labelledby": "transcript", "aria-relevant": "additions" },
            older && h("p", { key: "older", class: "more" }, button("Load earlier messages", { run: earlier })),
            entries.length ? transcript(entries, conversation, older) : emptyState("No messages yet.", "Messages appear here as they arrive."),
          ),
          composer(conversation, path, now)),
        h("aside", { key: "side", "aria-label": "About the conversation" },
          about(conversation),
          actions(conversation, path, now))));
    const drawn = document.querySelector(".log");
    if (follow && drawn) drawn.scrollTop = drawn.scrollHeight;
  }
}

/** Summarizes the state in a sentence. */
function summary({ state, handover, parties, changed_at: changed }) {
  if (state === "closed") return ["Closed ", when(changed), ". The customer's next message starts a new conversation."];
  if (!handover) return [`${parties.bot ?? "The bot"} owns the conversation. Last change `, when(changed), "."];
  const location = handover.location === "desk" ? (parties.desk ?? "the desk") : "the agents on the channel's platform";
  const who = handover.agent ? [h("bdi", null, handover.agent), " accepted"] : "Accepted";
  return [
    `Handed over to ${location} ${triggerText(handover.trigger)} `, when(handover.at), handover.reason && [": ", h("bdi", null, handover.reason)], ". ",
    handover.accepted_at ? [who, " ", when(handover.accepted_at), "."] : "No agent has accepted yet.",
  ];
}

function about({ id, route, language, started_at: started, changed_at: changed, parties }) {
  const link = (party) => (party ? connectionLink(party) : "none");
  return h("section", { key: "about", "aria-labelledby": "about" },
    h("h2", { id: "about" }, "Details"),
    facts([
      ["Channel", link(parties.channel)],
      ["Bot", link(parties.bot)],
      ["Desk", link(parties.desk)],
      ["Observers", parties.observers.length ? parties.observers.map((one, i) => [i > 0 && ", ", link(one)]) : "none"],
      ["Route", routeLink(route)],
      ["Language", language ?? "unknown"],
      ["Started", when(started)],
      ["Changed", when(changed)],
      ["Id", h("code", null, id)],
    ]),
    h("p", null, h("a", { href: `#/deliveries?${new URLSearchParams({ conversation: id })}` }, "Pending deliveries")));
}
