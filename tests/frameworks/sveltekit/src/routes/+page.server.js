import { SyncClient } from "refsync";
import { names } from "../names.js";

export async function load() {
  return { names: await names(new SyncClient()) };
}
