import { SyncClient } from "refsync";
import { names } from "../names.js";

export async function GET() {
  return new Response(await names(new SyncClient()));
}
