// Who owned a conversation when: its entries, cut where it changed hands.

/**
 * `entries` are in order, oldest first. Each stretch has a state, who had it, its entries, and whether the end of
 * what is loaded, not a change, is where it begins.
 */
export function stretches(entries, conversation) {
  const first = entries.find((entry) => changes(entry));
  const all = [];
  let now = { state: first ? before(first, conversation.parties) : conversation.state, agent: null };
  // What the house says because of an event came when that came.
  const givenBack = new Set(entries.filter(({ body }) => body.type === "handback").map(({ arrived }) => arrived));
  let id = entries[0]?.conversation;
  begin(entries[0], false);
  for (const entry of entries) {
    if (entry.conversation !== id) {
      id = entry.conversation;
      turn(entry, conversation.parties.bot ? "bot" : "pending");
    }
    const next = entry.standing === "regular" ? after(entry, now, givenBack.has(entry.arrived), conversation) : null;
    // The message that accepts belongs to its agent; a handover is the last thing that the bot does.
    if (next?.first) turn(entry, next.state, next.agent);
    all.at(-1).entries.push(entry);
    if (next && !next.first) turn(entry, next.state, next.agent);
  }
  // That it was offered is worth a line, even if nobody said anything meanwhile.
  return all.filter(({ state, known, entries: own }, i) => own.length || i === all.length - 1 || (known && state === "pending"));

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
function before({ body, from }, { bot }) {
  if (!bot) return "pending";
  if (body.type === "accept") return "pending";
  if (body.type === "handback") return "desk";
  return body.type === "close" && from !== "trunkline" ? "desk" : "bot";
}

function after({ body, from, author }, now, isGivenBack, { parties }) {
  // An operator speaks for the house, and takes nothing over.
  const isPerson = author.role === "agent" && from !== "trunkline";
  const agent = isPerson ? author.name : null;
  switch (body.type) {
    case "handover":
      return body.mode === "pass" ? { state: "desk", agent } : now.state === "bot" ? { state: "pending", agent: null } : null;
    case "accept":
      return { state: "desk", agent, first: true };
    case "message":
      if (now.state === "pending" && isPerson) return { state: "desk", agent, first: true };
      if (now.state === "desk" && agent && agent !== now.agent) return { state: "desk", agent, first: true };
      return null;
    case "handback":
      return { state: "bot", agent: null };
    case "close":
      // Only its side of it, if the bot has it then.
      if (isGivenBack || (from === parties.desk && now.state === "bot")) return null;
      return { state: "closed", agent: null };
    default:
      return null;
  }
}
