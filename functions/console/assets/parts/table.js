// A table that becomes a list of cards on narrow screens.
import { h } from "../dom.js";

/**
 * `columns` are {name, cell, look?}; the first one is the row header. An `unseen` caption is for screen readers only.
 * The ARIA roles are explicit because some browsers drop them when CSS changes the display of the cells.
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
