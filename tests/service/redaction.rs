use refsync::{
    model::{MessageSide, Outcome, Reason, SyncRunMessage, SyncRunRef, SyncRunStats, UpstreamAuth},
    service::redaction::Redaction,
};

fn token(token: &str) -> UpstreamAuth {
    UpstreamAuth::Token { token: token.into(), token_username: None }
}

#[test]
fn takes_out_each_form_that_a_remote_may_repeat() {
    let redaction = Redaction::of(Some(&token("to ken/1")));
    for said in ["to ken/1", "to%20ken%2F1", "Z2l0OnRvIGtlbi8x"] {
        assert_eq!(redaction.text(&format!("you sent {said}.")), "you sent [credential].", "{said}");
    }
    assert_eq!(redaction.text("you sent nothing"), "you sent nothing");
}

#[test]
fn takes_out_a_token_that_was_sent_as_a_user_name_and_as_a_password() {
    let alone = UpstreamAuth::UsernamePassword { username: "t0ken-alone".into(), password: String::new() };
    let redaction = Redaction::of(Some(&alone));
    for said in ["t0ken-alone", "t0ken%2Dalone", "dDBrZW4tYWxvbmU6", "Z2l0OnQwa2VuLWFsb25l"] {
        assert_eq!(redaction.text(&format!("you sent {said}.")), "you sent [credential].", "{said}");
    }
}

#[test]
fn takes_out_what_is_left_of_one_where_the_text_was_cut() {
    let secret = "MC4CAQAwBQYDK2VwBCIEIGRhdGEgdGhhdCBub2JvZHkgc2hvdWxkIHNlZQ";
    let redaction = Redaction::of(Some(&token(secret)));
    for length in 4..secret.len() {
        let said = format!("you sent {}", &secret[..length]);
        assert_eq!(redaction.text(&said), "you sent [credential]", "{length} bytes of it");
    }
    let basic = "Basic Z2l0Ok1DNENBUUF3QlFZREsyVndCQ0lF";
    assert_eq!(redaction.text(basic), "Basic [credential]");
    assert_eq!(redaction.text("the MC4 is wrong"), "the MC4 is wrong");
}

#[test]
fn takes_out_parts_of_one_that_a_remote_shows_on_lines_of_their_own() {
    let redaction = Redaction::of(Some(&token("first-half-of-it and-the-second-half")));
    assert_eq!(redaction.text("|first-half-of-it|\n|and-the-second-half|"), "|[credential]|\n|[credential]|");
    let redaction = Redaction::of(Some(&token("ä0123456789ab")));
    assert_eq!(
        redaction.text("¤0123456789ab.ä"),
        "[credential].ä",
        "half of ¤ is half of ä, and no character is cut in two"
    );
}

#[test]
fn takes_out_the_credentials_of_both_sides() {
    let redaction = Redaction::of(Some(&token("of-upstream"))).and(Redaction::of(Some(&token("of-origin"))));
    assert_eq!(redaction.text("of-origin and of-upstream"), "[credential] and [credential]");
}

#[test]
fn leaves_words_alone_where_there_is_no_credential_or_one_of_a_few_letters() {
    assert_eq!(Redaction::of(None).text("the token is wrong"), "the token is wrong");
    assert_eq!(Redaction::of(Some(&token("is"))).text("the token is wrong"), "the token is wrong");
}

#[test]
fn the_words_of_a_remote_about_a_ref_are_searched_too() {
    let about = |message: &str| SyncRunStats {
        refs: vec![SyncRunRef {
            name: "refs/heads/main".into(),
            before: None,
            after: "0".repeat(40),
            outcome: Outcome::Rejected,
            reason: Some(Reason::HookDeclined),
            message: Some(message.into()),
            message_index: Some(0),
        }],
        messages: vec![SyncRunMessage { side: MessageSide::Destination, text: message.into() }],
    };
    let redaction = Redaction::of(Some(&token("planted")));
    assert_eq!(redaction.stats(about("planted may not push")), about("[credential] may not push"));
}
