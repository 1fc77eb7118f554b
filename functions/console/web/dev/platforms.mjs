// Two platforms' forms, enough to draw every kind of field.
export const platforms = [
  {
    platform: "cm", name: "CM.com TwoWay", roles: ["channel", "bot", "desk"], docs: "docs/platforms/cm.md",
    settings: [
      { name: "send_url", kind: "url", required: true, about: "the adapter's Outbound URL" },
      { name: "answer_status", kind: "word", words: ["200", "201", "202", "204"], required: false, about: "the status of our answers; 201 if not set" },
      { name: "secret_header", kind: "text", required: false, about: "the header of shared_secret; X-Trunkline-Secret if not set" },
      { name: "send_message_id", kind: "truth", required: false, about: "our messages carry an id, the same for every attempt" },
    ],
    secrets: [
      { name: "product_token", required: true, about: "sent as X-CM-PRODUCTTOKEN" },
      { name: "shared_secret", required: false, about: "what the adapter sends along; at least 16 characters" },
    ],
    form: [
      { field: "Message Endpoint: Url", value: "{url}" },
      { field: "Message Endpoint: Method", value: "POST" },
      { field: "Hand Over Endpoint: Url", value: "{url}/handover" },
      { field: "Event Endpoint: Url", value: "{url}/event" },
    ],
  },
  {
    platform: "webhook", name: "Signed webhooks", roles: ["channel", "bot", "desk", "observer"], docs: "docs/webhook.md",
    settings: [
      { name: "message_url", kind: "url", required: true, about: "where messages go, and all that has no address of its own" },
      { name: "auth", kind: "word", words: ["signature", "bearer", "api_key"], required: false, about: "how each side proves itself; signature if not set" },
      { name: "operations", kind: "truth", required: false, about: "an observer is told of breakers, and of deliveries that are parked or fail" },
    ],
    secrets: [{ name: "signing", required: true, about: "whsec_…, made by trunkline secret" }],
    form: [{ field: "Where your program sends its events", value: "{url}" }],
  },
  {
    platform: "webex", name: "Webex Connect, generic bot", roles: ["channel"], docs: "docs/webex.md",
    settings: [{ name: "answer", kind: "word", words: ["json", "text"], required: false, about: "the form of our answers; try text if Verify fails" }],
    secrets: [
      { name: "verification_token", required: true, about: "the form's Verification Token" },
      { name: "send_url", required: true, about: "the URL that Webex Connect generated" },
    ],
    form: [{ field: "Request URL", value: "{url}" }],
  },
];
