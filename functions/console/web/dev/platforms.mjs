// Three fictional platforms, with every kind of form field.
export const platforms = [
  {
    platform: "fax", name: "Fax exchange", roles: ["channel", "bot", "desk"], docs: "functions/fax/README.md",
    settings: [
      { name: "send_url", kind: "url", required: true, description: "the URL that receives faxes" },
      { name: "response_status", kind: "enum", options: ["200", "201", "202", "204"], required: false, description: "the status of responses (201)" },
      { name: "secret_header", kind: "text", required: false, description: "the header of shared_secret (X-Trunkline-Secret)" },
      { name: "send_message_id", kind: "boolean", required: false, description: "whether each fax has a message id, the same for every attempt (false)" },
      { name: "page_timeout", kind: "number", range: [1, 60], required: false, description: "seconds to wait for a page (30)" },
    ],
    secrets: [
      { name: "line_token", required: true, description: "the token of the line" },
      { name: "shared_secret", required: false, description: "the secret that the exchange sends; at least 16 characters" },
    ],
    form: [
      { field: "Message Endpoint: Url", value: "{url}" },
      { field: "Message Endpoint: Method", value: "POST" },
      { field: "Hand Over Endpoint: Url", value: "{url}/handover" },
      { field: "Event Endpoint: Url", value: "{url}/event" },
    ],
  },
  {
    platform: "pager", name: "Pager network", roles: ["channel", "bot", "desk", "observer"], docs: "functions/pager/README.md",
    settings: [
      { name: "message_url", kind: "url", required: true, description: "the URL for messages and for all events without a URL of their own" },
      { name: "auth", kind: "enum", options: ["signature", "bearer", "api_key"], required: false, description: "the authentication scheme (signature)" },
      { name: "operations", kind: "boolean", required: false, description: "send alerts about breakers and pending deliveries to this observer" },
    ],
    secrets: [{ name: "signing", required: true, description: "whsec_…, created with trunkline secret" }],
    form: [{ field: "Where your program sends its events", value: "{url}" }],
  },
  {
    platform: "telex", name: "Telex office", roles: ["channel"], docs: "functions/telex/README.md",
    settings: [{ name: "answer", kind: "enum", options: ["json", "text"], required: false, description: "the format of responses (json)" }],
    secrets: [
      { name: "verification_token", required: true, description: "the form's Verification Token" },
      { name: "send_url", required: true, description: "the URL that the office generated" },
    ],
    form: [{ field: "Request URL", value: "{url}" }],
  },
];
