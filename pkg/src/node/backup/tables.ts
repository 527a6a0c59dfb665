/**
 * Reads and writes the tables of a service as streams of JSON rows.
 *
 * No step keeps more than a few rows: PGlite holds the input and output of a statement in memory several times, and never frees
 * that memory.
 *
 * @module
 */

import type { Database } from "../../host.js";
import type { Counter } from "./format.js";
import { valuesOf } from "./json-values.js";

/** Tables that are the database's own, and no content. */
const OWN = ["schema_migrations", "service"];

/** The schema's version; null if there is none. */
export async function schemaVersion(database: Database): Promise<number | null> {
  const { rows: found } = await database.query(
    "SELECT to_regclass('refsync.schema_migrations') IS NOT NULL AS is_there",
  );
  if (found[0]?.is_there !== true) return null;
  const { rows } = await database.query("SELECT max(version)::int AS version FROM refsync.schema_migrations");
  return Number(rows[0]?.version);
}

/** The tables' names. Each table comes after those that it refers to. */
export async function tableNames(database: Database): Promise<string[]> {
  const { rows } = await database.query(
    `SELECT c.relname::text AS name, coalesce(string_agg(f.relname, ','), '') AS refers_to
     FROM pg_class c
     LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid
     LEFT JOIN pg_class f ON f.oid = k.confrelid
     WHERE c.relnamespace = 'refsync'::regnamespace AND c.relkind = 'r'
     GROUP BY c.relname ORDER BY c.relname`,
  );
  const waiting = new Map(rows.map((row) => [String(row.name), String(row.refers_to).split(",").filter(Boolean)]));
  for (const name of OWN) waiting.delete(name);
  const ordered: string[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, refersTo]) => refersTo.every((name) => !waiting.has(name)));
    if (ready.length === 0) throw new Error("backup: tables that refer to each other have no order");
    for (const [name] of ready) {
      ordered.push(name);
      waiting.delete(name);
    }
  }
  return ordered;
}

/**
 * The rows of a table, each as JSON text, in a transaction with one snapshot. One cursor reads the stored sizes of the rows. A
 * second one then fetches as many rows as fit.
 */
export async function* rowsOf(connection: Database, table: string): AsyncGenerator<string> {
  const columns = await columnNames(connection, table, "stored");
  const size = columns.map((name) => `coalesce(pg_column_size(t.${name}), 0)`).join(" + ") || "0";
  await connection.query(`DECLARE sizes NO SCROLL CURSOR FOR SELECT (${size})::int AS size FROM refsync.${table} t`);
  await connection.query(
    `DECLARE contents NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS row FROM refsync.${table} t`,
  );
  for (;;) {
    const { rows: sizes } = await connection.query(`FETCH ${SIZES} FROM sizes`);
    if (sizes.length === 0) break;
    for (const count of batches(sizes.map(({ size: bytes }) => Number(bytes)))) {
      const { rows } = await connection.query(`FETCH ${count} FROM contents`);
      for (const { row } of rows) yield String(row);
    }
  }
  await connection.query("CLOSE sizes");
  await connection.query("CLOSE contents");
}

/** How many rows go together, for rows of these sizes. */
function* batches(sizes: number[]): Generator<number> {
  let [count, bytes] = [0, 0];
  for (const size of sizes) {
    if (count > 0 && bytes + size > STORED_BYTES) {
      yield count;
      [count, bytes] = [0, 0];
    }
    count += 1;
    bytes += size;
  }
  if (count > 0) yield count;
}

/** Puts rows into a table. Their JSON texts are never parsed here. */
export class TableWriter {
  readonly #connection: Database;
  readonly #table: string;
  readonly #columns: string[];
  /** The columns whose values are JSON. */
  readonly #json: Set<string>;
  #rows: Buffer[] = [];
  #bytes = 0;

  private constructor(connection: Database, table: string, columns: string[], json: string[]) {
    this.#connection = connection;
    this.#table = table;
    this.#columns = columns;
    this.#json = new Set(json);
  }

  static async open(connection: Database, table: string): Promise<TableWriter> {
    const columns = await columnNames(connection, table, "stored");
    // Disables triggers, so that restoring rows announces and counts nothing a second time.
    await connection.query(`ALTER TABLE refsync.${table} DISABLE TRIGGER USER`);
    return new TableWriter(connection, table, columns, await columnNames(connection, table, "jsonb"));
  }

