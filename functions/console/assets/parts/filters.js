// Filters above a list. Their values are stored in the URL, so that a view can be linked to.
import { h } from "../dom.js";
import { fromField, toField } from "../time.js";

const DEBOUNCE = 300;

// Changes that are not in the URL yet: text fields update it after a delay.
let pendingValues = {};
let timer = null;
const currentPage = () => location.hash.split("?")[0];

window.addEventListener("hashchange", () => { pendingValues = {}; });

/** `fields` are {name, label, options?, kind?, search?}. `changed` receives all values by name. */
export function filters({ name, fields, values, changed }) {
  const set = (field, value) => {
    clearTimeout(timer);
    pendingValues[field] = value;
    changed({ ...values(), ...pendingValues });
  };
  const setLater = (field, value) => {
    pendingValues[field] = value;
    clearTimeout(timer);
    const typedOn = currentPage();
    // Ignored if the user has left the page in the meantime.
    timer = setTimeout(() => currentPage() === typedOn && set(field, value), DEBOUNCE);
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
      oninput: (event) => setLater(field, event.target.value.trim()),
    });
  };
  const clear = (event) => {
    clearTimeout(timer);
    pendingValues = {};
    for (const one of event.currentTarget.closest("form").querySelectorAll("input, select")) one.value = "";
    changed({});
  };
  return h("form", { key: "filters", class: "filters", role: "search", "aria-label": name, onsubmit: (event) => event.preventDefault() },
    fields.map((field) => h("div", { key: field.name }, h("label", { for: `filter-${field.name}` }, field.label), control(field))),
    h("button", { type: "button", class: "quiet", onclick: clear }, "Clear filters"));
}

/** Reads the filters' values from the URL. */
export const valuesOf = (query, names) => Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""]));
