//! The service's pure parts, in the folders of `src/service`. `tests/js/service` tests its calls and its queue, on a real
//! database and with real Git.

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
mod router {
    mod openapi;
}
mod store {
    mod statements;
    mod storable;
    mod views;
}
