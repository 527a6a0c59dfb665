-- sealed: the check, sealed with the present secret key.
INSERT INTO refsync.secret_key_check (sealed) VALUES ($1::jsonb ->> 'sealed')
ON CONFLICT (only_row) DO UPDATE SET sealed = excluded.sealed
RETURNING 'true' AS row
