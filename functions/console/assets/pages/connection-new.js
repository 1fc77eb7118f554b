// A new connection: what and as what, then its form.
import { at, get, put } from "../api.js";
import { h, patch } from "../dom.js";
import { heading } from "../parts/bits.js";
import { connectionForm } from "../parts/connection-form.js";
import { checkedId, choose, field, input } from "../parts/form.js";
import { tell } from "../parts/notice.js";
import { barred } from "../session.js";

const EMPTY = {
  route: null, copies: false, sender_prefix: false, text_limit: null, shows: [], reorder_window: null, allow_ips: [],
  delivery: { retry: [2, 30, 600, 2700], breaker_after: 5, reactivation: "automatic", retry_unknown: null },
  settings: {}, secrets: [],
};

export function open(view) {
  view.draw("New connection", heading("New connection"), h("p", { class: "loading" }, "Loading …"));
  view.load(async (signal) => {
    const [platforms, routes] = await Promise.all([get("platforms", signal), get("routes?limit=100", signal)]);
    draw(platforms, routes.items);
  });

  function draw(platforms, routes) {
    const place = h("div", { "data-own": true });
    const id = field({
      name: "id", label: "Id", required: true, about: "1 to 63 lower-case letters, digits and hyphens. It stands in addresses and logs, and cannot be changed.",
      control: input({ maxlength: 63, pattern: "[a-z0-9-]+" }),
    });
    const platform = field({
      name: "platform", label: "Platform", required: true, about: "",
      control: (shared) => choose(platforms.map((one) => [one.platform, one.name]))({ ...shared, onchange: roles }),
    });
    const role = field({
      name: "role", label: "Role", required: true, about: "What it is to Trunkline: where customers write, what answers first, where people are, or who listens.",
      control: (shared) => h("select", { ...shared, onchange: form }),
    });
    const of = (node) => node.querySelector("input, select");
    const chosen = () => platforms.find((one) => one.platform === of(platform).value);

    function roles() {
      patch(of(role), chosen().roles.map((name) => h("option", { value: name }, name)));
      platform.querySelector(".about").textContent = `Its page in the documentation: ${chosen().docs}`;
      form();
    }

    function form() {
      const focused = document.activeElement;
      place.replaceChildren(connectionForm({
        connection: { ...EMPTY, platform: chosen().platform, role: of(role).value },
        platform: chosen(), routes, action: "Make the connection", save,
      }));
      // The first fields are part of what is sent, and problems are shown at them too.
      place.querySelector("form .summary").after(head);
      if (head.contains(focused)) focused.focus();
    }

    async function save(body) {
      const name = checkedId(of(id).value.trim(), "connection");
      await put(at`connections/${name}`, { ...body, id: name }, { "if-none-match": "*" });
      tell(`The connection ${name} is made. Paste its addresses into the vendor's form, then verify it.`);
      location.hash = at`#/connections/${name}`;
    }

    const head = h("fieldset", { disabled: Boolean(barred("admin")) }, h("legend", null, "What it is"), id, platform, role);
    roles();
    view.draw("New connection", heading("New connection"), place);
  }
}
