import pg from "pg";

/**
 * A pool of connections to a PostgreSQL that may stop straight after the pool's `end`. That resolves before the connections are
 * closed, so the server can still say goodbye on them. Without a listener, these words would end the process.
 *
 * @param {string} url
 * @param {Omit<pg.PoolConfig, "connectionString">} [options]
 */
export function openPool(url, options = {}) {
  const pool = new pg.Pool({ connectionString: url, ...options });
  pool.on("error", () => {});
  return pool;
}
