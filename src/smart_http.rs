//! The paths of Git's two services over smart HTTP, below the URL of a repository (`gitprotocol-http`).

/// A service of a Git server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Reads a repository.
    UploadPack,
    /// Writes it.
    ReceivePack,
}

impl Service {
    /// Both services.
    pub const ALL: [Self; 2] = [Self::UploadPack, Self::ReceivePack];

    /// Its name, which is also the path of its requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    /// The path and query of its list of refs.
    pub const fn refs(self) -> &'static str {
        match self {
            Self::UploadPack => "info/refs?service=git-upload-pack",
            Self::ReceivePack => "info/refs?service=git-receive-pack",
        }
    }
}

/// The repository's URL, from the URL of its list of refs; `None` if that URL has another form.
pub fn repository_of(refs_url: &str) -> Option<&str> {
    refs_url.split(['?', '#']).next()?.strip_suffix("/info/refs")
}
