// One connection: how it is, what to paste into the vendor's form, and what is set.
import { at, get, post, put } from "../api.js";
import { h } from "../dom.js";
import { heading, nothing } from "../parts/bits.js";
import { button } from "../parts/button.js";
import { card } from "../parts/card.js";
import { connectionForm } from "../parts/connection-form.js";
import { copyable } from "../parts/copy.js";
import { ask, show } from "../parts/dialog.js";
import { tell, warn } from "../parts/notice.js";
import { rejectedCalls } from "../parts/rejected.js";
import { table } from "../parts/table.js";
import { may } from "../session.js";

const EVERY = 5000;

export function open(view) {
  const { id } = view.params;
  const path = at`connections/${id}`;
  let connection = null;
  let platform = null;
  let addresses = null;
  let state = null;
  let form = null;
  let routes = [];
  const rejected = rejectedCalls(path, draw);

  view.draw(id, heading(id), h("p", { class: "loading" }, "Loading …"));
  view.load(async (signal) => {
    const [said, platforms, known] = await Promise.all([
      get(path, signal), get("platforms", signal), get("routes?limit=100", signal), loadAddresses(signal),
    ]);
    connection = said;
    platform = platforms.find((one) => one.platform === said.platform) ?? { name: said.platform, settings: [], secrets: [], form: [] };
    routes = known.items;
    makeForm();
    draw();
  });
  const now = view.poll(async (signal) => {
    const [overview] = await Promise.all([get("overview", signal), may("operator") && rejected.refresh(signal)]);
    state = overview.connections.find((one) => one.id === id) ?? null;
    draw();
  }, EVERY, () => {});

  async function loadAddresses(signal) {
    if (may("admin")) addresses = (await get(`${path}/addresses`, signal)).urls;
  }

  function makeForm() {
    form = h("div", { key: `version ${connection.version}`, "data-own": true },
      connectionForm({ connection, platform, routes, action: "Save", save }));
  }

  async function save(body) {
    connection = await put(path, body, { "if-match": `"${connection.version}"` });
    tell(`${id} is saved, as version ${connection.version}. Functions see it within half a minute.`);
    makeForm();
    draw();
  }

  async function verify() {
    const { problem, unasked } = await post(`${path}/verify`);
    if (unasked) tell(`${id} was not asked: ${unasked}`);
    else if (problem) warn(`${id} did not prove itself: ${problem}`);
    else tell(`${id} has proved itself.`);
    now();
  }

  async function suspend() {
    const sure = connection.suspended || await ask({
      title: `Suspend ${id}?`, action: "Suspend", danger: true,
      text: `Nothing is sent to ${id} any more, until it is resumed: its deliveries park, in order. What comes from it is still accepted.`,
    });
    if (!sure) return;
    connection = await post(`${path}/${connection.suspended ? "resume" : "suspend"}`);
    tell(connection.suspended ? `${id} is suspended.` : `${id} is in use again.`);
    makeForm();
    draw();
    now();
  }

  async function rotate() {
    const sure = await ask({
      title: `Give ${id} a new address?`, action: "New address", danger: true,
      text: `${id} gets a new address, which has to be pasted into the vendor's form. The old one works until the next time.`,
    });
    if (!sure) return;
    const { url } = await post(`${path}/rotate-key`);
    await loadAddresses(view.signal);
    draw();
    show("The new address", [h("p", null, "Paste it into the vendor's form. The old one works until the next time."), copyable(url, "the new address")]);
  }

  function draw() {
    if (!connection) return;
    view.draw(id,
      heading(id,
        button("Verify", { needs: "operator", look: "main", run: verify }),
        button(connection.suspended ? "Resume" : "Suspend …", { key: "suspend", needs: "admin", run: suspend })),
      h("p", { key: "what", class: "about" }, `${platform.name}, as a ${connection.role}. Version ${connection.version}.`),
      state && h("section", { key: "state", "aria-labelledby": "state" },
        h("h2", { id: "state" }, "How it is"), h("ul", { class: "cards one" }, card(state))),
      h("section", { key: "addresses", "aria-labelledby": "addresses" },
        h("h2", { id: "addresses" }, "What to paste into the vendor's form"), pasting()),
      h("section", { key: "form", "aria-labelledby": "set" }, h("h2", { id: "set" }, "What is set"), form),
      rejected.draw());
  }

  function pasting() {
    if (!addresses) return nothing("The addresses are secret.", "They prove who calls, so they are shown to admins only.");
    const [first] = addresses;
    if (!first) return nothing("It has no address.", "Nothing is sent from there to Trunkline, so there is nothing to paste.");
    const filled = platform.form.map(({ field, value }) => ({ field, value: value.replaceAll("{url}", first.url) }));
    const rows = [
      ...filled,
      ...addresses.filter(({ url }) => !filled.some(({ value }) => value === url)).map(({ what, url }) => ({ field: what, value: url })),
    ];
    return [
      table({
        caption: `${platform.name}: the fields of the form`,
        items: rows,
        key: ({ field }) => field,
        columns: [
          { name: "Field", cell: ({ field }) => field },
          { name: "Value", look: "wide", cell: ({ field, value }) => copyable(value, field) },
        ],
      }),
      h("p", { key: "rotate" }, button("New address …", { needs: "admin", run: rotate })),
    ];
  }
}
