-- What was sealed with the secret key when the database was last started with it; no row before the first time.
SELECT to_jsonb(sealed)::text AS row FROM refsync.secret_key_check
