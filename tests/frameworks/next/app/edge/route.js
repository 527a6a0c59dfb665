import { SyncClient } from "refsync";
import { names } from "../names";

export const runtime = "edge";

export async function GET() {
  return new Response(await names(new SyncClient()));
}
