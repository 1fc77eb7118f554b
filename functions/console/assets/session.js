// Who is signed in, and what that allows.
import { get, post, remove } from "./api.js";

const RANK = { viewer: 1, operator: 2, admin: 3 };
let me = null;
let asked = null;

export const whoami = () => me;

/** Learns who is signed in; asks once if several want to know. */
export function learn() {
  asked ??= get("me").then((said) => (me = said)).finally(() => (asked = null));
  return asked;
}

export async function signIn(token) {
  await post("session", { token });
  return learn();
}

export async function signOut() {
  try {
    await remove("session");
  } finally {
    me = null;
  }
}

export const forget = () => (me = null);
export const may = (role) => Boolean(me) && (RANK[me.role] ?? 0) >= RANK[role];

/** Why a control that needs this role is switched off; null if it is not. */
export function barred(role) {
  if (may(role)) return null;
  return `This needs the role ${role}; you have the role ${me?.role ?? "unknown"}.`;
}
