import { SyncClient } from "refsync";
import { names } from "../names";

export const dynamic = "force-dynamic";

export async function GET() {
  return new Response(await names(new SyncClient()));
}
