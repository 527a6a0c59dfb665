//! The service's pure parts, in the rooms of `src/service`. Its calls and its queue are judged in `tests/js/service`, on a real
//! database and real Git.

mod auth {
    mod access_token;
}
mod delivery {
    mod webhooks;
}
mod handlers {
    mod list_size;
}
mod hosting {
    mod change_id;
    mod default_branch;
    mod git;
}
mod http {
    mod body;
    mod openapi;
    mod page;
    mod places;
    mod rate_limit;
}
mod names;
mod queue {
    mod notes;
}
mod record;
mod remotes {
    mod redaction;
    mod secrets;
    mod upstream;
}
mod store {
    mod statements;
    mod storable;
    mod views;
}
