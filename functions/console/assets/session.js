// The signed-in user and the role's permissions.
import { get, post, remove } from "./api.js";

const RANK = { viewer: 1, operator: 2, admin: 3 };
let user = null;
let pending = null;

export const currentUser = () => user;

/** Loads the signed-in user. Concurrent calls share one request. */
export function loadUser() {
  pending ??= get("me").then((answer) => (user = answer)).finally(() => (pending = null));
  return pending;
}

export async function signIn(token) {
  await post("session", { token });
  return loadUser();
}

export async function signOut() {
  try {
    await remove("session");
  } finally {
    user = null;
  }
}

export const clearUser = () => (user = null);
export const hasRole = (role) => Boolean(user) && (RANK[user.role] ?? 0) >= RANK[role];

/** Returns why a control that requires the role is disabled; null if the user has the role. */
export function missingRole(role) {
  if (hasRole(role)) return null;
  return `This requires the role ${role}. Your role is ${user?.role ?? "unknown"}.`;
}
