// One conversation: its transcript, who takes part, and what an operator can do about it.
import { asking, at, get } from "../api.js";
import { h } from "../dom.js";
import { actions } from "../parts/actions.js";
import { connectionLink, facts, heading, nothing, ownerBadge, routeLink } from "../parts/bits.js";
import { button } from "../parts/button.js";
import { composer } from "../parts/composer.js";
import { transcript } from "../parts/transcript.js";
import { compare, when } from "../time.js";
import { brought } from "../words.js";

const EVERY = 2000;
const NEAR = 60;

export function open(view) {
  const { channel, customer } = view.params;
  const path = at`conversations/${channel}/${customer}`;
  // Oldest first, as far as the server's pages are: what came in the same moment stays in its order.
  let known = new Map();
  let conversation = null;
  let older = null;
  let begun = false;
  const key = (entry) => `${entry.from} ${entry.id}`;

  const now = view.poll(async (signal) => {
    const [said, page] = await Promise.all([get(path, signal), get(`${path}/timeline`, signal)]);
    conversation = said;
    // More came since than a page holds: what lies between is not known, so we begin anew.
    const gap = begun && page.next && !page.items.some((entry) => known.has(key(entry)));
    if (gap) known.clear();
    if (!begun || gap) older = page.next;
    page.items.reverse().forEach((entry) => known.set(key(entry), entry));
    begun = true;
    draw();
  }, EVERY);

  async function earlier() {
    const page = await get(asking(`${path}/timeline`, { cursor: older }));
    known = new Map([...page.items.reverse().map((entry) => [key(entry), entry]), ...known]);
    older = page.next;
    const log = document.querySelector(".log");
    const fromEnd = log.scrollHeight - log.scrollTop;
    draw();
    log.scrollTop = log.scrollHeight - fromEnd;
  }

  function draw() {
    const log = document.querySelector(".log");
    const follow = !log || log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    const entries = [...known.values()].sort((one, other) => compare(one.at, other.at) || compare(one.arrived, other.arrived));
    const { state } = conversation;
    view.draw(`${customer} on ${channel}`,
      heading([h("bdi", null, customer), " on ", channel], ownerBadge(state)),
      h("p", { key: "story", class: "story" }, story(conversation)),
      h("div", { key: "columns", class: "columns" },
        h("section", { key: "talk", class: "talk", "aria-labelledby": "transcript" },
          h("h2", { id: "transcript" }, "Transcript"),
          h("div", { key: "log", class: "log", role: "log", tabindex: "0", "aria-labelledby": "transcript", "aria-relevant": "additions" },
            older && h("p", { key: "older", class: "more" }, button("Earlier messages", { run: earlier })),
            entries.length ? transcript(entries, conversation, older) : nothing("Nothing has been said.", "It appears here as soon as it is."),
          ),
          composer(conversation, path, now)),
        h("aside", { key: "side", "aria-label": "About the conversation" },
          about(conversation),
          actions(conversation, path, now))));
    const drawn = document.querySelector(".log");
    if (follow && drawn) drawn.scrollTop = drawn.scrollHeight;
  }
}

/** What is going on, in a sentence. */
function story({ state, handover, parties, changed_at: changed }) {
  if (state === "closed") return ["It is over since ", when(changed), ". The customer's next message starts another."];
  if (!handover) return [`${parties.bot ?? "The bot"} answers. Last changed `, when(changed), "."];
  const place = handover.place === "desk" ? (parties.desk ?? "the desk") : "the channel's own people";
  const who = handover.agent ? [h("bdi", null, handover.agent), " accepted"] : "Accepted";
  return [
    `Handed over to ${place} ${brought(handover.by)} `, when(handover.at), handover.reason && [": ", h("bdi", null, handover.reason)], ". ",
    handover.accepted_at ? [who, " ", when(handover.accepted_at), "."] : "Nobody has accepted yet.",
  ];
}

function about({ id, route, language, started_at: started, changed_at: changed, parties }) {
  const link = (party) => (party ? connectionLink(party) : "none");
  return h("section", { key: "about", "aria-labelledby": "about" },
    h("h2", { id: "about" }, "Who takes part"),
    facts([
      ["Channel", link(parties.channel)],
      ["Bot", link(parties.bot)],
      ["Desk", link(parties.desk)],
      ["Observers", parties.observers.length ? parties.observers.map((one, i) => [i > 0 && ", ", link(one)]) : "none"],
      ["Route", routeLink(route)],
      ["Language", language ?? "not known"],
      ["Started", when(started)],
      ["Changed", when(changed)],
      ["Id", h("code", null, id)],
    ]),
    h("p", null, h("a", { href: `#/deliveries?${new URLSearchParams({ conversation: id })}` }, "What is parked or has failed here")));
}
