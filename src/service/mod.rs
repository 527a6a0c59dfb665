//! The REST API, its durable queue and its workers.
