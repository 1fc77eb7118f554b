// API tokens and sessions.
import { at, post, remove } from "../api.js";
import { h } from "../dom.js";
import { badge, heading, emptyState, errorBox } from "../parts/common.js";
import { button } from "../parts/button.js";
import { copyable } from "../parts/copy.js";
import { ask, show } from "../parts/dialog.js";
import { choose, field, input, saving } from "../parts/form.js";
import { pagedList, shown } from "../parts/list.js";
import { notify } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { missingRole } from "../session.js";
import { when } from "../time.js";

const ROLES = [
  ["viewer", "viewer: read only"],
  ["operator", "operator: read, send messages, hand over, replay, verify"],
  ["admin", "admin: everything, including configuration and tokens"],
];

const KIND = { api: "API token", session: "session", one_time: "sign-in link" };

export function open(view) {
  const list = pagedList("tokens", () => ({}), draw);
  let wrong = null;
  const again = missingRole("admin") ? null : view.poll((signal) => list.refresh(signal), 5000, (error) => {
    wrong = error;
    draw();
  });
  const form = h("div", { key: "form", "data-own": true }, saving([
    field({ name: "name", label: "Name", required: true, about: "The person or program that uses the token. The audit log shows this name.", control: input({ maxlength: 60 }) }),
    field({ name: "role", label: "Role", control: choose(ROLES, "viewer") }),
    field({ name: "days", label: "Valid for (days)", control: input({ type: "number", min: 1, value: 90 }) }),
  ], { action: "Create token", off: missingRole("admin"), save: create }));
  draw();

  async function create(node) {
    const { name, role, days } = node.elements;
    const { token } = await post("tokens", { name: name.value.trim(), role: role.value, days: Number(days.value) });
    name.value = "";
    again();
    await show("Token created", [h("p", null, "Copy the token now. It is not shown again."), copyable(token, "the new token")]);
  }

  async function revoke({ id, name, role }) {
    const sure = await ask({
      title: `Revoke ${name}?`, action: "Revoke", danger: true,
      text: `The token ${name} with the role ${role} stops working within seconds. This cannot be undone.`,
    });
    if (!sure) return;
    await remove(at`tokens/${id}`);
    notify(`Token ${name} revoked.`);
    again();
  }

  function draw() {
    view.draw("Tokens",
      heading("Tokens"),
      h("section", { key: "new", "aria-labelledby": "new" }, h("h2", { id: "new" }, "New token"), form),
      h("section", { key: "all", "aria-labelledby": "all" }, h("h2", { id: "all" }, "All tokens"),
        missingRole("admin") ? emptyState("Tokens require the role admin.", "Ask an admin for a token.")
          : wrong ? errorBox(wrong) : [shown(list, "token", "tokens"), !list.loaded ? null : list.items.length ? rows() : none(), list.more(again)]));
  }

  const none = () => emptyState("No tokens yet.", "Create a token for each person and program, so that the audit log distinguishes them.");

  function rows() {
    return table({
      caption: "Tokens",
      unseen: true,
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Name", cell: ({ name }) => h("bdi", null, name) },
        { name: "Role", cell: ({ role }) => badge("plain", role) },
        { name: "Kind", cell: ({ kind }) => KIND[kind] ?? kind },
        { name: "Created", cell: ({ created_at: at_ }) => when(at_) },
        { name: "Expires", cell: ({ expires_at: at_ }) => (at_ ? when(at_) : "never") },
        { name: "Actions", look: "does", cell: (one) => button("Revoke …", { look: "danger", name: `Revoke ${one.name}`, run: () => revoke(one) }) },
      ],
    });
  }
}
