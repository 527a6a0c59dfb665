// Runs the suite as a process. Its only argument is JSON, and so is its output.
import { clientSuite, engineSuite } from "./suite.mjs";

const asked = JSON.parse(String(process.argv[2]));
const { node, deno, bun } = process.versions;
const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`;
console.log(JSON.stringify({ runtime, client: await clientSuite(asked), engine: await engineSuite(asked) }));
