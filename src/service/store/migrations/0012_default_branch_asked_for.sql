-- Whether a request has named the default branch. If none has, a pull takes the upstream's. Null is not known: an older version did
-- not note it. Then a pull changes the default branch only if there is no such branch, so that an upgrade changes no default
-- branch that works.
ALTER TABLE refsync.repos ADD COLUMN default_bookmark_asked_for boolean;
-- `main` is also what a repository has if nothing was asked for.
UPDATE refsync.repos SET default_bookmark_asked_for = true WHERE default_bookmark <> 'main';
