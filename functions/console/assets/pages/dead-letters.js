// What our own side could not handle.
import { get, post } from "../api.js";
import { h } from "../dom.js";
import { heading, nothing, trouble } from "../parts/bits.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { pagedList, shown } from "../parts/list.js";
import { tell } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { when } from "../time.js";
import { count } from "../words.js";

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
    tell(`${letters(number)} put back into the queue.`);
    list.reset();
    again();
  }

  async function all() {
    const { dead_letters: number } = await get("overview");
    const sure = await ask({
      title: "Redrive all dead letters?", action: "Redrive all",
      text: `${letters(number)} go back into the queues they came from, and are handled as if they had just come.`,
    });
    if (sure) await redrive();
  }

  function draw() {
    view.draw("Dead letters",
      heading("Dead letters", h("p", { class: "about" }, "What our own side could not handle. Find out why, then redrive them.")),
      h("div", { key: "bulk", class: "row" },
        button("Redrive all …", { needs: "operator", off: list.loaded && !list.items.length && "There are none.", run: all })),
      wrong ? trouble(wrong) : shown(list, "dead letter", "dead letters"),
      !list.loaded || wrong ? null : list.items.length ? rows() : nothing("There are no dead letters.", "There is nothing to do here."),
      list.more(again));
  }

  function rows() {
    return table({
      caption: "Dead letters",
      unseen: true,
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Why", look: "wide", cell: ({ reason }) => reason },
        { name: "Platform", cell: ({ platform }) => platform },
        { name: "When", cell: ({ at }) => when(at) },
        { name: "Leg", cell: ({ group }) => h("code", null, group) },
        { name: "Size", look: "number", cell: ({ size }) => `${size.toLocaleString("en")} bytes` },
        { name: "Do", look: "does", cell: ({ id, platform, reason }) =>
          button("Redrive", { needs: "operator", name: `Redrive the dead letter of ${platform}: ${reason}`, run: () => redrive(id) }) },
      ],
    });
  }
}
