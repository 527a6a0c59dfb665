import { SyncClient } from "refsync";
import { names } from "./names";

export const dynamic = "force-dynamic";

export default async function Page() {
  return <p>{await names(new SyncClient())}</p>;
}
