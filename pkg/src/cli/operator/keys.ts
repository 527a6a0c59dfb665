/**
 * `refsync keys`, `refsync public-keys` and `refsync orgs`.
 *
 * @module
 */

import { printable } from "../../node/printable.js";
import type { ApiKey, ApiKeySecret, Organization, PublicKey, PublicKeySecret } from "../../wasm/service/refsync.js";
import type { Flags } from "../commands.js";
import { asOperator, type Operator } from "./operator.js";

/** The flags of a command for one organisation. */
type OrgFlags = Flags["listKeys"];

/** The flags of a command that makes a key. */
type NewKeyFlags = Flags["createKey"];

/** Makes an API key. The key alone is the first line on stdout. */
export async function createKey(flags: NewKeyFlags): Promise<void> {
  const made = await inOrg(flags, (operator, org) =>
    operator.call<ApiKeySecret>("POST", `/v1/${org}/api-keys`, limits(flags)),
  );
  tell(flags, made, made.api_key, `${described(made)}. The key is not shown again.`);
}

/** Lists the API keys. */
export async function listKeys(flags: OrgFlags): Promise<void> {
  const keys = await inOrg(flags, (operator, org) => operator.list<ApiKey>(`/v1/${org}/api-keys`, "api_keys"));
  tellList(flags, "api_keys", keys, keys.map(described));
}

/** Revokes an API key. */
export async function revokeKey(id: string, flags: OrgFlags): Promise<void> {
  await inOrg(flags, (operator, org) => operator.call("DELETE", `/v1/${org}/api-keys/${encodeURIComponent(id)}`));
  tell(flags, { id, revoked: true }, `${id} is revoked`);
}

/** Makes a private key, and registers its public key. The private key alone is the first line on stdout. */
export async function createPublicKey(flags: NewKeyFlags): Promise<void> {
  const made = await addKey(flags);
  tell(flags, made, made.private_key ?? "", `${described(made)}. The private key is not shown again.`);
}

/** Registers the public key of a private key that was made elsewhere. */
export async function addPublicKey(x: string, flags: NewKeyFlags): Promise<void> {
  const made = await addKey(flags, x);
  tell(flags, made, described(made));
}

/** Lists the public keys. */
export async function listPublicKeys(flags: OrgFlags): Promise<void> {
  const keys = await inOrg(flags, (operator, org) => operator.list<PublicKey>(`/v1/${org}/public-keys`, "public_keys"));
  tellList(flags, "public_keys", keys, keys.map(described));
}

/** Revokes a public key. */
export async function revokePublicKey(id: string, flags: OrgFlags): Promise<void> {
  await inOrg(flags, (operator, org) => operator.call("DELETE", `/v1/${org}/public-keys/${encodeURIComponent(id)}`));
  tell(flags, { id, revoked: true }, `${id} is revoked`);
}

/** Makes an organisation. */
export async function createOrg(slug: string, flags: Flags["createOrg"]): Promise<void> {
  const { name } = flags;
  const org = await asOperator(flags, (operator) =>
    operator.call<Organization>("POST", "/operator/orgs", { slug, ...(name !== undefined && { name }) }),
  );
  tell(flags, org, `the organisation ${org.slug} is made; refsync keys create --org ${org.slug} makes a key for it`);
}

/** Lists the organisations. */
export async function listOrgs(flags: Flags["listOrgs"]): Promise<void> {
  const orgs = await asOperator(flags, orgsOf);
  tellList(
    flags,
    "orgs",
    orgs,
    orgs.map(({ slug, name, num_repos }) => `${slug}  ${name}  ${num_repos} repositories`),
  );
}

function addKey(flags: NewKeyFlags, x?: string): Promise<PublicKeySecret> {
  const body = { ...limits(flags), ...(x !== undefined && { x }) };
  return inOrg(flags, (operator, org) => operator.call<PublicKeySecret>("POST", `/v1/${org}/public-keys`, body));
}

/** Calls `use` with the organisation that the flags name. Without a name there must be only one. */
function inOrg<T>(flags: OrgFlags, use: (operator: Operator, org: string) => Promise<T>): Promise<T> {
  return asOperator(flags, async (operator) => {
    if (flags.org !== undefined) return use(operator, encodeURIComponent(flags.org));
    const [first, ...others] = await orgsOf(operator);
    if (first === undefined) throw new Error("there is no organisation; make one with: refsync orgs create NAME");
    if (others.length > 0) {
      const slugs = [first, ...others].map(({ slug }) => slug).join(", ");
      throw new Error(`there are several organisations; name one with --org: ${slugs}`);
    }
    return use(operator, first.slug);
  });
}

async function orgsOf(operator: Operator): Promise<Organization[]> {
  return (await operator.call<{ orgs: Organization[] }>("GET", "/operator/orgs")).orgs;
}

function limits({ scope, name, repo, expiresIn }: NewKeyFlags): object {
  return {
    scope,
    ...(name !== undefined && { name }),
    ...(repo && { repos: repo }),
    ...(expiresIn !== undefined && { expires_in_seconds: expiresIn }),
  };
}

function described(key: ApiKey | PublicKey): string {
  const parts = [
    key.id,
    ...(key.name === null ? [] : [key.name]),
    `scope ${key.scope}`,
    key.repos === null ? "all repositories" : `repositories: ${key.repos.join(", ") || "none"}`,
    key.expires_at === null ? "does not expire" : `expires ${key.expires_at}`,
    key.last_used_at === null ? "not used yet" : `last used ${key.last_used_at}`,
  ];
  return parts.join("  ");
}

/** Writes the first line to stdout, so that a script gets it alone, and the rest to stderr. */
function tell({ json }: { json: boolean }, value: object, line: string, more?: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : printable(line)}\n`);
  if (!json && more !== undefined) process.stderr.write(`${printable(more)}\n`);
}

function tellList({ json }: { json: boolean }, name: string, items: object[], lines: string[]): void {
  if (json) process.stdout.write(`${JSON.stringify({ [name]: items })}\n`);
  else process.stdout.write(lines.map((line) => `${printable(line)}\n`).join("") || "there are none\n");
}
