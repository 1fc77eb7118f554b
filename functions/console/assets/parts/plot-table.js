// A plot as a table: a row per 15 minutes for the last hour, a row per hour for the last day.
import { h, patch } from "../dom.js";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export function figuresTable(place, plot, times, series, step) {
  const size = (step < 900 ? 900 : 3600) / step;
  const rows = [];
  for (let start = 0; start < times.length; start += size) {
    const cells = plot.lines.map(([name]) => sum(series[name].slice(start, start + size), plot.unit));
    rows.push(h("tr", null, h("th", { scope: "row" }, `from ${clock.format(times[start] * 1000)}`),
      cells.map((cell) => h("td", { class: "number" }, cell))));
  }
  patch(place, h("table", { class: "plain" },
    h("caption", { class: "unseen" }, plot.name),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Time"),
      plot.lines.map(([, label]) => h("th", { scope: "col", class: "number" }, plot.unit ? `${label}, ${plot.unit}` : label)))),
    h("tbody", null, rows)));
}

/** Sums up counts; returns the maximum of latencies. */
function sum(values, unit) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return "–";
  return Math.round(unit ? Math.max(...known) : known.reduce((all, value) => all + value, 0)).toLocaleString("en");
}
