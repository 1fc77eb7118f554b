// The audit log.
import { h } from "../dom.js";
import { heading, emptyState, errorBox } from "../parts/common.js";
import { pagedList, shown } from "../parts/list.js";
import { table } from "../parts/table.js";
import { missingRole } from "../session.js";
import { when } from "../time.js";

export function open(view) {
  let wrong = null;
  const list = pagedList("audit", () => ({}), draw);
  const again = missingRole("admin") ? null : view.poll((signal) => list.refresh(signal), 5000, (error) => {
    wrong = error;
    draw();
  });
  draw();

  function draw() {
    view.draw("Audit", heading("Audit"),
      missingRole("admin") ? emptyState("The audit log requires the role admin.", "Ask an admin for access.")
        : wrong ? errorBox(wrong) : [
          shown(list, "entry", "entries"),
          !list.loaded ? null : list.items.length ? rows() : emptyState("No changes yet.", "Each change appears here with the token that made it."),
          list.more(again),
        ]);
  }

  function rows() {
    return table({
      caption: "Changes, newest first",
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Action", look: "word", cell: ({ action }) => h("code", null, action) },
        { name: "Target", cell: ({ target }) => h("bdi", null, target ?? "") },
        { name: "Actor", cell: ({ actor, role }) => [h("bdi", null, actor), `, ${role}`] },
        { name: "Time", cell: ({ at }) => when(at) },
        { name: "Detail", look: "wide", cell: ({ detail }) => (detail && Object.keys(detail).length ? h("code", null, JSON.stringify(detail)) : "") },
      ],
    });
  }
}
