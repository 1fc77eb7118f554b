// The platforms: a channel, a bot, a desk and an archive that use the webhook protocol, in one server.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { call, read } from "./http.mjs";

export const BEARER = "a-token-of-the-platform";

export class Platforms {
  /** The received events by path. */
  received = {};
  /** Handlers by path; a handler may return an HTTP status. */
  handlers = {};
  /** The inbound URLs by side. */
  inbound = {};
  #server = createServer((request, response) => this.#handle(request, response));

  async start(port = 0) {
    await new Promise((resolve, reject) => this.#server.on("error", reject).listen(port, "127.0.0.1", resolve));
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  url(side) {
    return `http://127.0.0.1:${this.#server.address().port}/${side}`;
  }

  async #handle(request, response) {
    const side = request.url.slice(1);
    const event = await read(request);
    const end = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${BEARER}`) return end(401, {});
    if (event.type === "verification") return end(200, { challenge: event.data.challenge });
    const status = (await this.handlers[side]?.(event)) ?? 200;
    if (status === 200) (this.received[side] ??= []).push(event);
    end(status, status === 200 ? {} : { error: "the platform is being restarted" });
  }

  /** Sends an event as a side. `event` names at least the conversation. */
  async sends(side, event) {
    const sent = { id: randomUUID(), timestamp: new Date().toISOString(), type: "message", ...event };
    const { status, body } = await call("POST", this.inbound[side], { headers: { authorization: `Bearer ${BEARER}` }, body: sent });
    if (status !== 200) throw new Error(`the event of ${side} was answered with ${status}: ${JSON.stringify(body)}`);
    return sent;
  }

  writes(customer, text) {
    return this.sends("channel", { conversation: customer, data: { text } });
  }

  /** The texts that a side received for a conversation. */
  texts(side, conversation) {
    const messages = (this.received[side] ?? []).filter((one) => one.conversation === conversation && one.type === "message");
    return messages.map(({ data }) => data.text);
  }
}
