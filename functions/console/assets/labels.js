// Labels for the API's values.

export const OWNER = {
  bot: "Bot",
  pending: "Offered to desk",
  desk: "Desk",
  closed: "Closed",
};

export const BREAKER = {
  closed: "Breaker closed",
  open: "Breaker open",
  half_open: "Breaker half-open",
};

export const STATUS = {
  delivered: "delivered",
  retryable: "retry scheduled",
  permanent: "failed, rejected permanently",
  unknown: "result unknown",
  skipped: "skipped, not supported by the platform",
  parked: "parked",
  exhausted: "failed, retries exhausted",
  discarded: "discarded by an operator",
};

/** The colour and sign of each delivery status. */
export const STATUS_TONE = {
  delivered: "good",
  retryable: "warn",
  permanent: "bad",
  unknown: "warn",
  skipped: "plain",
  parked: "warn",
  exhausted: "bad",
  discarded: "plain",
};

export const DISPOSITION = {
  recorded_only: "recorded only",
  not_owner: "not forwarded: the sender does not own the conversation",
  echo: "not forwarded: echo of a delivered message",
};

export const AUTHOR = {
  customer: "Customer",
  bot: "Bot",
  agent: "Agent",
  system: "System",
  unknown: "Unknown author",
  participant: "Another participant",
};

const TRIGGER = {
  bot: "by the bot",
  channel: "by the channel's platform",
  desk: "by the desk",
  keyword: "because the customer sent a keyword",
  operator: "by an operator",
  bot_down: "because the bot is down",
  route: "because the route has no bot",
};

/** What caused a handover. */
export const triggerText = (trigger) => TRIGGER[trigger] ?? `by ${trigger}`;

/** "1 delivery", "2 deliveries". */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export const deliveries = (number) => count(number, "delivery", "deliveries");
