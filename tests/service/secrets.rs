use refsync::{
    model::UpstreamAuth,
    service::secrets::{SecretKeys, Unreadable},
};

fn auth() -> UpstreamAuth {
    UpstreamAuth::UsernamePassword { username: "joe".into(), password: "planted".into() }
}

#[test]
fn opens_what_it_sealed() {
    let key = SecretKeys::new(&[7; 32], &[]);
    assert_eq!(key.open::<UpstreamAuth>(&key.seal(&auth(), "repo_1"), "repo_1"), Ok(auth()));
}

#[test]
fn seals_the_same_credential_differently_each_time() {
    let key = SecretKeys::new(&[7; 32], &[]);
    assert_ne!(key.seal(&auth(), "repo_1"), key.seal(&auth(), "repo_1"), "a nonce is never used twice");
}

#[test]
fn refuses_another_repository_another_key_and_every_change() {
    let key = SecretKeys::new(&[7; 32], &[]);
    let sealed = key.seal(&auth(), "repo_1");
    assert_eq!(key.open::<UpstreamAuth>(&sealed, "repo_2"), Err(Unreadable), "a row's credential is not another row's");
    assert_eq!(SecretKeys::new(&[8; 32], &[]).open::<UpstreamAuth>(&sealed, "repo_1"), Err(Unreadable));
    for end in 0..sealed.len() {
        assert_eq!(key.open::<UpstreamAuth>(&sealed[..end], "repo_1"), Err(Unreadable), "cut at {end}");
    }
    for at in 0..sealed.len() - 2 {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII stays ASCII");
        assert_eq!(key.open::<UpstreamAuth>(&changed, "repo_1"), Err(Unreadable), "changed at {at}");
    }
}

#[test]
fn another_key_opens_what_it_sealed_and_only_the_present_one_seals() {
    let (old, new) = (SecretKeys::new(&[7; 32], &[]), SecretKeys::new(&[8; 32], &[[6; 32], [7; 32]]));
    let sealed = old.seal(&auth(), "repo_1");
    assert_eq!(new.open::<UpstreamAuth>(&sealed, "repo_1"), Ok(auth()));
    assert_eq!(new.open::<UpstreamAuth>(&sealed, "repo_2"), Err(Unreadable), "it stays bound to its owner");
    let anew = new.reseal(&sealed, "repo_1").expect("it is readable").expect("it was under another key");
    assert_eq!(SecretKeys::new(&[8; 32], &[]).open::<UpstreamAuth>(&anew, "repo_1"), Ok(auth()));
    assert_eq!(old.open::<UpstreamAuth>(&anew, "repo_1"), Err(Unreadable));
    assert_eq!(new.reseal(&anew, "repo_1"), Ok(None), "what is under the present key stays as it is");
    assert_eq!(SecretKeys::new(&[9; 32], &[]).reseal(&anew, "repo_1"), Err(Unreadable));
}
