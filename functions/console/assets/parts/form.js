// Forms: fields with a label, a description and a problem.
import { h, patch } from "../dom.js";

const idOf = (name) => `field-${name.replace(/[^a-z0-9]+/gi, "-")}`;

/** A field. `control` receives the attributes that connect it to its label and description. */
export function field({ name, label, about, required, control }) {
  const id = idOf(name);
  return h("div", { class: "field", "data-field": name },
    h("label", { for: id }, label, required && h("span", { class: "required" }, " (required)")),
    control({ id, name, "aria-describedby": `${id}-about ${id}-problem`, "aria-required": required ? "true" : null }),
    h("p", { id: `${id}-about`, class: "about" }, about),
    h("p", { id: `${id}-problem`, class: "problem" }));
}

export const input = (more) => (shared) => h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...shared, ...more });
export const area = (value, rows = 3) => (shared) => h("textarea", { ...shared, rows, spellcheck: "false" }, value ?? "");
export const choose = (options, value) => (shared) =>
  h("select", { ...shared, value: value ?? options[0][0] }, options.map(([code, words]) => h("option", { value: code }, words ?? code)));

export const tick = (name, label, checked, about) =>
  h("div", { class: "field", "data-field": name },
    h("label", { class: "tick" }, h("input", { type: "checkbox", id: idOf(name), name, checked: Boolean(checked), "aria-describedby": `${idOf(name)}-about ${idOf(name)}-problem` }), " ", label),
    h("p", { id: `${idOf(name)}-about`, class: "about" }, about),
    h("p", { id: `${idOf(name)}-problem`, class: "problem" }));

export const group = (name, ...children) => h("fieldset", null, h("legend", null, name), children);

/** What is set, as a number, a list of numbers, or a list of words; null or empty if it is not. */
export const number = (text) => (text.trim() === "" ? null : Number(text));
export const words = (text) => text.split(/[,\n]/).map((word) => word.trim()).filter(Boolean);
export const numbers = (text) => words(text).map(Number);

/** The place for problems that belong to no field, at the top of a form. */
export const summary = () => h("div", { class: "summary" });

/** Shows the problems at their fields, and the others at the top. */
export function showProblems(form, error) {
  for (const old of form.querySelectorAll("[data-field]")) {
    old.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
    old.querySelector(".problem").textContent = "";
  }
  const place = form.querySelector(".summary");
  if (!error) return patch(place);
  const placed = [];
  const others = [];
  for (const { field: name, detail } of error.errors ?? []) {
    const node = find(form, name);
    if (!node) {
      others.push(name ? `${name}: ${detail}` : detail);
      continue;
    }
    node.querySelector(".problem").textContent = detail;
    const control = node.querySelector("input, select, textarea");
    control.setAttribute("aria-invalid", "true");
    control.closest("details")?.setAttribute("open", "");
    placed.push(h("a", { href: location.hash, onclick: (event) => (event.preventDefault(), control.focus()) },
      `${node.querySelector("label, .label").firstChild.textContent}: ${detail}`));
  }
  const items = [...placed, ...others];
  // The message of a validation error repeats the details of its fields.
  const title = items.length && error.errors.every(({ detail }) => error.message.includes(detail)) ? "Correct the following fields:" : error.message;
  patch(place, h("div", { class: "error-box", role: "alert", tabindex: "-1" }, h("p", null, h("strong", null, title)),
    items.length ? h("ul", null, items.map((item) => h("li", null, item))) : null));
  place.firstChild.focus();
}

/** Finds a field by its name or by a prefix: the field of "delivery.retry.0" is "delivery.retry". */
function find(form, name) {
  for (let path = name; path; path = path.slice(0, Math.max(0, path.lastIndexOf(".")))) {
    const node = form.querySelector(`[data-field="${CSS.escape(path)}"]`);
    if (node) return node;
  }
  return null;
}

/** Checks an id before the form is sent. */
export function checkedId(id, what) {
  const detail = !id ? "is required" : /^[a-z0-9][a-z0-9-]{0,62}$/.test(id) ? null
    : "use 1 to 63 lower-case letters, digits and hyphens; start with a letter or digit";
  if (detail) throw Object.assign(new Error(`The ${what} needs a valid id.`), { errors: [{ field: "id", detail }] });
  return id;
}

/** A form that shows problems and cannot be sent twice. */
export function saving(content, { action, off, save }) {
  const submit = async (event) => {
    event.preventDefault();
    const form = event.target;
    const node = form.querySelector("button[type=submit]");
    if (off || node.getAttribute("aria-busy") === "true") return;
    node.setAttribute("aria-busy", "true");
    try {
      await save(form);
      if (form.isConnected) showProblems(form, null);
    } catch (error) {
      if (error.status !== 401) showProblems(form, error);
    } finally {
      node.removeAttribute("aria-busy");
    }
  };
  return h("form", { class: "form", novalidate: true, onsubmit: submit },
    summary(),
    off && h("p", { class: "about" }, off),
    h("fieldset", { class: "bare", disabled: Boolean(off) }, content),
    h("p", { class: "row" }, h("button", { type: "submit", class: "main", "aria-disabled": off ? "true" : null, title: off }, action)));
}
