/** A service whose repository `app` has the hosted `origin` as its upstream, and the dashboard in front of it. */

import { workTree } from "../git/git.mjs";
import { serve } from "../service/serve.mjs";
import { launch, openSignedIn } from "./page.mjs";

/** @typedef {Awaited<ReturnType<typeof dashboard>>} Dashboard */

/**
 * Starts the service and the browser. `fill` commits to a work tree. `origin` then gets its branches and tags.
 *
 * @param {(tree: import("../git/git.mjs").WorkTree) => Promise<unknown>} fill
 */
export async function dashboard(fill) {
  const [service, browser, tree] = await Promise.all([serve(), launch(), workTree()]);
  await fill(tree);
  await service.api("POST", `/${service.org}/repos`, { name: "origin" });
  await tree.git("push", "--quiet", service.gitUrl("origin"), "--all");
  await tree.git("push", "--quiet", service.gitUrl("origin"), "--tags");
  const auth = { kind: "username_password", username: "git", password: service.apiKey };
  const upstream = { url: service.remote("origin"), auth };
  await service.api("POST", `/${service.org}/repos`, { name: "app", upstream });
  return {
    service,
    tree,
    /**
     * Opens the dashboard at a repository, in a browser context of its own.
     *
     * @param {string} [name]
     * @param {import("playwright-core").BrowserContextOptions} [options]
     */
    open: async (name = "app", options = {}) => {
      const opened = await openSignedIn(browser, service, options);
      await opened.page.getByRole("link", { name: new RegExp(`^${name}`) }).click();
      await opened.page.getByRole("heading", { level: 1, name }).waitFor();
      return opened;
    },
    stop: async () => {
      await browser.close();
      await service.stop();
      await tree.remove();
    },
  };
}
