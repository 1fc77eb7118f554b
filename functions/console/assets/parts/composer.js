// Sends a message to the customer, independent of the owner of the conversation.
import { post } from "../api.js";
import { h } from "../dom.js";
import { missingRole } from "../session.js";
import { notify, notifyError } from "./notice.js";

export function composer({ state }, path, now) {
  const off = missingRole("operator") || (state === "closed" ? "The conversation is closed. The customer's next message starts a new conversation." : null);
  const send = async (event) => {
    event.preventDefault();
    const { form, text, send: node } = { form: event.target, text: event.target.elements.text, send: event.target.elements.send };
    if (off || !text.value.trim() || node.getAttribute("aria-busy") === "true") return;
    node.setAttribute("aria-busy", "true");
    try {
      await post(`${path}/messages`, { text: text.value, to: "customer" });
      form.reset();
      notify("Message accepted. The transcript shows its delivery.");
      now();
    } catch (error) {
      if (error.status !== 401) notifyError(error.message);
    } finally {
      node.removeAttribute("aria-busy");
    }
  };
  return h("form", { key: "composer", class: "composer", onsubmit: send },
    h("label", { for: "text" }, "Message to the customer"),
    h("textarea", { id: "text", name: "text", rows: "2", "aria-describedby": "text-about", readonly: Boolean(off), title: off }),
    h("div", { class: "row spread" },
      h("p", { id: "text-about", class: "about" }, off ?? "Sent under your name. The owner of the conversation does not change."),
      h("button", { name: "send", type: "submit", class: "main", "aria-disabled": off ? "true" : null, title: off }, "Send")));
}
