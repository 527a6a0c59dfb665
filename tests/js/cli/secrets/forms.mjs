// The forms in which a program may repeat a credential.
import assert from "node:assert/strict";

/**
 * Each credential with the forms in which a program may repeat it. Also parts of the forms that HTTP sends, because a cut
 * text may contain only a part.
 *
 * @param {Record<string, string>} planted
 * @returns {[name: string, form: string][]}
 */
function forms(planted) {
  return Object.entries(planted).flatMap(([name, value]) => {
    const basic = ["git", "joe", "x"].map((user) => Buffer.from(`${user}:${value}`).toString("base64"));
    const parts = basic.flatMap((form) => form.match(/.{24}/g) ?? []);
    const all = [value, ...spellings(value), Buffer.from(value).toString("hex"), ...basic, ...parts];
    return all.map((form) => /** @type {[string, string]} */ ([name, form]));
  });
}

/**
 * The ways in which programs embed a text in another one.
 *
 * @param {string} text
 */
export function spellings(text) {
  /** @type {Record<string, string>} */
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const percent = encodeURIComponent(text);
  const json = JSON.stringify(text).slice(1, -1);
  let mixed = 0;
  return [
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    percent.replace(/%[0-9A-F]{2}/g, (byte) => (mixed++ % 2 ? byte : byte.toLowerCase())),
    percent.replaceAll("%20", "+"),
    json,
    json.replaceAll("/", "\\/"),
    JSON.stringify(json).slice(1, -1),
    text.replace(/[&<>"']/g, (character) => entities[character] ?? character),
  ];
}

/**
 * Fails if one of them is in one of these places, and names both.
 *
 * @param {Record<string, string>} planted
 * @param {Record<string, string>} places
 */
export function assertNowhere(planted, places) {
  const searched = forms(planted);
  for (const [place, content] of Object.entries(places)) {
    for (const [name, form] of searched) assert.ok(!content.includes(form), `${place} has the ${name}: ${form}`);
  }
}
