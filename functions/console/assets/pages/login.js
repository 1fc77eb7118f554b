// The sign-in page.
import { h } from "../dom.js";
import { heading, errorBox } from "../parts/common.js";
import { signIn } from "../session.js";

export function open(view) {
  let error = null;

  const submit = async (event) => {
    event.preventDefault();
    const field = event.target.elements.token;
    try {
      await signIn(field.value.trim());
    } catch (problem) {
      error = problem.status === 401 ? new Error("This token is invalid or has expired.") : problem;
      field.value = "";
      draw();
      field.focus();
      return;
    }
    window.dispatchEvent(new CustomEvent("signed-in"));
    const from = view.query.get("from") ?? "";
    location.hash = from.startsWith("#/") ? from : "#/";
  };

  const draw = () => view.draw("Sign in",
    h("div", { class: "login" },
      heading("Sign in to Trunkline"),
      error && errorBox(error),
      h("form", { onsubmit: submit },
        h("div", { class: "field" },
          h("label", { for: "token" }, "Token"),
          h("input", {
            id: "token", name: "token", type: "password", required: true, autofocus: true, autocomplete: "current-password",
            "aria-describedby": "token-about", "aria-invalid": error ? "true" : null,
          }),
          h("p", { id: "token-about", class: "about" },
            "Tokens start with ", h("code", null, "trk_"), ". An admin can create one on the page Tokens, or send you a sign-in link.")),
        h("p", null, h("button", { type: "submit", class: "main" }, "Sign in")))));

  draw();
  document.getElementById("token").focus();
}
