// Messages that try to attack the reader.
import { text } from "./talk.mjs";

const CUSTOMER = { role: "customer", name: "<script>window.harmed = 1</script>\u202Eevil" };

export function hostile(it) {
  const at = new Date(Date.now() - 900e3).toISOString();
  const add = (body) => it.add(it.channel, CUSTOMER, body, { at });
  add(text("<img src=x onerror='window.harmed = 1'><script>window.harmed = 1</script>", { format: "html" }));
  add(text("\u202Egnp.exe\u202C and \u2066isolated\u2069 and \u0627\u0644\u0633\u0644\u0627\u0645"));
  add(text("W".repeat(600)));
  add(text("Files", { media: [
    { url: "javascript:window.harmed=1", mime_type: "text/html", name: "click me" },
    { url: "data:text/html,<script>window.harmed=1</script>", mime_type: "text/html", name: "data" },
    { url: "https://elsewhere.example.com/track.png", mime_type: "image/png", name: "\u202Egpj.exe" },
  ] }));
  const attack = "<img src=x onerror='window.harmed = 1'>";
  add(text(attack, {
    reply_to: { message: attack, excerpt: attack },
    cards: [{ title: attack, text: attack, picture: { url: "javascript:window.harmed=1", name: attack }, actions: [{ type: "link", title: attack, url: "data:text/html,x" }] }],
    location: { latitude: attack, longitude: 4.9, name: attack }, contact: { name: attack, phones: [attack] },
  }));
  add({ type: "reaction", message: attack, emoji: attack });
  add({ type: "choice", id: "<b>x</b>", title: "<b>bold</b>", typed: "<i>typed</i>" });
  add({ type: "opaque", name: "<u>sticker</u>", raw: { html: "<img src=x onerror=alert(1)>" } });
  add({ type: "receipt", message: "<b>", target: null, status: { other: "<b>odd</b>" }, reason: "<img src=x>" });
  return it;
}
