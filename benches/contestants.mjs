// Who is compared, and the command that each one is.
import { fileURLToPath } from "node:url";

const refsync = fileURLToPath(new URL("../pkg/bin/refsync.js", import.meta.url));
const all = "+refs/*:refs/*";
const shell = (script, ...args) => ["bash", "-ec", script, "bash", ...args];
const pushed = ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"];

/** Commands that bring the destination up to the source; `kept` is a mirror from an earlier round, `scratch` is empty. */
export const contestants = {
  refsync: ({ source, destination }) => ["node", refsync, "sync", source.url, destination.url, "--json"],
  "git fetch into the destination": ({ source, destination }) => [
    ...["git", "-C", destination.path, "fetch", "--quiet", "--no-auto-gc", source.url, all],
  ],
  "git push from the source": ({ source, destination }) => [
    ...["git", "-C", source.path, "push", "--quiet", destination.url, ...pushed],
  ],
  "mirror clone + mirror push": ({ source, destination, scratch }) =>
    shell(
      'git clone --quiet --mirror "$1" "$3"; git -C "$3" push --quiet --mirror "$2"',
      source.url,
      destination.url,
      scratch,
    ),
  "kept mirror: fetch + push": ({ destination, kept }) =>
    shell('git -C "$1" fetch --quiet; git -C "$1" push --quiet --mirror "$2"', kept, destination.url),
  "two git ls-remote": ({ source, destination }) =>
    shell('git ls-remote "$1" >/dev/null; git ls-remote "$2" >/dev/null', source.url, destination.url),
};
