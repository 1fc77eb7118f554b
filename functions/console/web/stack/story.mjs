// Simulates a morning at a shop on a stack, for the screenshots.
import { call } from "./http.mjs";
import { api, makeWorld } from "./world.mjs";

const NAMES = { channel: "shop-whatsapp", bot: "shop-bot", desk: "care", archive: "archive", route: "shop" };
const NOOR = "31612345678";
const ORDERS = [{ id: "TRACK_48121", title: "Order 48121, shoes" }, { id: "TRACK_48077", title: "Order 48077, a lamp" }];
const ANSWERED = ["31620011223", "31687654321", "4915123456789", "447700900123", "31655512345"];
const WAITING = ["31633344455", "32470123456", "31644556677", "31698765432", "31611122233"];
const QUESTIONS = ["Are you open on Sunday?", "Can I change my address?", "Do you have it in blue?", "My code does not work.", "When do you deliver?"];
const TIMEOUT = 60_000;

export async function play() {
  const world = await makeWorld(NAMES, {
    more: { bot: { members: { delivery: { retry: [2, 30, 600, 2700], breaker_after: 5 } } } },
    handoverPolicy: {
      accept_within: 180, language: "en", keywords: { en: { handover: ["agent", "a person"], handback: ["robot"] } },
      texts: { en: { waiting: "We are looking for an agent.", joined: "{agent} is here for you now.", agent: "A colleague" } },
    },
  });
  const { platforms } = world;
  const people = await team();
  // First, conversations without problems.
  platforms.handlers.bot = (event) => event.type === "message" && !event.copy && event.conversation !== NOOR
    ? void platforms.sends("bot", { conversation: event.conversation, data: { text: "I will look that up for you." } }) : undefined;
  for (const [i, customer] of ANSWERED.entries()) await platforms.writes(customer, QUESTIONS[i]);
  await until(() => ANSWERED.every((customer) => platforms.texts("channel", customer).length), "the bot's answers");
  platforms.handlers.bot = undefined;
  await withNoor(platforms, people.kim);
  await failing(platforms);
  await outage(platforms);
  const strange = "{\"type\":\"message\",\"data\":{\"text\":42}}";
  await call("POST", platforms.inbound.channel, { headers: { authorization: "Bearer a-token-of-the-platform" }, body: JSON.parse(strange) });
  await api("POST", `connections/${NAMES.desk}/verify`);
  await counted(platforms);
  return { world, token: people.kim, pages: PAGES };
}

/** The page and heading of each screenshot. */
const PAGES = {
  overview: ["", "Overview"],
  conversations: ["conversations", "Conversations"],
  conversation: [`conversations/${NAMES.channel}/${NOOR}`, `${NOOR} on ${NAMES.channel}`],
  deliveries: ["deliveries", "Deliveries"],
  "dead-letters": ["dead-letters", "Dead letters"],
  connections: ["connections", "Connections"],
  connection: [`connections/${NAMES.bot}`, NAMES.bot],
  "new-connection": ["connections/new", "New connection"],
  routes: ["routes", "Routes"],
  route: [`routes/${NAMES.route}`, NAMES.route],
  tokens: ["tokens", "Tokens"],
  audit: ["audit", "Audit"],
};

/** Creates the tokens of the team, replacing those of earlier runs. */
async function team() {
  const wanted = { kim: ["Kim", "admin"], tess: ["Tess", "operator"], wallboard: ["wallboard", "viewer"] };
  const { items } = await api("GET", "tokens?limit=100");
  const old = items.filter(({ name }) => Object.values(wanted).some(([one]) => one === name));
  for (const { id } of old) await api("DELETE", `tokens/${id}`);
  const made = {};
  for (const [key, [name, role]] of Object.entries(wanted)) made[key] = (await api("POST", "tokens", { body: { name, role, days: 90 } })).token;
  return made;
}

