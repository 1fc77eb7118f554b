// Who owned a conversation when: its entries, cut where it changed hands.

/**
 * `entries` are in order, oldest first. Each stretch has a state, who had it, its entries, and whether the end of
 * what is loaded, not a change, is where it begins.
 */
export function stretches(entries, conversation) {
  const first = entries.find((entry) => changes(entry));
  const all = [];
  let now = { state: first ? before(first) : conversation.state, agent: null };
  let id = entries[0]?.conversation;
  begin(entries[0], false);
  for (const [i, entry] of entries.entries()) {
    if (entry.conversation !== id) {
      id = entry.conversation;
      turn(entry, conversation.parties.bot ? "bot" : "pending");
    }
    const next = entry.standing === "regular" ? after(entry, now, entries[i + 1], conversation) : null;
    // The message that accepts belongs to its agent; a handover is the last thing that the bot does.
    if (next?.first) turn(entry, next.state, next.agent);
    all.at(-1).entries.push(entry);
    if (next && !next.first) turn(entry, next.state, next.agent);
  }
  return all.filter((stretch, i) => stretch.entries.length || i === all.length - 1);

  function turn(entry, state, agent = null) {
    if (state === now.state && agent === now.agent) return;
    all.at(-1).until = entry.at;
    now = { state, agent };
    begin(entry, true);
  }

  function begin(entry, known) {
    all.push({ key: `${entry?.from} ${entry?.id} ${now.state}`, ...now, at: entry?.at, known, until: null, entries: [] });
  }
}

const changes = ({ standing, body }) =>
  standing === "regular" && ["handover", "accept", "handback", "close"].includes(body.type);

/** Whose it was before the first change that is loaded. */
function before({ body, from }) {
  if (body.type === "accept") return "pending";
  if (body.type === "handback") return "desk";
  return body.type === "close" && from !== "trunkline" ? "desk" : "bot";
}

function after({ body, from, author }, now, next, { parties }) {
  const agent = author.role === "agent" ? author.name : null;
  switch (body.type) {
    case "handover":
      return body.mode === "pass" ? { state: "desk", agent } : now.state === "bot" ? { state: "pending", agent: null } : null;
    case "accept":
      return { state: "desk", agent, first: true };
    case "message":
      if (now.state === "pending" && author.role === "agent") return { state: "desk", agent, first: true };
      if (now.state === "desk" && agent && agent !== now.agent) return { state: "desk", agent, first: true };
      return null;
    case "handback":
      return { state: "bot", agent: null };
    case "close":
      // What follows a desk's close the house says, beside it: given back, or over.
      if (from === parties.desk && (now.state === "bot" || next?.body.type === "handback")) return null;
      return { state: "closed", agent: null };
    default:
      return null;
  }
}
