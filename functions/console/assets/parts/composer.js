// Writing to the customer, whoever has the conversation.
import { post } from "../api.js";
import { h } from "../dom.js";
import { barred } from "../session.js";
import { tell, warn } from "./notice.js";

export function composer({ state }, path, now) {
  const off = barred("operator") || (state === "closed" ? "The conversation is over: the customer's next message starts another." : null);
  const send = async (event) => {
    event.preventDefault();
    const { form, text, send: node } = { form: event.target, text: event.target.elements.text, send: event.target.elements.send };
    if (off || !text.value.trim() || node.getAttribute("aria-busy") === "true") return;
    node.setAttribute("aria-busy", "true");
    try {
      await post(`${path}/messages`, { text: text.value, to: "customer" });
      form.reset();
      tell("The message is on its way to the customer.");
      now();
    } catch (error) {
      if (error.status !== 401) warn(error.message);
    } finally {
      node.removeAttribute("aria-busy");
    }
  };
  return h("form", { key: "composer", class: "composer", onsubmit: send },
    h("label", { for: "text" }, "Message to the customer"),
    h("textarea", { id: "text", name: "text", rows: "2", "aria-describedby": "text-about", readonly: Boolean(off), title: off }),
    h("div", { class: "row spread" },
      h("p", { id: "text-about", class: "about" }, off ?? "Sent in your name. It changes nothing about who has the conversation."),
      h("button", { name: "send", type: "submit", class: "main", "aria-disabled": off ? "true" : null, title: off }, "Send")));
}
