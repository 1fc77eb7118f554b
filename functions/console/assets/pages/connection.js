// A connection: status, inbound URLs, configuration and rejected requests.
import { at, get, getAll, post, put } from "../api.js";
import { h } from "../dom.js";
import { heading, emptyState } from "../parts/common.js";
import { button } from "../parts/button.js";
import { card } from "../parts/card.js";
import { connectionForm } from "../parts/connection-form.js";
import { copyable } from "../parts/copy.js";
import { ask, show } from "../parts/dialog.js";
import { notify, notifyError } from "../parts/notice.js";
import { rejectedCalls } from "../parts/rejected.js";
import { table } from "../parts/table.js";
import { hasRole } from "../session.js";

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
    const [loaded, platforms, allRoutes] = await Promise.all([
      get(path, signal), get("platforms", signal), getAll("routes", signal), loadAddresses(signal),
    ]);
    connection = loaded;
    platform = platforms.find((one) => one.platform === loaded.platform) ?? { name: loaded.platform, settings: [], secrets: [], form: [] };
    routes = allRoutes;
    makeForm();
    draw();
  });
  const now = view.poll(async (signal) => {
    const [overview] = await Promise.all([get("overview", signal), hasRole("operator") && rejected.refresh(signal)]);
    state = overview.connections.find((one) => one.id === id) ?? null;
    draw();
  }, EVERY, () => {});

  async function loadAddresses(signal) {
    if (hasRole("admin")) addresses = (await get(`${path}/addresses`, signal)).urls;
  }

  function makeForm() {
    form = h("div", { key: `version ${connection.version}`, "data-own": true },
      connectionForm({ connection, platform, routes, action: "Save", save }));
  }

  async function save(body) {
    connection = await put(path, body, { "if-match": `"${connection.version}"` });
    notify(`${id} saved as version ${connection.version}. The change takes effect within 30 seconds.`);
    makeForm();
    draw();
  }

  async function verify() {
    const { problem, unsupported_reason: unsupported } = await post(`${path}/verify`);
    if (unsupported) notify(`${id} cannot be verified: ${unsupported}`);
    else if (problem) notifyError(`Verification of ${id} failed: ${problem}`);
    else notify(`${id} is verified.`);
    now();
  }

  async function fix() {
    const before = await post(`${path}/verify`);
    const sure = await ask({
      title: `Fix ${id} on ${platform.name}?`, action: "Fix",
      text: before.problem
        ? `Trunkline creates or updates what ${platform.name} stores about this connection. Now: ${before.problem}`
        : `${id} is verified: there is nothing to fix.`,
    });
    if (!sure) return;
    const { problem, repaired } = await post(`${path}/fix`);
    if (problem) notifyError([repaired, problem].filter(Boolean).join("; "));
    else notify(repaired ? `${id} is fixed: ${repaired}` : `${id} needed no fix.`);
    now();
  }

  async function suspend() {
    const sure = connection.suspended || await ask({
      title: `Suspend ${id}?`, action: "Suspend", danger: true,
      text: `Deliveries to ${id} are parked in order until you resume it. Events from ${id} are still accepted.`,
    });
    if (!sure) return;
    connection = await post(`${path}/${connection.suspended ? "resume" : "suspend"}`);
    notify(connection.suspended ? `${id} is suspended.` : `${id} is resumed.`);
    makeForm();
    draw();
    now();
  }

  async function rotate() {
    const sure = await ask({
      title: `Rotate the key of ${id}?`, action: "Rotate key", danger: true,
      text: `${id} gets a new inbound URL. Paste it into the vendor's form. The previous URL works until the next rotation.`,
    });
    if (!sure) return;
    const { url } = await post(`${path}/rotate-key`);
    await loadAddresses(view.signal);
    draw();
    show("New inbound URL", [h("p", null, "Paste it into the vendor's form. The previous URL works until the next rotation."), copyable(url, "the new inbound URL")]);
  }

  function draw() {
    if (!connection) return;
    view.draw(id,
      heading(id,
        button("Verify", { needs: "operator", look: "main", run: verify }),
        button("Fix …", { needs: "admin", run: fix }),
        button(connection.suspended ? "Resume" : "Suspend …", { key: "suspend", needs: "admin", run: suspend })),
      h("p", { key: "what", class: "about" }, `${platform.name}, as a ${connection.role}. Version ${connection.version}.`),
      state && h("section", { key: "state", "aria-labelledby": "state" },
        h("h2", { id: "state" }, "Status"), h("ul", { class: "cards one" }, card(state))),
      h("section", { key: "addresses", "aria-labelledby": "addresses" },
        h("h2", { id: "addresses" }, "Inbound URLs"), urlSection()),
      h("section", { key: "form", "aria-labelledby": "set" }, h("h2", { id: "set" }, "Configuration"), form),
      rejected.draw());
  }

  function urlSection() {
    if (!addresses) return emptyState("Inbound URLs require the role admin.", "They authorize the sender, so only admins see them.");
    const [first] = addresses;
    if (!first) return emptyState("No inbound URL.", "This platform sends nothing to Trunkline in this role.");
    const filled = platform.form.map(({ field, value }) => ({ field, value: value.replaceAll("{url}", first.url) }));
    const rows = [
      ...filled,
      ...addresses.filter(({ url }) => !filled.some(({ value }) => value === url)).map(({ description, url }) => ({ field: description, value: url })),
    ];
    return [
      table({
        caption: `Values for the form of ${platform.name}`,
        items: rows,
        key: ({ field }) => field,
        columns: [
          { name: "Field", cell: ({ field }) => field },
          { name: "Value", look: "wide", cell: ({ field, value }) => copyable(value, field) },
        ],
      }),
      h("p", { key: "rotate" }, button("Rotate key …", { needs: "admin", run: rotate })),
    ];
  }
}
