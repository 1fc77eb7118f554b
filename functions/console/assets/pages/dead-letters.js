// Dead letters: queue messages that Trunkline could not process.
import { get, post } from "../api.js";
import { h } from "../dom.js";
import { heading, emptyState, errorBox } from "../parts/common.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { pagedList, shown } from "../parts/list.js";
import { notify } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { when } from "../time.js";
import { count } from "../labels.js";

const letters = (number) => count(number, "dead letter");

export function open(view) {
  let wrong = null;
  const list = pagedList("dead-letters", () => ({}), draw);
  const again = view.poll((signal) => list.refresh(signal), 5000, (error) => {
    wrong = error;
    draw();
  });
  draw();

  async function redrive(id) {
    const { count: number } = await post("dead-letters/redrive", id ? { id } : {});
    notify(`${letters(number)} returned to the queue.`);
    list.reset();
    again();
  }

  async function all() {
    const { dead_letters: number } = await get("overview");
    const sure = await ask({
      title: "Redrive all dead letters?", action: "Redrive all",
      text: `${letters(number)} return to their queues and are processed again.`,
    });
    if (sure) await redrive();
  }

  function draw() {
    view.draw("Dead letters",
      heading("Dead letters", h("p", { class: "about" }, "Queue messages that Trunkline could not process. Fix the cause, then redrive them.")),
      h("div", { key: "bulk", class: "row" },
        button("Redrive all …", { needs: "operator", off: list.loaded && !list.items.length && "No dead letters.", run: all })),
      wrong ? errorBox(wrong) : shown(list, "dead letter", "dead letters"),
      !list.loaded || wrong ? null : list.items.length ? rows() : emptyState("No dead letters.", "Messages that Trunkline cannot process appear here."),
      list.more(again));
  }

  function rows() {
    return table({
      caption: "Dead letters",
      unseen: true,
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Reason", look: "wide", cell: ({ reason }) => reason },
        { name: "Platform", cell: ({ platform }) => platform },
        { name: "Time", cell: ({ at }) => when(at) },
        { name: "Leg", cell: ({ message_group: group }) => h("code", null, group) },
        { name: "Size", look: "number", cell: ({ size }) => `${size.toLocaleString("en")} bytes` },
        { name: "Actions", look: "does", cell: ({ id, platform, reason }) =>
          button("Redrive", { needs: "operator", name: `Redrive the dead letter of ${platform}: ${reason}`, run: () => redrive(id) }) },
      ],
    });
  }
}
