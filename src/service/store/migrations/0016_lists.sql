-- The commit that `HEAD` of a hosted repository names, so that a list asks no Git process for each of its rows. Not known until
-- it was looked at; a push begins with that, too.
ALTER TABLE refsync.repos ADD COLUMN head text;
ALTER TABLE refsync.repos ADD COLUMN head_is_known boolean NOT NULL DEFAULT false;
