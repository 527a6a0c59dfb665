-- $1 repository id, $2 the head's change id. Its runs go with it; a worker that runs one finds its lease gone.
DELETE FROM refsync.repos WHERE id = $1::text
RETURNING refsync.announce_repo(repos, 'repo.deleted', $2::text, '{}')::text AS row
