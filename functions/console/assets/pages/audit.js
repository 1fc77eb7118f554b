// Who changed what, and when.
import { h } from "../dom.js";
import { heading, nothing, trouble } from "../parts/bits.js";
import { pagedList, shown } from "../parts/list.js";
import { table } from "../parts/table.js";
import { barred } from "../session.js";
import { when } from "../time.js";

export function open(view) {
  let wrong = null;
  const list = pagedList("audit", () => ({}), draw);
  const again = barred("admin") ? null : view.poll((signal) => list.refresh(signal), 5000, (error) => {
    wrong = error;
    draw();
  });
  draw();

  function draw() {
    view.draw("Audit", heading("Audit"),
      barred("admin") ? nothing("Only an admin sees the audit.", barred("admin"))
        : wrong ? trouble(wrong) : [
          shown(list, "entry", "entries"),
          !list.loaded ? null : list.items.length ? rows() : nothing("Nobody has changed anything yet.", "Each change is listed here with who made it."),
          list.more(again),
        ]);
  }

  function rows() {
    return table({
      caption: "Changes, the latest first",
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "What", look: "word", cell: ({ what }) => h("code", null, what) },
        { name: "Target", cell: ({ target }) => h("bdi", null, target ?? "") },
        { name: "Who", cell: ({ who, role }) => [h("bdi", null, who), `, ${role}`] },
        { name: "When", cell: ({ at }) => when(at) },
        { name: "Detail", look: "wide", cell: ({ detail }) => (detail && Object.keys(detail).length ? h("code", null, JSON.stringify(detail)) : "") },
      ],
    });
  }
}
