// A table that becomes a list of cards where there is no room.
import { h } from "../dom.js";

/**
 * `columns` are {name, cell, look?}; the first one names the row. A caption that only repeats the heading above is
 * `unseen`. The roles are written out because some browsers
 * forget them when a narrow page's style makes blocks of the cells.
 */
export function table({ caption, unseen, columns, items, key }) {
  return h("table", { key: "table", role: "table" },
    h("caption", { class: unseen ? "unseen" : null }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(({ name, look }) =>
      h("th", { key: name, scope: "col", role: "columnheader", class: look }, name)))),
    h("tbody", { role: "rowgroup" }, items.map((item) =>
      h("tr", { key: key(item), role: "row" }, columns.map(({ name, cell, look }, i) =>
        i === 0
          ? h("th", { scope: "row", role: "rowheader", class: look, "data-label": name }, cell(item))
          : h("td", { role: "cell", class: look, "data-label": name }, cell(item)))))),
  );
}
