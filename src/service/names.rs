//! The rules for names of organisations, repositories and branches.

/// Why `name` may not name a repository; `None` if it may.
///
/// The contract: `[A-Za-z0-9._-]{1,100}`, not `.` or `..`, not ending in `.git`, not a word of the API's paths, and not of the
/// form of an id: a path may have a repository's id in the place of its name.
pub fn repo_refusal(name: &str) -> Option<String> {
    if let Some(refusal) = characters_refusal(name) {
        return Some(refusal);
    }
    let lowercase = name.to_ascii_lowercase();
    if is_like_an_id(&lowercase) {
        return Some("has the form of an id; choose another".into());
    }
    if lowercase.ends_with(".git") {
        return Some("must not end in .git; leave that off".into());
    }
    RESERVED_REPOS.contains(&lowercase.as_str()).then(|| format!("{name} is a word of the API's own; choose another"))
}

/// Why `slug` may not name an organisation; `None` if it may.
pub fn org_refusal(slug: &str) -> Option<String> {
    if let Some(refusal) = characters_refusal(slug) {
        return Some(refusal);
    }
    let lowercase = slug.to_ascii_lowercase();
    if is_like_an_id(&lowercase) {
        return Some("has the form of an id; choose another".into());
    }
    RESERVED_ORGS.contains(&lowercase.as_str()).then(|| format!("{slug} is a word of the API's own; choose another"))
}

/// Why `name` may not name a branch; `None` if it may.
pub fn branch_refusal(name: &str) -> Option<String> {
    if name.len() > 255 {
        return Some("has more than 255 bytes".into());
    }
    if name.starts_with("refs/") {
        return Some("is the branch's short name: leave refs/heads/ off".into());
    }
    // Like `git check-ref-format --branch`. Branches with these two names could be made, but Git's own commands could not
    // name them.
    if name == "HEAD" || name.starts_with('-') {
        return Some("must not be HEAD or start with -".into());
    }
    let error = gix_validate::reference::name(format!("refs/heads/{name}").as_str().into()).err()?;
    Some(format!("is not a valid branch name: {error}"))
}

/// Whether a name in lower case looks like an id: a kind, such as `repo`, an underscore, and at least as many digits as an
/// id has.
fn is_like_an_id(name: &str) -> bool {
    name.split_once('_').is_some_and(|(kind, digits)| {
        !kind.is_empty()
            && kind.bytes().all(|b| b.is_ascii_lowercase())
            && digits.len() >= ID_DIGITS
            && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

fn characters_refusal(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !(1..=100).contains(&name.len()) || !name.chars().all(allowed) {
        return Some("must have 1 to 100 of the characters A-Z a-z 0-9 . _ -".into());
    }
    matches!(name, "." | "..").then(|| "must not be . or ..".into())
}

/// How many hexadecimal digits an id has; see `refsync.new_id` in the migrations.
const ID_DIGITS: usize = 28;
const RESERVED_REPOS: &[&str] = &["repo", "repos", "api-key", "api-keys", "public-keys", "webhook-targets"];
const RESERVED_ORGS: &[&str] = &["v1", "whoami", "openapi.json", "sessions"];

/// Why this is not a valid name for people; `None` if it is valid.
pub(crate) fn name_refusal(name: &str) -> Option<String> {
    let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    (!fits).then(|| "must have 1 to 100 characters, no control characters".into())
}
