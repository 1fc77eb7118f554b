// A route, or a new route.
import { at, get, getAll, put } from "../api.js";
import { h } from "../dom.js";
import { connectionLink, heading } from "../parts/common.js";
import { checkedId, field, input } from "../parts/form.js";
import { notify } from "../parts/notice.js";
import { routeForm } from "../parts/route-form.js";

const EMPTY = {
  bot: null, desk: null, observers: [],
  handover_policy: { transcript: 20, transcript_since: "start", after_close: "bot", if_unanswered: "bot", language: null, keywords: {}, texts: {} },
};

export function open(view) {
  const { id } = view.params;
  const title = id ?? "New route";
  view.draw(title, heading(title), h("p", { class: "loading" }, "Loading …"));
  view.load(async (signal) => {
    const [route, connections] = await Promise.all([id ? get(at`routes/${id}`, signal) : EMPTY, getAll("connections", signal)]);
    draw(route, connections);
  });

  function draw(route, connections) {
    const channels = connections.filter((one) => one.role === "channel" && one.route === id);
    view.draw(title,
      heading(title),
      id && h("p", { key: "channels", class: "about" }, "Channels: ",
        channels.length ? channels.map((one, i) => [i > 0 && ", ", connectionLink(one.id)]) : "none yet",
        ". Set the route of a channel on the channel's page."),
      h("div", { key: `version ${route.version}`, "data-own": true }, routeForm({
        route, connections, action: id ? "Save" : "Create route", head: !id && naming(), save: (body) => save(body, route, connections),
      })));
  }

  const naming = () => field({
    name: "id", label: "Id", required: true, about: "1 to 63 lower-case letters, digits and hyphens. It cannot be changed later.",
    control: input({ maxlength: 63 }),
  });

  async function save(body, route, connections) {
    const name = id ?? checkedId(document.querySelector("main [name=id]").value.trim(), "route");
    const condition = id ? { "if-match": `"${route.version}"` } : { "if-none-match": "*" };
    const saved = await put(at`routes/${name}`, { ...body, id: name }, condition);
    if (id) {
      notify(`${name} saved as version ${saved.version}. Open conversations keep their bot and desk.`);
      draw(saved, connections);
    } else {
      notify(`Route ${name} created. Select it on the page of each channel.`);
      location.hash = at`#/routes/${name}`;
    }
  }
}
