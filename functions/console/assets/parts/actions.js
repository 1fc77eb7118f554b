// An operator's actions on a conversation.
import { withQuery, at, get, post, remove } from "../api.js";
import { h } from "../dom.js";
import { OWNER, count, deliveries } from "../labels.js";
import { button } from "./button.js";
import { ask } from "./dialog.js";
import { notify } from "./notice.js";

const REASON = { name: "reason", label: "Reason (optional)", about: "Stored in the transcript and sent to the receiving platform." };

export function actions(conversation, path, now) {
  const { channel, customer, state, parties } = conversation;

  async function change(verb, dialog) {
    const input = await ask({ ...dialog, fields: [REASON] });
    if (!input) return;
    const after = await post(`${path}/${verb}`, { reason: input.reason || null });
    notify(`${dialog.done} Current state: ${OWNER[after.state] ?? after.state}.`);
    now();
  }

  const handover = () => change("handover", {
    title: "Hand over to an agent", action: "Hand over", done: "Handed over.",
    text: `The conversation with ${customer} is offered to ${parties.desk ?? "the agents on the channel's platform"}. The bot stops answering.`,
  });
  const handback = () => change("handback", {
    title: "Hand back to the bot", action: "Hand back", done: "Handed back.", danger: state === "desk",
    text: `${parties.bot ?? "The bot"} takes over the conversation with ${customer}, and it is closed on ${parties.desk ?? "the channel's platform"}.`,
  });
  const close = () => change("close", {
    title: "Close conversation", action: "Close conversation", done: "Closed.", danger: true,
    text: `The conversation with ${customer} on ${channel} is closed for the bot and the desk. The customer's next message starts a new conversation.`,
  });

  async function replay() {
    const { items, next } = await get(withQuery("deliveries", { conversation: conversation.id, limit: 100 }));
    if (!items.length) return notify("This conversation has no parked or failed deliveries.");
    const sure = await ask({
      title: "Replay pending deliveries", action: "Replay",
      text: `Sends ${deliveries(items.length)}${next ? " or more" : ""} of this conversation again, in order.`,
    });
    if (!sure) return null;
    const { count: done } = await post("deliveries/replay", { conversation: conversation.id });
    return notify(`${deliveries(done)} will be sent again.`);
  }

  async function forget() {
    const sure = await ask({
      title: "Delete customer data", action: "Delete all data", danger: true,
      text: `Deletes all stored data of ${customer} on ${channel}: conversations, transcripts and pending deliveries. This cannot be undone.`,
    });
    if (!sure) return;
    const { events } = await remove(at`customers/${channel}/${customer}`);
    notify(`${count(events, "event")} of ${customer} deleted.`);
    location.hash = "#/conversations";
  }

  const closed = state === "closed" && "The conversation is closed.";
  return h("section", { key: "actions", "aria-labelledby": "actions" },
    h("h2", { id: "actions" }, "Actions"),
    h("div", { class: "stack" },
      button("Hand over to an agent", { needs: "operator", off: closed || (state !== "bot" && "The conversation is already handed over."), run: handover }),
      button("Hand back to the bot", {
        needs: "operator", off: closed || (!parties.bot && "The route has no bot.") || (state === "bot" && "The bot already owns the conversation."), run: handback,
      }),
      button("Close conversation", { needs: "operator", off: closed, run: close }),
      button("Replay pending deliveries", { needs: "operator", run: replay }),
      button("Delete customer data", { needs: "admin", look: "danger", run: forget })));
}
