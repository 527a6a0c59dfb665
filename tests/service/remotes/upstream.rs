use refsync::{
    api::UpstreamAuth,
    service::remotes::upstream::{Parsed, join, parse},
};

#[test]
fn keeps_a_plain_url_as_it_is() {
    for url in ["https://h/x.git", "http://127.0.0.1:8080/a/b", "https://[::1]:1/x", "https://h", "https://h/%C3%A9"] {
        assert_eq!(parse(url), Ok(Parsed { url: url.into(), auth: None }), "{url}");
    }
}

#[test]
fn moves_a_credential_out_of_the_url() {
    let auth = UpstreamAuth::UsernamePassword { username: "joe".into(), password: "p@ss:word".into() };
    let parsed = parse("HTTPS://joe:p%40ss:word@h:1/x").expect("it is valid");
    assert_eq!(parsed, Parsed { url: "https://h:1/x".into(), auth: Some(auth) });
    // A user name without a password, as both the engine and Git read it.
    let token = UpstreamAuth::UsernamePassword { username: "t0ken".into(), password: String::new() };
    assert_eq!(parse("https://t0ken@h/x"), Ok(Parsed { url: "https://h/x".into(), auth: Some(token) }));
}

#[test]
fn a_user_name_in_the_url_goes_with_a_token_beside_it() {
    let in_url = parse("https://joe@h/x").expect("it is valid").auth.expect("it has a name");
    let token = |token_username: Option<&str>| UpstreamAuth::Token {
        token: "t0ken".into(),
        token_username: token_username.map(str::to_owned),
    };
    assert_eq!(join(&in_url, &token(None)), Some(token(Some("joe"))));
    assert_eq!(join(&in_url, &token(Some("other"))), None, "both name a user");
    let with_password = parse("https://joe:secret@h/x").expect("it is valid").auth.expect("it has one");
    assert_eq!(join(&with_password, &token(None)), None, "both are complete");
}

#[test]
fn refuses_what_the_engine_cannot_reach_without_quoting_it() {
    for url in [
        "",
        "h/x",
        "//h/x",
        "git@h:x",
        "ssh://planted@h/x",
        "git://h/x",
        "file:///x",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://:1/x",
        "https://h:/x",
        "https://h:0/x",
        "https://h:65536/x",
        "https://h:+1/x",
        "https://[::1/x",
        "https://[::1]x/",
        "https://h/x?planted",
        "https://h/x#y",
        "https://h /x",
        "https://h\\x",
        "https://é/",
        "https://planted:@h/",
        "https://a:%00planted@h/",
        "https://a:%ff@h/",
    ] {
        let refusal = parse(url).expect_err(url);
        assert!(!refusal.contains("planted"), "{url}: {refusal}");
    }
}
