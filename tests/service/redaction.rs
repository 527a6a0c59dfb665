use refsync::{
    model::{Outcome, Reason, SyncRunRef, SyncRunStats, UpstreamAuth},
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
        }],
    };
    let redaction = Redaction::of(Some(&token("planted")));
    assert_eq!(redaction.stats(about("planted may not push")), about("[credential] may not push"));
}
