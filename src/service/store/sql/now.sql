-- The database's time, which all workers share, in milliseconds since 1970.
SELECT to_jsonb(floor(extract(epoch FROM now()) * 1000)::bigint)::text AS row
