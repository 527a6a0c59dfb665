//! The typed client of the sync REST API.
