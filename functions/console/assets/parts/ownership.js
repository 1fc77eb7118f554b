// Splits the entries of a conversation into periods by owner.

/**
 * `entries` are ordered, oldest first. Each period has a state, the agent, its entries, and `known`: whether it starts
 * with a change of owner rather than with the first loaded entry.
 */
export function ownershipPeriods(entries, conversation) {
  const first = entries.find((entry) => changesOwner(entry));
  const all = [];
  let now = { state: first ? before(first, conversation.parties) : conversation.state, agent: null };
  // System events have the time of the event that caused them.
  const handbackTimes = new Set(entries.filter(({ body }) => body.type === "handback").map(({ received_at: at }) => at));
  let id = entries[0]?.conversation;
  begin(entries[0], false);
  for (const entry of entries) {
    if (entry.conversation !== id) {
      id = entry.conversation;
      turn(entry, conversation.parties.bot ? "bot" : "pending");
    }
    const next = entry.disposition === "routed" ? after(entry, now, handbackTimes.has(entry.received_at), conversation) : null;
    // A message that accepts belongs to the agent's period; a handover is the last entry of the bot's period.
    if (next?.first) turn(entry, next.state, next.agent);
    all.at(-1).entries.push(entry);
    if (next && !next.first) turn(entry, next.state, next.agent);
  }
  // The period of an offer is shown even if it has no entries.
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

const changesOwner = ({ disposition, body }) =>
  disposition === "routed" && ["handover", "accept", "handback", "close"].includes(body.type);

/** Returns the state before the first loaded change. */
function before({ body, from }, { bot }) {
  if (!bot) return "pending";
  if (body.type === "accept") return "pending";
  if (body.type === "handback") return "desk";
  return body.type === "close" && from !== "trunkline" ? "desk" : "bot";
}

function after({ body, from, author }, now, isHandback, { parties }) {
  // An operator's message comes from Trunkline and does not change the owner.
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
      // Closes only the desk's session if the bot owns the conversation afterwards.
      if (isHandback || (from === parties.desk && now.state === "bot")) return null;
      return { state: "closed", agent: null };
    default:
      return null;
  }
}
