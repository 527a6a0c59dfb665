SELECT to_jsonb(max(version))::text AS row FROM refsync.schema_migrations