  /** Takes a row, as the JSON text that `rowsOf` gave. */
  async write(row: Buffer): Promise<void> {
    if (this.#rows.length > 0 && this.#bytes + row.length > BATCH_BYTES) await this.#flush();
    if (row.length > PIECE) return this.#writeLarge(row);
    this.#rows.push(row);
    this.#bytes += row.length;
    if (this.#rows.length >= BATCH_ROWS) await this.#flush();
  }

  async close(): Promise<void> {
    await this.#flush();
    await this.#connection.query(`ALTER TABLE refsync.${this.#table} ENABLE TRIGGER USER`);
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    this.#bytes = 0;
    // `json`, since `jsonb` would hold everything as a tree before it becomes rows.
    const from = `json_populate_recordset(NULL::refsync.${this.#table}, $1::json)`;
    await this.#insert(this.#columns, from, `[${rows.join(",")}]`);
  }

  /** Sends the large values of a row in pieces. The database joins them. */
  async #writeLarge(row: Buffer): Promise<void> {
    await this.#connection.query("CREATE TEMPORARY TABLE IF NOT EXISTS refsync_pieces (name text, n int, piece text)");
    const large = [...valuesOf(row)].filter(({ key, from, to }) => to - from > PIECE && this.#json.has(key));
    const rest: Buffer[] = [];
    let at = 0;
    for (const { key, from, to } of large) {
      rest.push(row.subarray(at, from), Buffer.from("null"));
      at = to;
      for (const [n, piece] of [...pieces(row.subarray(from, to))].entries()) {
        const values = [key, String(n), piece.toString("utf8")];
        await this.#connection.query("INSERT INTO refsync_pieces VALUES ($1::text, $2::int, $3::text)", values);
      }
    }
    const small = Buffer.concat([...rest, row.subarray(at)]).toString("utf8");
    const isLarge = new Set(large.map(({ key }) => key));
    const together = (name: string) =>
      `(SELECT string_agg(piece, '' ORDER BY n)::jsonb FROM refsync_pieces WHERE name = '${name}')`;
    const values = this.#columns.map((name) => (isLarge.has(name) ? together(name) : name));
    await this.#insert(values, `json_populate_record(NULL::refsync.${this.#table}, $1::json)`, small);
    await this.#connection.query("TRUNCATE refsync_pieces");
  }

  async #insert(values: string[], from: string, json: string): Promise<void> {
    await this.#connection.query(
      `INSERT INTO refsync.${this.#table} (${this.#columns.join(", ")}) OVERRIDING SYSTEM VALUE
       SELECT ${values.join(", ")} FROM ${from}`,
      [json],
    );
  }
}

/** Parts of a text of about a megabyte, none of which ends inside a character. */
function* pieces(text: Buffer): Generator<Buffer> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + PIECE);
    // Bytes that begin with 10 continue a character.
    while (end < text.length && ((text[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    yield text.subarray(at, end);
    at = end;
  }
}

/** The current values of a table's counters. */
export async function counters(database: Database, table: string): Promise<Counter[]> {
  const found: Counter[] = [];
  for (const column of await columnNames(database, table, "counted")) {
    const { rows } = await database.query(
      `SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('refsync.${table}', '${column}')::regclass), 0)::text AS value`,
    );
    found.push({ table, column, value: String(rows[0]?.value ?? "0") });
  }
  return found;
}

/** Sets the counters of a table past its rows, and past their earlier values. */
export async function setCounters(connection: Database, table: string, known: Counter[]): Promise<void> {
  for (const column of await columnNames(connection, table, "counted")) {
    const counted = known.find((counter) => counter.table === table && counter.column === column)?.value ?? "0";
    await connection.query(
      `SELECT setval(pg_get_serial_sequence('refsync.${table}', '${column}'),
         greatest((SELECT coalesce(max(${column}), 0) FROM refsync.${table}), $1::bigint) + 1, false)`,
      [counted],
    );
  }
}

/** `stored`: all columns but those that the database computes. `counted`: those that a counter fills. `jsonb`: those of that type. */
async function columnNames(
  database: Database,
  table: string,
  which: "stored" | "counted" | "jsonb",
): Promise<string[]> {
  const { rows } = await database.query(
    `SELECT a.attname::text AS name FROM pg_attribute a
     WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND ($2::text <> 'counted' OR a.attidentity <> '')
       AND ($2::text <> 'jsonb' OR a.atttypid = 'jsonb'::regtype)
     ORDER BY a.attnum`,
    [`refsync.${table}`, which],
  );
  return rows.map(({ name }) => String(name));
}

/** Rows whose sizes are asked for at once. */
const SIZES = 1_000;
/** Bytes of rows, as they are stored, that are read at once. Stored rows are compressed, mostly to a fifth. */
const STORED_BYTES = 64 * 1024;
/** Bytes of JSON that are written at once. */
const BATCH_BYTES = 256 * 1024;
const BATCH_ROWS = 500;
/** Bytes. A row that has more is sent in pieces of this size. */
const PIECE = 1024 * 1024;
