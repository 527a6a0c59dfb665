-- The host and port of a URL, in lower case: runs are shared out fairly between the hosts of their upstreams.
CREATE FUNCTION refsync.url_host(url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(substring(url FROM '^[A-Za-z]+://([^/?#]+)'))
$$;
