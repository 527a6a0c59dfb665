-- ids: an array of sync ids. Returns the stats of each run that has stats.
SELECT jsonb_build_object('id', s.id, 'stats', refsync.stats_of(s))::text AS row
FROM refsync.syncs s
WHERE s.id IN (SELECT jsonb_array_elements_text($1::jsonb -> 'ids')) AND (s.stats IS NOT NULL OR s.stats_id IS NOT NULL)
