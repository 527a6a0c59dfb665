//! Git smart HTTP as a client.

use std::rc::Rc;

use crate::http::HttpClient;

/// A Git repository on a smart-HTTP server.
#[derive(Clone)]
pub struct Remote {
    /// Without credentials, without a slash at its end.
    pub(crate) url: String,
    pub(crate) basic_auth: Option<(String, String)>,
    pub(crate) http: Rc<dyn HttpClient>,
}

impl Remote {
    /// The remote at `url`; credentials in the URL are taken out of it and used.
    pub fn new(url: &str, http: Rc<dyn HttpClient>) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), basic_auth: None, http }
    }

    /// The same with HTTP Basic authentication.
    #[must_use]
    pub fn with_basic_auth(mut self, username: &str, password: &str) -> Self {
        self.basic_auth = Some((username.to_owned(), password.to_owned()));
        self
    }
}
