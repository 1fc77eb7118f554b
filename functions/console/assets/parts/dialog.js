// Dialogs that confirm an action or show a value once.
import { h } from "../dom.js";

let count = 0;

/** Shows content until the user closes it. */
export function show(title, content) {
  return open(title, (close) => [content, h("div", { class: "row end" },
    h("button", { type: "button", class: "main", autofocus: true, onclick: () => close(null) }, "Close"))]);
}

/**
 * Asks for confirmation. `text` describes the effect. Resolves to the fields' values by name, or to null if the user
 * cancels.
 */
export function ask({ title, text, action, danger = false, fields = [] }) {
  return open(title, (close) => {
    const submit = (event) => {
      event.preventDefault();
      close(Object.fromEntries(new FormData(event.target)));
    };
    return h("form", { onsubmit: submit },
      h("p", null, text),
      fields.map(field),
      h("div", { class: "row end" },
        h("button", { type: "button", autofocus: danger && !fields.length, onclick: () => close(null) }, "Cancel"),
        h("button", { type: "submit", class: danger ? "danger" : "main" }, action),
      ),
    );
  });
}

function field({ name, label, options, about, required, autofocus = true }) {
  const id = `ask-${name}`;
  const shared = { id, name, required, autofocus, "aria-describedby": about ? `${id}-about` : null };
  return h("div", { class: "field" },
    h("label", { for: id }, label),
    options
      ? h("select", shared, options.map(([value, words]) => h("option", { value }, words)))
      : h("input", { ...shared, autocomplete: "off" }),
    about && h("p", { id: `${id}-about`, class: "about" }, about),
  );
}

function open(title, content) {
  return new Promise((resolve) => {
    const id = `dialog-${(count += 1)}`;
    const close = (value) => {
      resolve(value);
      dialog.close();
    };
    const dialog = h("dialog", { "aria-labelledby": id });
    dialog.append(h("h2", { id }, title), ...[content(close)].flat(Infinity));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
