-- The check that the last start sealed with its secret key. No row before the first start.
SELECT to_jsonb(sealed)::text AS row FROM refsync.secret_key_check