/** A conversation with everything that a transcript can show. */
async function withNoor(platforms, token) {
  const bot = (event) => platforms.sends("bot", { conversation: thread("bot"), ...event });
  const thread = (side) => platforms.received[side].findLast((one) => one.channel.connection === NAMES.channel && one.data?.text === "Where is my parcel?")?.conversation;
  const count = (side) => platforms.received[side]?.length ?? 0;
  await platforms.sends("channel", { conversation: NOOR, author: { role: "customer", name: "Noor" }, language: "en", data: { text: "Where is my parcel?" } });
  await until(() => count("bot") && thread("bot"), "the first question");
  const asked = await bot({ data: { text: "Which parcel do you mean?", choices: ORDERS } });
  await until(() => platforms.texts("channel", NOOR).includes("Which parcel do you mean?"), "the choices");
  await platforms.sends("channel", { conversation: NOOR, type: "receipt", data: { message: received(platforms, "Which parcel do you mean?"), status: "read" } });
  await platforms.sends("channel", { conversation: NOOR, type: "choice", data: { id: ORDERS[0].id, title: ORDERS[0].title } });
  await until(() => platforms.received.bot.some((one) => one.type === "choice" && one.timestamp > asked.timestamp), "the choice");
  await bot({ data: { text: "It will arrive tomorrow between 9:00 and 12:00." } });
  await platforms.sends("channel", { conversation: NOOR, data: { text: "You said so on Monday. Can I talk to a person?" } });
  await until(() => platforms.texts("bot", thread("bot")).includes("You said so on Monday. Can I talk to a person?"), "the complaint");
  await bot({ type: "handover", data: { reason: "the customer asked", context: { intent: "complaint", order: "48121" } } });
  await until(() => platforms.received.desk?.some((one) => one.type === "handover"), "the handover");
  const desk = platforms.received.desk.findLast((one) => one.type === "handover").conversation;
  const anna = { role: "agent", name: "Anna" };
  await platforms.sends("desk", { conversation: desk, author: anna, type: "accept" });
  await platforms.sends("desk", { conversation: desk, author: anna, data: { text: "Hello Noor, Anna here. I have asked the depot: it leaves today.", media: [{ url: "https://files.shop.example/slip-48121.pdf", mime_type: "application/pdf", name: "slip-48121.pdf" }] } });
  await until(() => platforms.texts("channel", NOOR).some((text) => text?.startsWith("Hello Noor")), "the agent's message");
  await platforms.sends("channel", { conversation: NOOR, data: { text: "Great, tomorrow is fine. Thank you!" } });
  await until(() => platforms.texts("desk", desk).includes("Great, tomorrow is fine. Thank you!"), "the thanks");
  await api("POST", `conversations/${NAMES.channel}/${NOOR}/messages`, { token, body: { text: "As an apology the delivery is on us." } });
  await until(() => platforms.texts("channel", NOOR).includes("As an apology the delivery is on us."), "the operator's message");
}

const received = (platforms, text) => platforms.received.channel.findLast(({ data }) => data?.text === text).id;

/** The desk rejects a message permanently. */
async function failing(platforms) {
  const customer = ANSWERED[0];
  await api("POST", `conversations/${NAMES.channel}/${customer}/handover`, { body: { reason: "wants to speak to the manager" } });
  await until(() => platforms.received.desk.some((one) => one.data?.reason === "wants to speak to the manager"), "the second handover");
  platforms.handlers.desk = () => 422;
  await platforms.writes(customer, "Here is a photo of my receipt.");
  await until(async () => (await api("GET", `deliveries?state=failed&connection=${NAMES.desk}`)).items.length, "the failed delivery");
  platforms.handlers.desk = undefined;
}

async function outage(platforms) {
  platforms.handlers.bot = () => 503;
  for (const [i, customer] of WAITING.entries()) await platforms.writes(customer, QUESTIONS[i]);
  await until(async () => {
    const { connections } = await api("GET", "overview");
    return connections.some(({ id, breaker, parked }) => id === NAMES.bot && breaker.state !== "closed" && parked >= WAITING.length);
  }, "the breaker");
}

/** Waits for the counts: a function stores them on a call at least ten seconds later. */
async function counted(platforms) {
  await until(async () => {
    for (const side of ["channel", "bot", "desk"]) {
      await platforms.sends(side, { type: "verification", conversation: "none", data: { challenge: "are you there?" } });
    }
    const { connections } = await api("GET", "overview");
    return connections.every(({ role, last_hour: { accepted, delivered } }) => delivered && (accepted || role === "observer"));
  }, "the counts");
}

async function until(holds, what) {
  const end = Date.now() + TIMEOUT;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
