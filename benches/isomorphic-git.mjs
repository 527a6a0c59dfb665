// Syncs with isomorphic-git: a clone of one branch, and a push of it. `node benches/isomorphic-git.mjs SOURCE_URL
// DESTINATION_URL FOLDER BRANCH`.
import fs from "node:fs";

import git from "isomorphic-git";
import http from "isomorphic-git/http/node";

const [source, destination, dir, branch] = process.argv.slice(2);
if (!source || !destination || !dir || !branch) {
  throw new Error("usage: node benches/isomorphic-git.mjs SOURCE_URL DESTINATION_URL FOLDER BRANCH");
}
const ref = branch.replace(/^refs\/heads\//, "");
await git.clone({ fs, http, dir, url: source, ref, singleBranch: true, noCheckout: true, noTags: true });
await git.push({ fs, http, dir, url: destination, ref, remoteRef: branch });
