// What an operator can do about a conversation.
import { asking, at, get, post, remove } from "../api.js";
import { h } from "../dom.js";
import { OWNER, count, deliveries } from "../words.js";
import { button } from "./button.js";
import { ask } from "./dialog.js";
import { tell } from "./notice.js";

const REASON = { name: "reason", label: "Reason (optional)", about: "It stands in the transcript, and the other side is told it." };

export function actions(conversation, path, now) {
  const { channel, customer, state, parties } = conversation;

  async function change(verb, dialog) {
    const said = await ask({ ...dialog, fields: [REASON] });
    if (!said) return;
    const after = await post(`${path}/${verb}`, { reason: said.reason || null });
    tell(`${dialog.title}: done. ${OWNER[after.state] ?? ""}.`);
    now();
  }

  const handover = () => change("handover", {
    title: "Hand over to people", action: "Hand over",
    text: `The conversation with ${customer} is offered to ${parties.desk ?? "the channel's own people"}. The bot is on standby meanwhile.`,
  });
  const handback = () => change("handback", {
    title: "Give back to the bot", action: "Give back", danger: state === "desk",
    text: `${parties.bot ?? "The bot"} has the conversation with ${customer} again; ${parties.desk ?? "the other side"} is told that it is over there.`,
  });
  const close = () => change("close", {
    title: "Close the conversation", action: "Close it", danger: true,
    text: `The conversation with ${customer} on ${channel} is over, for the bot and the desk. The customer's next message starts another.`,
  });

  async function replay() {
    const { items, next } = await get(asking("deliveries", { conversation: conversation.id, limit: 100 }));
    if (!items.length) return tell("Nothing of this conversation is parked or has failed.");
    const sure = await ask({
      title: "Replay what waits", action: "Replay",
      text: `${deliveries(items.length)}${next ? " or more" : ""} of this conversation are sent again, in order.`,
    });
    if (!sure) return null;
    const { count: done } = await post("deliveries/replay", { conversation: conversation.id });
    return tell(`${deliveries(done)} to be sent again.`);
  }

  async function forget() {
    const sure = await ask({
      title: "Delete the customer's data", action: "Delete all of it", danger: true,
      text: `All that is kept of ${customer} on ${channel} is deleted: every conversation, its transcript and what waits for delivery. This cannot be taken back.`,
    });
    if (!sure) return;
    const { events } = await remove(at`customers/${channel}/${customer}`);
    tell(`${count(events, "event")} of ${customer} deleted.`);
    location.hash = "#/conversations";
  }

  const over = state === "closed" && "The conversation is over.";
  return h("section", { key: "actions", "aria-labelledby": "actions" },
    h("h2", { id: "actions" }, "What you can do"),
    h("div", { class: "stack" },
      button("Hand over to people", { needs: "operator", off: over || (state !== "bot" && "People have it, or are asked to."), run: handover }),
      button("Give back to the bot", {
        needs: "operator", off: over || (!parties.bot && "The route has no bot.") || (state === "bot" && "The bot has it."), run: handback,
      }),
      button("Close the conversation", { needs: "operator", off: over, run: close }),
      button("Replay what waits", { needs: "operator", run: replay }),
      button("Delete the customer's data", { needs: "admin", look: "danger", run: forget })));
}
