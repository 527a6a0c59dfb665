"use server";

import { SyncClient } from "refsync";
import { names } from "../names";

export async function list() {
  return names(new SyncClient());
}
