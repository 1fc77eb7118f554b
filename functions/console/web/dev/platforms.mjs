// Three platforms, with every kind of form field.
export const platforms = [
  {
    platform: "cm", name: "CM.com TwoWay", roles: ["channel", "bot", "desk"], docs: "docs/platforms/cm.md",
    settings: [
      { name: "send_url", kind: "url", required: true, description: "the adapter's Outbound URL" },
      { name: "response_status", kind: "enum", options: ["200", "201", "202", "204"], required: false, description: "the status of responses; default 201" },
      { name: "secret_header", kind: "text", required: false, description: "the header of shared_secret; default X-Trunkline-Secret" },
      { name: "send_message_id", kind: "boolean", required: false, description: "send a message id, which is the same for every attempt" },
    ],
    secrets: [
      { name: "product_token", required: true, description: "sent as X-CM-PRODUCTTOKEN" },
      { name: "shared_secret", required: false, description: "the secret that the adapter sends; at least 16 characters" },
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
      { name: "message_url", kind: "url", required: true, description: "the URL for messages and for all events without a URL of their own" },
      { name: "auth", kind: "enum", options: ["signature", "bearer", "api_key"], required: false, description: "the authentication scheme; default signature" },
      { name: "operations", kind: "boolean", required: false, description: "send alerts about breakers and pending deliveries to this observer" },
    ],
    secrets: [{ name: "signing", required: true, description: "whsec_…, created with trunkline secret" }],
    form: [{ field: "Where your program sends its events", value: "{url}" }],
  },
  {
    platform: "webex", name: "Webex Connect, generic bot", roles: ["channel"], docs: "docs/webex.md",
    settings: [{ name: "answer", kind: "enum", options: ["json", "text"], required: false, description: "the format of responses; use text if Verify fails" }],
    secrets: [
      { name: "verification_token", required: true, description: "the form's Verification Token" },
      { name: "send_url", required: true, description: "the URL that Webex Connect generated" },
    ],
    form: [{ field: "Request URL", value: "{url}" }],
  },
];
