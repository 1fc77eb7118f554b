// What a customer could write to harm whoever reads it.
import { text } from "./talk.mjs";

const CUSTOMER = { role: "customer", name: "<script>window.harmed = 1</script>\u202Eevil" };

export function hostile(it) {
  const at = new Date(Date.now() - 900e3).toISOString();
  const say = (body) => it.add(it.channel, CUSTOMER, body, { at });
  say(text("<img src=x onerror='window.harmed = 1'><script>window.harmed = 1</script>", { format: "html" }));
  say(text("\u202Egnp.exe\u202C and \u2066isolated\u2069 and \u0627\u0644\u0633\u0644\u0627\u0645"));
  say(text("W".repeat(600)));
  say(text("Files", { media: [
    { url: "javascript:window.harmed=1", mime_type: "text/html", name: "click me" },
    { url: "data:text/html,<script>window.harmed=1</script>", mime_type: "text/html", name: "data" },
    { url: "https://elsewhere.example.com/track.png", mime_type: "image/png", name: "\u202Egpj.exe" },
  ] }));
  say({ type: "choice", id: "<b>x</b>", title: "<b>bold</b>", typed: "<i>typed</i>" });
  say({ type: "opaque", name: "<u>sticker</u>", said: true, raw: { html: "<img src=x onerror=alert(1)>" } });
  say({ type: "receipt", message: "<b>", about: null, status: { other: "<b>odd</b>" }, reason: "<img src=x>" });
  return it;
}
