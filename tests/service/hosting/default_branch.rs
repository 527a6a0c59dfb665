use refsync::service::{
    hosting::default_branch::{Decision, decide, decide_elsewhere},
    queue::DefaultBranch,
};

fn stored(name: &str, asked_for: Option<bool>) -> DefaultBranch {
    DefaultBranch { name: name.to_owned(), asked_for }
}

/// The default branch afterwards, and whether there is a message.
fn outcome(current: &DefaultBranch, decision: Decision) -> (String, bool) {
    match decision {
        Decision::Keep => (current.name.clone(), false),
        Decision::Tell(_) => (current.name.clone(), true),
        Decision::Take { name, .. } => (name, true),
    }
}

/// Whether `main` was requested, the branch of the upstream's `HEAD`, the branches that exist here, and the [`outcome`].
type Case = (Option<bool>, Option<&'static str>, &'static [&'static str], (&'static str, bool));

#[test]
fn the_default_branch_after_a_pull_is_as_the_table_says() {
    let (asked, not, unknown) = (Some(true), Some(false), None);
    let table: &[Case] = &[
        // A requested branch stays. If it is not here, there is a message.
        (asked, Some("dev"), &["dev", "main"], ("main", false)),
        (asked, Some("dev"), &["dev"], ("main", true)),
        (asked, None, &[], ("main", true)),
        // A branch that was not requested follows the upstream's HEAD.
        (not, Some("dev"), &["dev", "main"], ("dev", true)),
        (not, Some("main"), &["dev", "main"], ("main", false)),
        (not, Some("dev"), &["dev"], ("dev", true)),
        // HEAD is missing, or its branch is not here.
        (not, None, &["dev", "main"], ("main", false)),
        (not, Some("dev"), &["abc", "main"], ("main", false)),
        (not, None, &["dev", "master", "zeta"], ("master", true)),
        (not, None, &["abc", "dev"], ("abc", true)),
        (not, Some("dev"), &["abc"], ("abc", true)),
        (not, None, &[], ("main", false)),
        (not, Some("dev"), &[], ("main", false)),
        // It is unknown whether the branch was requested. It stays if it exists.
        (unknown, Some("dev"), &["dev", "main"], ("main", false)),
        (unknown, Some("dev"), &["dev"], ("dev", true)),
        (unknown, None, &["abc", "dev"], ("abc", true)),
        (unknown, None, &[], ("main", false)),
    ];
    for (asked_for, head, here, (name, is_told)) in table {
        let current = stored("main", *asked_for);
        let decided = outcome(&current, decide(&current, *head, here));
        assert_eq!(decided, ((*name).to_owned(), *is_told), "asked for: {asked_for:?}, HEAD {head:?}, here {here:?}");
    }
}

#[test]
fn main_comes_before_master_if_the_old_default_is_neither() {
    let current = stored("trunk", Some(false));
    let taken = outcome(&current, decide(&current, None, &["abc", "main", "master"]));
    assert_eq!(taken, ("main".to_owned(), true));
}

#[test]
fn at_an_origin_its_own_head_counts() {
    let table = [
        (Some(false), Some("dev"), ("dev", true)),
        (None, Some("dev"), ("dev", true)),
        (Some(false), None, ("main", false)),
        (Some(false), Some("main"), ("main", false)),
        (Some(true), Some("main"), ("main", false)),
        (Some(true), Some("dev"), ("main", true)),
        (Some(true), None, ("main", false)),
    ];
    for (asked_for, head, (name, is_told)) in table {
        let current = stored("main", asked_for);
        let decided = outcome(&current, decide_elsewhere(&current, head));
        assert_eq!(decided, (name.to_owned(), is_told), "asked for: {asked_for:?}, HEAD {head:?}");
    }
}
