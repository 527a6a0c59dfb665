/** The triggers of an upstream, on the page. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { present } from "../support/present.mjs";

/** @type {import("../support/browser/dashboard.mjs").Dashboard} */
let hosted;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
  });
});

after(async () => {
  await hosted?.stop();
});

test("a hook is made with its secret, which is shown once, and a push can go on to the upstream", async () => {
  const { service } = hosted;
  const repo = `/${service.org}/app`;
  const { page, close } = await hosted.open();
  const upstream = page.locator("[data-card=upstream]");
  await upstream.getByRole("button", { name: "Triggers" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Make a hook" }).click();
  const copied = (/** @type {string} */ what) =>
    dialog.getByRole("button", { name: `copy the ${what} of the hook` }).getAttribute("title");
  const [url, secret] = [present(await copied("address")), present(await copied("secret"))];
  assert.equal((await service.api("GET", repo)).upstream.hook.url, url);
  const call = (/** @type {string} */ token) =>
    fetch(url, {
      method: "POST",
      headers: { "x-gitlab-event": "Push Hook", "x-gitlab-token": token },
      body: JSON.stringify({ ref: "refs/heads/main" }),
    });
  assert.equal((await call(secret)).status, 200, "the page shows the right secret");

  await dialog.getByLabel("After a push into this repository").selectOption("Push to the upstream at once");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal((await service.api("GET", repo)).upstream.on_push, true);
  await upstream.getByText("It goes to the upstream at once").waitFor();
  await upstream.getByText(url).waitFor();

  await upstream.getByRole("button", { name: "Triggers" }).click();
  assert.equal(await dialog.getByText(secret).count(), 0, "the secret is shown once");
  await dialog.getByRole("button", { name: "Make a new secret" }).click();
  await dialog.getByText("it is not shown again").waitFor();
  assert.equal((await call(secret)).status, 401);
  await dialog.getByRole("button", { name: "Delete hook" }).click();
  await dialog.getByRole("button", { name: "Make a hook" }).waitFor();
  assert.equal((await call(secret)).status, 404);
  assert.equal((await service.api("GET", repo)).upstream.hook, undefined);
  await close();
});
