// A new connection: its id, platform and role, then its form.
import { at, get, getAll, put } from "../api.js";
import { h, patch } from "../dom.js";
import { heading } from "../parts/common.js";
import { connectionForm } from "../parts/connection-form.js";
import { checkedId, choose, field, input } from "../parts/form.js";
import { notify } from "../parts/notice.js";
import { missingRole } from "../session.js";

// Other members are left out: the form shows their defaults.
const EMPTY = {
  delivery: { retry: [2, 30, 600, 2700], breaker_after: 5, reactivation: "automatic", retry_unknown: null },
  settings: {}, secrets: [],
};

export function open(view) {
  view.draw("New connection", heading("New connection"), h("p", { class: "loading" }, "Loading …"));
  view.load(async (signal) => {
    const [platforms, routes] = await Promise.all([get("platforms", signal), getAll("routes", signal)]);
    draw(platforms, routes);
  });

  function draw(platforms, routes) {
    const place = h("div", { "data-own": true });
    const id = field({
      name: "id", label: "Id", required: true, about: "1 to 63 lower-case letters, digits and hyphens. Part of inbound URLs and logs. It cannot be changed later.",
      control: input({ maxlength: 63, pattern: "[a-z0-9-]+" }),
    });
    const platform = field({
      name: "platform", label: "Platform", required: true, about: "",
      control: (shared) => choose(platforms.map((one) => [one.platform, one.name]))({ ...shared, onchange: roles }),
    });
    const role = field({
      name: "role", label: "Role", required: true, about: "channel: where customers write. bot: answers first. desk: human agents. observer: receives copies.",
      control: (shared) => h("select", { ...shared, onchange: form }),
    });
    const of = (node) => node.querySelector("input, select");
    const chosen = () => platforms.find((one) => one.platform === of(platform).value);

    function roles() {
      patch(of(role), chosen().roles.map((name) => h("option", { value: name }, name)));
      platform.querySelector(".about").textContent = `Documentation: ${chosen().docs}`;
      form();
    }

    function form() {
      const focused = document.activeElement;
      place.replaceChildren(connectionForm({
        connection: { ...EMPTY, platform: chosen().platform, role: of(role).value },
        platform: chosen(), routes, action: "Create connection", save,
      }));
      // The first fields belong to the form, so that problems can be shown at them.
      place.querySelector("form .summary").after(head);
      if (head.contains(focused)) focused.focus();
    }

    async function save(body) {
      const name = checkedId(of(id).value.trim(), "connection");
      await put(at`connections/${name}`, { ...body, id: name }, { "if-none-match": "*" });
      notify(`Connection ${name} created. Paste its inbound URLs into the vendor's form, then verify it.`);
      location.hash = at`#/connections/${name}`;
    }

    const head = h("fieldset", { disabled: Boolean(missingRole("admin")) }, h("legend", null, "Connection"), id, platform, role);
    roles();
    view.draw("New connection", heading("New connection"), place);
  }
}
