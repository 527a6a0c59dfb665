// The checks of the source tree find their targets, and nothing else.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { circles } from "../../../scripts/checks/circles.mjs";
import { crowded } from "../../../scripts/checks/folders.mjs";

/** @type {[name: string, files: Record<string, string>, found: string[]][]} */
const crates = [
  [
    "two files of a folder",
    { "lib.rs": "mod a; mod b;", "a.rs": "use crate::b::B;", "b.rs": "fn b(_: super::a::A) {}" },
    [": a -> b"],
  ],
  [
    "three files, by a path inside a function and by a list of names",
    {
      "lib.rs": "mod a; mod b; mod c;",
      "a.rs": "fn a() { crate::b::b() }",
      "b.rs": "use crate::{c::{self, C}, other};",
      "c.rs": "use super::a as first;",
    },
    [": a -> b -> c"],
  ],
  [
    "two rooms, by a name that a parent re-exports",
    {
      "lib.rs": "mod x; mod y;",
      "x/mod.rs": "mod deep; pub use self::deep::Deep;",
      "x/deep.rs": "use crate::y::Y;",
      "y/mod.rs": "mod inner;",
      "y/inner.rs": "use crate::x::Deep;",
    },
    [": x -> y"],
  ],
  [
    "siblings, by names that their parent re-exports",
    {
      "lib.rs": "mod x;",
      "x/mod.rs": "mod a; mod b; use a::A; pub use b::{B as Renamed};",
      "x/a.rs": "use super::Renamed;",
      "x/b.rs": "use super::*; fn b(_: A) {}",
    },
    ["x: a -> b"],
  ],
  [
    "a name behind the module's own name",
    { "lib.rs": "mod a; mod b;", "a.rs": "use crate::b; fn a() { b::b() }", "b.rs": "use crate::a; fn b() { a::a() }" },
    [": a -> b"],
  ],
  [
    "children of a module that is declared inside a file",
    { "lib.rs": "mod w { mod a; mod b; }", "w/a.rs": "use super::b::B;", "w/b.rs": "use super::a::A;" },
    ["w: a -> b"],
  ],
  [
    "tests inside a file",
    { "lib.rs": "mod a; mod b;", "a.rs": "mod tests { use super::super::b::B; }", "b.rs": "use crate::a::A;" },
    [": a -> b"],
  ],
  [
    "no circle: a parent and its children",
    {
      "lib.rs": "mod x;",
      "x/mod.rs": "mod a; use a::A; pub struct X(A);",
      "x/a.rs": "use super::X; use crate::x::X as Parent;",
    },
    [],
  ],
  [
    "no circle: comments, texts, and other crates with the name of a module",
    {
      "lib.rs": "mod http; mod b;",
      "http.rs": 'use crate::b::B; // crate::b\nconst T: &str = "crate::http";',
      "b.rs":
        "/// [`crate::http::X`]\nuse http::Request; fn b<'a>(_: &'a str) { let _ = r#\"super::http\"#; /* super::http */ }",
    },
    [],
  ],
  ["no circle: one direction", { "lib.rs": "mod a; mod b;", "a.rs": "use crate::b::B;", "b.rs": "" }, []],
];

for (const [name, files, found] of crates) {
  test(`circles of modules: ${name}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "refsync-circles-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const told = circles(folder).map((circle) => `${circle.folder}: ${circle.children.join(" -> ")}`);
    assert.deepEqual(told, found);
  });
}

test("a folder may have sixteen files directly in it, and any number of SQL files", () => {
  const files = (/** @type {number} */ count, /** @type {string} */ end) =>
    Array.from({ length: count }, (_, at) => `a/${at}${end}`);
  assert.deepEqual(crowded([...files(16, ".rs"), ...files(40, ".sql"), "a/b/c.rs", "README.md"]), []);
  assert.deepEqual(crowded([...files(17, ".rs"), "README.md"]), [["a", 17]]);
});
