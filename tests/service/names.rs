use refsync::service::names::{branch_refusal, org_refusal, repo_refusal};

#[test]
fn repository_names_are_those_of_the_contract() {
    for name in [
        "a",
        "App",
        "my.repo",
        "a_b-c",
        "...",
        "x.gitx",
        "repo_0123",
        "repo-0123456789ababcdef0123456789",
        &"x".repeat(100),
    ] {
        assert_eq!(repo_refusal(name), None, "{name}");
    }
    for name in [
        "",
        ".",
        "..",
        "a b",
        "a/b",
        "ä",
        "a.git",
        "A.Git",
        "repo",
        "REPOS",
        "api-key",
        "public-keys",
        "webhook-targets",
        "repo_0123456789ababcdef0123456789",
        "Repo_0123456789ABabcdef0123456789",
        "sync_0123456789ababcdef0123456789",
        "repo_0123456789ababcdef01234567890",
        &"x".repeat(101),
    ] {
        assert!(repo_refusal(name).is_some(), "{name}");
    }
}

#[test]
fn an_organisation_is_not_a_word_of_the_api() {
    assert_eq!(org_refusal("acme"), None);
    for slug in ["whoami", "WhoAmI", "v1", "sessions", "a/b", "", "org_0123456789ababcdef0123456789"] {
        assert!(org_refusal(slug).is_some(), "{slug}");
    }
}

#[test]
fn branch_names_are_those_that_git_takes() {
    for name in ["main", "release/1", "ünïcode", "a.b", "refs"] {
        assert_eq!(branch_refusal(name), None, "{name}");
        assert!(git_takes(name), "{name}: the test's own list disagrees with Git");
    }
    for name in [
        "", "-a", "HEAD", "a..b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "a.lock", "/a", "a/",
        "a//b", ".a", "a.", "@{x",
    ] {
        assert!(branch_refusal(name).is_some(), "{name}");
        assert!(!git_takes(name), "{name}: the test's own list disagrees with Git");
    }
}

fn git_takes(branch: &str) -> bool {
    let git = std::process::Command::new("git").args(["check-ref-format", "--branch", branch]).output();
    git.expect("git is installed").status.success()
}
