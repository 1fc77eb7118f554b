// The far sides: a channel, a bot, a desk and an archive that speak the webhook protocol, in one small server.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { call, read } from "./http.mjs";

export const BEARER = "a-token-of-the-far-side";

export class Far {
  /** What came, by the path that it came to. */
  heard = {};
  /** What a side does about an event: may answer with a status. */
  does = {};
  /** Where Trunkline takes what a side says. */
  inbound = {};
  #server = createServer((request, response) => this.#take(request, response));

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

  async #take(request, response) {
    const side = request.url.slice(1);
    const event = await read(request);
    const end = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${BEARER}`) return end(401, {});
    if (event.type === "verification") return end(200, { challenge: event.data.challenge });
    const status = (await this.does[side]?.(event)) ?? 200;
    if (status === 200) (this.heard[side] ??= []).push(event);
    end(status, status === 200 ? {} : { error: "this side is being restarted" });
  }

  /** Says something as a side; `event` names at least the conversation. */
  async says(side, event) {
    const said = { id: randomUUID(), timestamp: new Date().toISOString(), type: "message", ...event };
    const { status, body } = await call("POST", this.inbound[side], { headers: { authorization: `Bearer ${BEARER}` }, body: said });
    if (status !== 200) throw new Error(`what ${side} said was answered with ${status}: ${JSON.stringify(body)}`);
    return said;
  }

  writes(customer, text) {
    return this.says("channel", { conversation: customer, data: { text } });
  }

  /** The texts that came to a side for a conversation. */
  texts(side, conversation) {
    const here = (this.heard[side] ?? []).filter((one) => one.conversation === conversation && one.type === "message");
    return here.map(({ data }) => data.text);
  }
}
