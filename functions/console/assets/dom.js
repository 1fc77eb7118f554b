// Builds and updates the page. Data becomes text or attributes, never markup.

const LISTENERS = Symbol("listeners");
const KEY = Symbol("key");
const VALUE = Symbol("value");

/** Creates an element. `on…` functions are listeners, `key` identifies it among its siblings, null and false are omitted. */
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  append(node, children);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "key") node[KEY] = String(value);
    else if (name === "value" || name === "checked") {
      node[VALUE] = value;
      node[name] = value;
    } else if (typeof value === "function") listen(node, name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
}

// Listeners are looked up when the event occurs, so that a node that stays can get new ones.
function listen(node, type, listener) {
  node[LISTENERS] ??= {};
  if (!(type in node[LISTENERS])) {
    node.addEventListener(type, (event) => node[LISTENERS][type]?.call(node, event));
  }
  node[LISTENERS][type] = listener;
}

/** Updates the children of `parent`. Matching nodes stay, with their focus, scroll position and selection. */
export function patch(parent, ...children) {
  const fragment = document.createDocumentFragment();
  append(fragment, children);
  const wanted = [...fragment.childNodes];
  const keys = new Set(wanted.map((node) => node[KEY]).filter((key) => key !== undefined));
  const keyed = new Map();
  for (const node of parent.childNodes) if (node[KEY] !== undefined) keyed.set(node[KEY], node);

  let place = parent.firstChild;
  for (const fresh of wanted) {
    while (place && place[KEY] !== undefined && !keys.has(place[KEY])) place = drop(place);
    const old = fresh[KEY] === undefined ? lookAhead(place, fresh) : keyed.get(fresh[KEY]);
    if (!old || !alike(old, fresh)) {
      parent.insertBefore(fresh, place);
      continue;
    }
    if (fresh[KEY] === undefined) while (place !== old) place = drop(place);
    if (old === place) place = place.nextSibling;
    else parent.insertBefore(old, place);
    renew(old, fresh);
  }
  while (place) place = drop(place);
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && one[KEY] === other[KEY];
}

function lookAhead(place, fresh) {
  let node = place;
  while (node && node[KEY] === undefined && !alike(node, fresh)) node = node.nextSibling;
  return node && node[KEY] === undefined ? node : null;
}

function renew(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // The user opens and closes <details>.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
  }
  old[LISTENERS] &&= {};
  for (const [type, listener] of Object.entries(fresh[LISTENERS] ?? {})) listen(old, type, listener);
  // New options must not change the selection.
  const chosen = old.nodeName === "SELECT" ? old.value : null;
  // Content of an element with data-own is managed elsewhere, by a chart for example.
  if (!fresh.hasAttribute("data-own")) patch(old, ...fresh.childNodes);
  if (chosen !== null) old.value = chosen;
  if (fresh[VALUE] !== undefined && fresh[VALUE] !== old[VALUE]) {
    const name = typeof fresh[VALUE] === "boolean" ? "checked" : "value";
    if (old !== document.activeElement || name === "checked") old[name] = fresh[VALUE];
    old[VALUE] = fresh[VALUE];
  }
}
