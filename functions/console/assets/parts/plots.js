// Plots of the last hour or day, each with its totals as text for screen readers.
import { h } from "../dom.js";
import { figuresTable } from "./plot-table.js";
import uPlot from "../vendor/uplot.js";

const HEIGHT = 180;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const PLOTS = [
  { name: "Messages", unit: "", lines: [["accepted", "Accepted", "one"], ["delivered", "Delivered", "two"]] },
  { name: "Failures", unit: "", lines: [["failed", "Failed", "bad"], ["retried", "Retried", "warn"], ["parked", "Parked", "three"]] },
  { name: "Latency", unit: "ms", lines: [["latency_p50_ms", "p50", "one"], ["latency_p99_ms", "p99", "three"]] },
];

let drawn = [];

/** Draws the plots into `place`, or updates existing plots. */
export function drawPlots(place, metrics, signal) {
  if (!place) return;
  const times = metrics.series.accepted.map((_, i) => Date.parse(metrics.from) / 1000 + i * metrics.step_seconds);
  const kept = drawn.length && place.contains(drawn[0].figure);
  if (!kept) {
    drawn.forEach(({ chart }) => chart.destroy());
    drawn = PLOTS.map((plot) => make(place, plot));
    watch(place, signal);
  }
  drawn.forEach((one) => renew(one, times, metrics));
}

/** Resolves the theme's CSS variables, which a canvas cannot use. */
function colours(place) {
  const probe = h("span");
  place.append(probe);
  const found = {};
  for (const name of ["soft", "line", "plot-one", "plot-two", "plot-three", "plot-warn", "plot-bad"]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return (name) => found[name];
}

function make(place, plot) {
  const canvas = h("div", { class: "plot" });
  const caption = h("p", { class: "about" });
  const numbers = h("div", { class: "numbers" });
  const figure = h("figure", null,
    h("figcaption", null, h("h3", null, plot.name, plot.unit && ` (${plot.unit})`), caption),
    canvas,
    h("details", null, h("summary", null, `${plot.name} as a table`), numbers));
  place.append(figure);
  const one = { plot, figure, canvas, caption, numbers, data: [[]], chart: null };
  one.chart = chart(one);
  return one;
}

function chart({ plot, canvas, data }) {
  const colour = colours(canvas);
  const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const hours = (_, times) => times.map((time) => clock.format(time * 1000));
  return new uPlot({
    width: canvas.clientWidth || 300,
    height: HEIGHT,
    legend: { live: true },
    cursor: { drag: { setScale: false }, sync: { key: "plots" } },
    scales: { y: { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.1] } },
    axes: [{ ...axis, values: hours, size: 34 }, { ...axis, size: 52, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000] }],
    series: [
      { label: "Time", value: (_, time) => (time ? clock.format(time * 1000) : "–") },
      ...plot.lines.map(([, label, hue], i) => ({
        label, stroke: colour(`plot-${hue}`), width: 2, points: { show: false },
        // Lines must differ by more than colour.
        dash: [[], [6, 4], [2, 3]][i],
        value: (_, value) => (value === null || value === undefined ? "–" : `${Math.round(value)}${plot.unit && ` ${plot.unit}`}`),
      })),
    ],
  }, data, canvas);
}

function renew(one, times, metrics) {
  const { series } = metrics;
  one.data = [times, ...one.plot.lines.map(([name]) => series[name])];
  one.chart.setData(one.data);
  const words = inWords(one.plot, series);
  one.caption.textContent = words;
  one.canvas.querySelector("canvas").setAttribute("aria-label", `${one.plot.name}: ${words}`);
  one.canvas.querySelector("canvas").setAttribute("role", "img");
  figuresTable(one.numbers, one.plot, times, series, metrics.step_seconds);
}

function inWords({ lines, unit }, series) {
  return lines.map(([name, label]) => {
    const known = series[name].filter((value) => value !== null);
    if (unit) return `${label} ${known.length ? `${Math.round(known.at(-1))} ${unit}` : "not known"}`;
    return `${label} ${known.reduce((sum, value) => sum + value, 0).toLocaleString("en")}`;
  }).join(", ");
}

/** Redraws the plots when the width or the theme changes. */
function watch(place, signal) {
  const redraw = () => drawn.forEach((one) => {
    one.chart.destroy();
    one.chart = chart(one);
    one.canvas.querySelector("canvas").setAttribute("role", "img");
    one.canvas.querySelector("canvas").setAttribute("aria-label", `${one.plot.name}: ${one.caption.textContent}`);
  });
  const wide = new ResizeObserver(() => drawn.forEach(({ chart: it, canvas }) => {
    if (canvas.clientWidth && canvas.clientWidth !== it.width) it.setSize({ width: canvas.clientWidth, height: HEIGHT });
  }));
  wide.observe(place);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw, { signal });
  window.addEventListener("theme", redraw, { signal });
  signal.addEventListener("abort", () => {
    wide.disconnect();
    drawn.forEach(({ chart: it }) => it.destroy());
    drawn = [];
  });
}
