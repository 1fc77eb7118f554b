// Filters above a list. What they say stands in the address, so that a view can be linked to.
import { h } from "../dom.js";
import { fromField, toField } from "../time.js";

const CALM = 300;

// What is asked for and does not stand in the address yet: that is told of a change a moment later only.
let asked = {};
let waiting = null;
const place = () => location.hash.split("?")[0];

window.addEventListener("hashchange", () => { asked = {}; });

/** `fields` are {name, label, options?, kind?, search?}; `changed` is given all values by name. */
export function filters({ name, fields, values, changed }) {
  const set = (field, value) => {
    clearTimeout(waiting);
    asked[field] = value;
    changed({ ...values(), ...asked });
  };
  const soon = (field, value) => {
    asked[field] = value;
    clearTimeout(waiting);
    const typedAt = place();
    // Who has gone elsewhere meanwhile stays there.
    waiting = setTimeout(() => place() === typedAt && set(field, value), CALM);
  };
  const control = ({ name: field, options, kind, search, hint }) => {
    const id = `filter-${field}`;
    const value = values()[field] ?? "";
    if (options) {
      return h("select", { id, value, onchange: (event) => set(field, event.target.value) },
        options.map(([code, words]) => h("option", { key: code, value: code }, words)));
    }
    if (kind === "time") {
      return h("input", { id, type: "datetime-local", value: toField(value), onchange: (event) => set(field, fromField(event.target.value)) });
    }
    return h("input", {
      id, value, type: "search", "data-search": search, placeholder: hint, autocomplete: "off", spellcheck: "false",
      oninput: (event) => soon(field, event.target.value.trim()),
    });
  };
  const clear = (event) => {
    clearTimeout(waiting);
    asked = {};
    for (const one of event.currentTarget.closest("form").querySelectorAll("input, select")) one.value = "";
    changed({});
  };
  return h("form", { key: "filters", class: "filters", role: "search", "aria-label": name, onsubmit: (event) => event.preventDefault() },
    fields.map((field) => h("div", { key: field.name }, h("label", { for: `filter-${field.name}` }, field.label), control(field))),
    h("button", { type: "button", class: "quiet", onclick: clear }, "Clear"));
}

/** The filters' values in the address. */
export const valuesOf = (query, names) => Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""]));
