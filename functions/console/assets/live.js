// Keeping a view true: asking again while somebody looks, more slowly while nobody answers.
import { Unreachable } from "./api.js";
import { h, patch } from "./dom.js";

const LONGEST = 30_000;
const lost = new Map();

/**
 * Calls `load` every so many milliseconds while the page is visible, until `signal` is aborted.
 * A problem that the server told of goes to `troubled`, and ends it. Returns what asks at once. With `every` null
 * it ends with the first answer.
 */
export function poll(load, every, signal, troubled) {
  const poller = { due: false, stir: null, wake: () => ((poller.due = true), poller.stir?.()) };
  signal.addEventListener("abort", () => {
    found(poller);
    poller.wake();
  });
  run();
  return () => poller.wake();

  async function run() {
    let failures = 0;
    while (!signal.aborted) {
      poller.due = false;
      try {
        await load(signal);
        failures = 0;
        found(poller);
        if (every === null) return;
      } catch (error) {
        if (signal.aborted) return;
        const busy = error instanceof Unreachable || error.status === 429 || error.status >= 500;
        if (!busy) {
          found(poller);
          if (error.status !== 401) troubled(error);
          return;
        }
        failures += 1;
        missing(poller, error.status ? error.message : "What you see may be out of date.");
      }
      await pause(Math.min((every ?? 1000) * 2 ** failures, Math.max(every, LONGEST)));
    }
  }

  async function pause(time) {
    if (!poller.due) await sleep(time);
    while (document.hidden && !signal.aborted) await sleep(null);
  }

  function sleep(time) {
    return new Promise((resolve) => {
      const timer = time === null ? null : setTimeout(done, time);
      const shown = () => document.hidden || done();
      poller.stir = done;
      document.addEventListener("visibilitychange", shown);
      window.addEventListener("online", done);
      function done() {
        clearTimeout(timer);
        poller.stir = null;
        document.removeEventListener("visibilitychange", shown);
        window.removeEventListener("online", done);
        resolve();
      }
    });
  }
}

function missing(poller, because) {
  lost.set(poller, because);
  bar();
}

function found(poller) {
  if (lost.delete(poller)) bar();
}

function bar() {
  const again = () => lost.forEach((_, poller) => poller.wake());
  const inside = lost.size
    ? [
        h("p", null, h("strong", null, "Not connected, trying again."), ` ${[...lost.values()][0]}`),
        h("button", { type: "button", onclick: again }, "Try now"),
      ]
    : [];
  patch(document.getElementById("bar"), inside);
}
