// What the API's words are called on the page.

export const OWNER = {
  bot: "The bot has it",
  pending: "Offered to the desk",
  desk: "The desk has it",
  closed: "Over",
};

export const BREAKER = {
  closed: "Breaker closed",
  open: "Breaker open",
  half_open: "Breaker half open, probing",
};

export const VERDICT = {
  delivered: "delivered",
  retryable: "to be tried again",
  permanent: "failed, refused for good",
  unknown: "not known whether it was heard",
  skipped: "not sent, the platform has no form for it",
  parked: "parked",
  exhausted: "failed, all retries used up",
  discarded: "discarded by an operator",
};

/** How good each verdict is: the colour and the sign that it gets. */
export const VERDICT_TONE = {
  delivered: "good",
  retryable: "warn",
  permanent: "bad",
  unknown: "warn",
  skipped: "plain",
  parked: "warn",
  exhausted: "bad",
  discarded: "plain",
};

export const STANDING = {
  record: "kept for the record",
  late: "late: not the owner any more, not passed on",
  echo: "echo of what was said, not passed on",
};

export const AUTHOR = {
  customer: "Customer",
  bot: "Bot",
  agent: "Agent",
  system: "System",
  unknown: "Unknown author",
};

const BROUGHT = {
  bot: "by the bot",
  channel: "by the channel's platform",
  desk: "by people at the desk",
  keyword: "because the customer wrote a keyword",
  operator: "by an operator",
  bot_down: "because the bot is down",
  route: "because the route has no bot",
};

/** Who brought a handover about. */
export const brought = (by) => BROUGHT[by] ?? `by ${by}`;

/** "1 delivery", "2 deliveries". */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export const deliveries = (number) => count(number, "delivery", "deliveries");
