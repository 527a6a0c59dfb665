import { SyncClient } from "refsync";

export default defineEventHandler(async () => {
  const names = [];
  for await (const { name } of new SyncClient().repos.list()) names.push(name);
  return names.join(" ");
});
