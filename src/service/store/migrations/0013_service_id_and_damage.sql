-- One row: the database's own id. The data folder knows it too, so that neither is ever used with a stranger.
CREATE TABLE refsync.service (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id text NOT NULL DEFAULT refsync.new_id('svc')
);
INSERT INTO refsync.service DEFAULT VALUES;

-- What is known to be wrong with the hosted repository's files, which a pull mends: {reason, is_plain}; null if nothing is. `is_plain`:
-- a look at the repository shows it, and shows when it is over. Otherwise only reading everything did.
ALTER TABLE refsync.repos ADD COLUMN damage jsonb;
