// The address of the repository. Its one place is `repository` in pkg/package.json. Everything else that needs it is
// written from there:
//
//   node scripts/release/address.mjs https://github.com/OWNER/NAME   sets it
//   node scripts/release/address.mjs --check                         fails if a file has another one
//   node scripts/release/address.mjs                                 prints it
//
// Until it is set, no file has it, and a release is refused (check.mjs).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isMain, main, root, StepError, say } from "../command.mjs";

/**
 * The address, such as `https://github.com/acme/refsync`; null if it is not set.
 *
 * @returns {string | null}
 */
export function address() {
  const { repository } = JSON.parse(readFileSync(join(root, "pkg/package.json"), "utf8"));
  return repository ? repository.url.replace(/^git\+/, "").replace(/\.git$/, "") : null;
}

/**
 * The files that have the address, and how each is made from its own text and the address. With null it has none.
 *
 * @type {Record<string, (text: string, url: string | null) => string>}
 */
export const places = {
  "pkg/package.json": (text, url) => {
    const { repository, homepage, bugs, ...rest } = JSON.parse(text);
    const fields = url && {
      repository: { type: "git", url: `git+${url}.git`, directory: "pkg" },
      homepage: `${url}#readme`,
      bugs: { url: `${url}/issues` },
    };
    // The fields come after `license`.
    const entries = Object.entries(rest).flatMap(([key, value]) =>
      key === "license" ? [[key, value], ...Object.entries(fields ?? {})] : [[key, value]],
    );
    return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
  },
  "Cargo.toml": (text, url) => {
    const without = text.replace(/^repository = .*\n/m, "");
    return url ? without.replace(/^(license = .*\n)/m, `$1repository = "${url}"\n`) : without;
  },
  "src/service/router/openapi/openapi.json": (text, url) => {
    const document = JSON.parse(text);
    const { url: _, ...contact } = document.info.contact;
    document.info.contact = url ? { ...contact, url: `${url}/issues` } : contact;
    return `${JSON.stringify(document, null, 2)}\n`;
  },
  ".github/ISSUE_TEMPLATE/config.yml": (text, url) => between(text, "#", url && contactLinks(url)),
  "SECURITY.md": (text, url) =>
    between(text, "<!--", url && `[Report a vulnerability privately](${url}/security/advisories/new).`),
  ".github/CODE_OF_CONDUCT.md": (text, url) =>
    between(text, "<!--", url && `[Report it privately](${url}/security/advisories/new).`),
};

/** @param {string} url */
function contactLinks(url) {
  return `contact_links:
  - name: A vulnerability
    url: ${url}/security/advisories/new
    about: Report it privately, not in an issue.
  - name: The documentation
    url: ${url}#readme
    about: Guides, references, and a page with every error code.`;
}

/**
 * The text with something else between its two comments `address` and `/address`.
 *
 * @param {string} text
 * @param {"#" | "<!--"} comment How a comment of this file begins.
 * @param {string | null} middle
 */
function between(text, comment, middle) {
  const end = comment === "#" ? "" : " -->";
  const [first, last] = [`${comment} address${end}\n`, `${comment} /address${end}\n`];
  const [from, to] = [text.indexOf(first), text.indexOf(last)];
  if (from < 0 || to < from) throw new StepError(`the comments ${first.trim()} and ${last.trim()} are missing`);
  return text.slice(0, from + first.length) + (middle ? `${middle}\n` : "") + text.slice(to);
}

/** The files whose address is not the one of pkg/package.json. */
export function outOfDate() {
  const url = address();
  return Object.entries(places).flatMap(([file, made]) => {
    const text = readFileSync(join(root, file), "utf8");
    return made(text, url) === text ? [] : [file];
  });
}

/**
 * The address without what is not a part of it.
 *
 * @param {string} given
 */
export function normal(given) {
  const url = given.replace(/^git\+/, "").replace(/(\.git)?\/*$/, "");
  // Provenance statements and private reports of vulnerabilities are features of this host.
  if (!/^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/.test(url)) {
    throw new StepError(`${given} is not the address of a GitHub repository, such as https://github.com/OWNER/NAME`);
  }
  return url;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const [given] = process.argv.slice(2);
    if (given === "--check") {
      const files = outOfDate();
      if (files.length > 0) {
        throw new StepError(`these files have another address than pkg/package.json: ${files.join(", ")}`);
      }
    } else if (given === undefined) {
      say(`the address is ${address() ?? "not set"}`);
    } else {
      const url = normal(given);
      for (const [file, made] of Object.entries(places)) {
        const path = join(root, file);
        writeFileSync(path, made(readFileSync(path, "utf8"), url));
      }
      say(`the address is now ${url}; look at what changed, and commit it`);
    }
  });
}
