// Calls of a hook as the hosts of Git repositories send them: their headers, their signatures, and the parts of their payloads
// that matter. The forms are those of the hosts' own documentation.
import { createHmac } from "node:crypto";

/** @typedef {{ headers: Record<string, string>, body: string }} HookCall */

/**
 * @param {string} secret
 * @param {string} body
 */
const mac = (secret, body) => createHmac("sha256", secret).update(body).digest("hex");

const json = { "content-type": "application/json" };
const before = "1".repeat(40);
const after = "2".repeat(40);

/** @param {string} ref */
const oneRef = (ref) => JSON.stringify({ ref, before, after, commits: [{ id: after, message: "a \u00e9 \0" }] });

/** @param {string} ref */
const short = (ref) => ref.replace(/^refs\/(heads|tags)\//, "");

/** @param {string} ref */
const isTag = (ref) => ref.startsWith("refs/tags/");

/**
 * A signed call after a push of `ref`, for each host.
 *
 * @type {Record<string, (secret: string, ref: string) => HookCall>}
 */
export const hosts = {
  GitHub(secret, ref) {
    const body = oneRef(ref);
    return {
      body,
      headers: { ...json, "x-github-event": "push", "x-hub-signature-256": `sha256=${mac(secret, body)}` },
    };
  },
  "GitHub as a form"(secret, ref) {
    const body = new URLSearchParams({ payload: oneRef(ref) }).toString();
    const type = "application/x-www-form-urlencoded";
    const headers = { "content-type": type, "x-github-event": "push" };
    return { body, headers: { ...headers, "x-hub-signature-256": `sha256=${mac(secret, body)}` } };
  },
  GitLab(secret, ref) {
    const event = isTag(ref) ? "Tag Push Hook" : "Push Hook";
    return { body: oneRef(ref), headers: { ...json, "x-gitlab-event": event, "x-gitlab-token": secret } };
  },
  Gitea(secret, ref) {
    const body = oneRef(ref);
    return { body, headers: { ...json, "x-gitea-event": "push", "x-gitea-signature": mac(secret, body) } };
  },
  Forgejo(secret, ref) {
    const body = oneRef(ref);
    const events = { "x-github-event": "push", "x-gitea-event": "push", "x-forgejo-event": "push" };
    const signatures = {
      "x-forgejo-signature": mac(secret, body),
      "x-hub-signature-256": `sha256=${mac(secret, body)}`,
    };
    return { body, headers: { ...json, ...events, ...signatures } };
  },
  "Bitbucket Cloud"(secret, ref) {
    const side = { type: isTag(ref) ? "tag" : "branch", name: short(ref), target: { hash: after } };
    const body = JSON.stringify({ push: { changes: [{ old: null, new: side, created: true }] } });
    return { body, headers: { ...json, "x-event-key": "repo:push", "x-hub-signature": `sha256=${mac(secret, body)}` } };
  },
  "Bitbucket Server"(secret, ref) {
    const change = {
      ref: { id: ref, displayId: short(ref) },
      refId: ref,
      fromHash: before,
      toHash: after,
      type: "UPDATE",
    };
    const body = JSON.stringify({ eventKey: "repo:refs_changed", changes: [change] });
    const headers = { ...json, "x-event-key": "repo:refs_changed" };
    return { body, headers: { ...headers, "x-hub-signature": `sha256=${mac(secret, body)}` } };
  },
};

/**
 * A call that GitHub signs.
 *
 * @param {string} secret
 * @param {string} event
 * @param {string} body
 * @returns {HookCall}
 */
export function signed(secret, event, body) {
  return { body, headers: { ...json, "x-github-event": event, "x-hub-signature-256": `sha256=${mac(secret, body)}` } };
}
