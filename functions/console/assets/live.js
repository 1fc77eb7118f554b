// Polling: refreshes a view while it is visible, with backoff while the server is unreachable.
import { Unreachable } from "./api.js";
import { h, patch } from "./dom.js";

const MAX_INTERVAL = 30_000;
const failing = new Map();

/**
 * Calls `load` every `every` milliseconds while the page is visible, until `signal` is aborted. With `every` null it
 * stops after the first answer. A problem that a retry does not solve goes to `onProblem` and stops the polling.
 * Returns a function that polls immediately.
 */
export function poll(load, every, signal, onProblem) {
  const poller = { due: false, resume: null, wake: () => ((poller.due = true), poller.resume?.()) };
  signal.addEventListener("abort", () => {
    markOk(poller);
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
        markOk(poller);
        if (every === null) return;
      } catch (error) {
        if (signal.aborted) return;
        const isTemporary = error instanceof Unreachable || error.status === 429 || error.status >= 500;
        if (!isTemporary) {
          markOk(poller);
          if (error.status !== 401) onProblem(error);
          return;
        }
        failures += 1;
        markFailing(poller, error.status ? error.message : "The data shown may be out of date.");
      }
      await pause(Math.min((every ?? 1000) * 2 ** failures, Math.max(every, MAX_INTERVAL)));
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
      poller.resume = done;
      document.addEventListener("visibilitychange", shown);
      window.addEventListener("online", done);
      function done() {
        clearTimeout(timer);
        poller.resume = null;
        document.removeEventListener("visibilitychange", shown);
        window.removeEventListener("online", done);
        resolve();
      }
    });
  }
}

function markFailing(poller, reason) {
  failing.set(poller, reason);
  bar();
}

function markOk(poller) {
  if (failing.delete(poller)) bar();
}

function bar() {
  const again = () => failing.forEach((_, poller) => poller.wake());
  const inside = failing.size
    ? [
        h("p", null, h("strong", null, "Connection lost. Retrying …"), ` ${[...failing.values()][0]}`),
        h("button", { type: "button", onclick: again }, "Retry now"),
      ]
    : [];
  patch(document.getElementById("bar"), inside);
}
