// Tokens: who may use the API, as what, until when.
import { at, post, remove } from "../api.js";
import { h } from "../dom.js";
import { badge, heading, nothing, trouble } from "../parts/bits.js";
import { button } from "../parts/button.js";
import { copyable } from "../parts/copy.js";
import { ask, show } from "../parts/dialog.js";
import { choose, field, input, saving } from "../parts/form.js";
import { pagedList, shown } from "../parts/list.js";
import { tell } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { barred } from "../session.js";
import { when } from "../time.js";

const ROLES = [
  ["viewer", "viewer: reads"],
  ["operator", "operator: replays, hands over, verifies, writes"],
  ["admin", "admin: all, connections and tokens included"],
];

const KIND = { operator: "token", session: "sign-in", once: "link, good once" };

export function open(view) {
  const list = pagedList("tokens", () => ({}), draw);
  let wrong = null;
  const again = barred("admin") ? null : view.poll((signal) => list.refresh(signal), 5000, (error) => {
    wrong = error;
    draw();
  });
  const form = h("div", { key: "form", "data-own": true }, saving([
    field({ name: "name", label: "Name", required: true, about: "Who or what uses it: it stands in the audit.", control: input({ maxlength: 60 }) }),
    field({ name: "role", label: "Role", control: choose(ROLES, "viewer") }),
    field({ name: "days", label: "Good for how many days", control: input({ type: "number", min: 1, value: 90 }) }),
  ], { action: "Make a token", off: barred("admin"), save: make }));
  draw();

  async function make(node) {
    const { name, role, days } = node.elements;
    const { token } = await post("tokens", { name: name.value.trim(), role: role.value, days: Number(days.value) });
    name.value = "";
    again();
    await show("The new token", [h("p", null, "It is shown this once. Keep it where secrets are kept."), copyable(token, "the new token")]);
  }

  async function revoke({ id, name, role }) {
    const sure = await ask({
      title: `Revoke ${name}?`, action: "Revoke", danger: true,
      text: `Whoever uses the token ${name}, which has the role ${role}, is signed out at once. This cannot be taken back.`,
    });
    if (!sure) return;
    await remove(at`tokens/${id}`);
    tell(`The token ${name} is revoked.`);
    again();
  }

  function draw() {
    view.draw("Tokens",
      heading("Tokens"),
      h("section", { key: "new", "aria-labelledby": "new" }, h("h2", { id: "new" }, "New token"), form),
      h("section", { key: "all", "aria-labelledby": "all" }, h("h2", { id: "all" }, "All tokens"),
        barred("admin") ? nothing("Only an admin sees the tokens.", "Ask one for a token of your own.")
          : wrong ? trouble(wrong) : [shown(list, "token", "tokens"), !list.loaded ? null : list.items.length ? rows() : none(), list.more(again)]));
  }

  const none = () => nothing("There is no token yet.", "Make one for each person and each program, so that the audit can tell them apart.");

  function rows() {
    return table({
      caption: "Tokens",
      unseen: true,
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Name", cell: ({ name }) => h("bdi", null, name) },
        { name: "Role", cell: ({ role }) => badge("plain", role) },
        { name: "What it is", cell: ({ kind }) => KIND[kind] ?? kind },
        { name: "Made", cell: ({ made_at: at_ }) => when(at_) },
        { name: "Ends", cell: ({ expires_at: at_ }) => (at_ ? when(at_) : "never") },
        { name: "Do", look: "does", cell: (one) => button("Revoke …", { look: "danger", name: `Revoke ${one.name}`, run: () => revoke(one) }) },
      ],
    });
  }
}
