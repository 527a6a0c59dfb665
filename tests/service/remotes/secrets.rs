use std::rc::Rc;

use futures_executor::block_on;
use refsync::{
    api::UpstreamAuth,
    service::secrets::{Owner, SecretKeys, Unreadable},
};

use crate::support::RustCrypto;

const SERVER: &str = "https://git.example.com";

fn keys(present: u8, others: &[u8]) -> SecretKeys {
    SecretKeys::new([present; 32], others.iter().map(|other| [*other; 32]).collect(), Rc::new(RustCrypto))
}

fn seal(keys: &SecretKeys, id: &str) -> String {
    block_on(keys.seal(&auth(), Owner::remote(id, SERVER))).expect("AES seals anything")
}

fn open(keys: &SecretKeys, sealed: &str, id: &str) -> Result<UpstreamAuth, Unreadable> {
    block_on(keys.open(sealed, Owner::remote(id, SERVER)))
}

fn auth() -> UpstreamAuth {
    UpstreamAuth::UsernamePassword { username: "joe".into(), password: "planted".into() }
}

#[test]
fn opens_what_it_sealed() {
    let key = keys(7, &[]);
    assert_eq!(open(&key, &seal(&key, "repo_1"), "repo_1"), Ok(auth()));
}

#[test]
fn seals_the_same_credential_differently_each_time() {
    let key = keys(7, &[]);
    assert_ne!(seal(&key, "repo_1"), seal(&key, "repo_1"), "a nonce is never used twice");
}

#[test]
fn refuses_another_repository_another_key_and_every_change() {
    let key = keys(7, &[]);
    let sealed = seal(&key, "repo_1");
    assert_eq!(open(&key, &sealed, "repo_2"), Err(Unreadable), "a row's credential is not another row's");
    assert_eq!(open(&keys(8, &[]), &sealed, "repo_1"), Err(Unreadable));
    for end in 0..sealed.len() {
        assert_eq!(open(&key, &sealed[..end], "repo_1"), Err(Unreadable), "cut at {end}");
    }
    for at in 0..sealed.len() - 2 {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII stays ASCII");
        assert_eq!(open(&key, &changed, "repo_1"), Err(Unreadable), "changed at {at}");
    }
}

#[test]
fn another_key_opens_what_it_sealed_and_only_the_present_one_seals() {
    let (old, new) = (keys(7, &[]), keys(8, &[6, 7]));
    let sealed = seal(&old, "repo_1");
    assert_eq!(open(&new, &sealed, "repo_1"), Ok(auth()));
    assert_eq!(open(&new, &sealed, "repo_2"), Err(Unreadable), "it stays bound to its owner");
    let anew = block_on(new.reseal(&sealed, Owner::remote("repo_1", SERVER)))
        .expect("it is readable")
        .expect("it was under another key");
    assert_eq!(open(&keys(8, &[]), &anew, "repo_1"), Ok(auth()));
    assert_eq!(open(&old, &anew, "repo_1"), Err(Unreadable));
    assert_eq!(
        block_on(new.reseal(&anew, Owner::remote("repo_1", SERVER))),
        Ok(None),
        "what is under the present key stays as it is"
    );
    assert_eq!(block_on(keys(9, &[]).reseal(&anew, Owner::remote("repo_1", SERVER))), Err(Unreadable));
}

#[test]
fn a_credential_opens_for_the_server_only_that_it_was_set_for() {
    let key = keys(7, &[]);
    let sealed = seal(&key, "repo_1");
    for server in ["http://git.example.com", "https://git.example.com:8443", "https://example.com", "", "null"] {
        let opened = block_on(key.open::<UpstreamAuth>(&sealed, Owner::remote("repo_1", server)));
        assert_eq!(opened, Err(Unreadable), "{server}");
    }
    assert_eq!(block_on(key.open::<UpstreamAuth>(&sealed, Owner::target("repo_1"))), Err(Unreadable));
}

#[test]
fn what_an_earlier_version_sealed_opens_only_to_be_bound() {
    let key = keys(7, &[]);
    // Earlier versions bound a credential only to its repository.
    let unbound = block_on(key.seal(&auth(), Owner::target("repo_1"))).expect("AES seals anything");
    assert!(unbound.starts_with("v1."));
    assert_eq!(open(&key, &unbound, "repo_1"), Err(Unreadable));
    assert_eq!(open(&key, &unbound.replace("v1.", "v2."), "repo_1"), Err(Unreadable));
    assert_eq!(block_on(key.bind(&unbound, Owner::remote("repo_2", SERVER))), Err(Unreadable));
    let bound = block_on(key.bind(&unbound, Owner::remote("repo_1", SERVER))).expect("it is readable");
    assert_eq!(open(&key, &bound, "repo_1"), Ok(auth()));
    assert_eq!(block_on(key.bind(&bound, Owner::remote("repo_1", "https://other.example"))), Err(Unreadable));
}
