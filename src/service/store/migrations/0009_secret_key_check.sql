-- One row: a known text, sealed with the key that seals the stored secrets, which tells a start with another key.
CREATE TABLE refsync.secret_key_check (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sealed text NOT NULL
);
