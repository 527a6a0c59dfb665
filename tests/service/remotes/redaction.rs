use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use refsync::{
    api::{MessageSide, Outcome, Reason, SyncRunMessage, SyncRunRef, SyncRunStats, UpstreamAuth},
    service::remotes::redaction::Redaction,
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

/// Passwords with every character that some kind of escaping changes.
const AWKWARD: &[&str] = &[
    "quo\"te'd\\back/slash",
    "100%25 %2F%2f+plus&amp;",
    "spa ce\u{a0}<b>&lt;&#34;</b>",
    "üñí-çødé-\u{1f511}-\u{202e}x",
    "C:\\new\\table\\u0041",
    "a+b/c==?&d=e;f#g",
    "8letters",
    "\\\\\\\\\"\"\"\"",
    "%%%%%%%%",
];

/// All spellings in which a remote may repeat a text.
fn spellings(text: &str) -> Vec<(&'static str, String)> {
    let each = |spell: &dyn Fn(char) -> String| text.chars().map(spell).collect::<String>();
    let bytes = |spell: &dyn Fn(u8) -> String| text.bytes().map(spell).collect::<String>();
    let (json, quoted) = (serde_json::to_string(text).expect("a text is JSON"), format!("{text:?}"));
    vec![
        ("percent", utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()),
        (
            "percent, small",
            bytes(&|b| if b.is_ascii_alphanumeric() { char::from(b).into() } else { format!("%{b:02x}") }),
        ),
        ("percent, all and mixed", bytes(&|b| if b % 2 == 0 { format!("%{b:02x}") } else { format!("%{b:02X}") })),
        ("form", utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%20", "+")),
        ("JSON", json[1..json.len() - 1].to_owned()),
        ("JSON with slashes", json[1..json.len() - 1].replace('/', "\\/")),
        ("JSON, all", text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()),
        ("Rust", quoted[1..quoted.len() - 1].to_owned()),
        ("Rust, all", text.escape_unicode().to_string()),
        ("bytes", bytes(&|b| format!("\\x{b:02X}"))),
        ("C", bytes(&|b| format!("\\{b:03o}"))),
        (
            "HTML",
            each(&|c| match c {
                '&' => "&amp;".into(),
                '<' => "&lt;".into(),
                '>' => "&gt;".into(),
                '"' => "&quot;".into(),
                '\'' => "&#39;".into(),
                c => c.into(),
            }),
        ),
        ("HTML, decimal", each(&|c| format!("&#{};", u32::from(c)))),
        ("HTML, hexadecimal", each(&|c| format!("&#x{:X};", u32::from(c)))),
        ("with invisible characters", text.chars().map(String::from).collect::<Vec<_>>().join("\u{200b}")),
    ]
}

#[test]
fn takes_out_every_spelling_of_a_credential_also_one_in_another() {
    for password in AWKWARD {
        let redaction = Redaction::of(Some(&token(password)));
        assert_eq!(redaction.text(&format!("<{password}>")), "<[credential]>", "{password}");
        for (outer, once) in std::iter::once(("as it is", (*password).to_owned())).chain(spellings(password)) {
            for (inner, twice) in std::iter::once(("as it is", once.clone())).chain(spellings(&once)) {
                let said = redaction.text(&format!("<{twice}>"));
                // The rest may be the start of an escape, or an invisible character.
                let left = said.replace("[credential]", "");
                assert!(
                    left.len() <= 8 && said.contains("[credential]"),
                    "{outer}, then {inner}: {twice} gives {said}"
                );
            }
        }
    }
}

#[test]
fn takes_out_the_base64_and_the_hexadecimal_of_a_credential_wherever_it_stands_in_it() {
    for password in AWKWARD {
        let redaction = Redaction::of(Some(&token(password)));
        for before in ["", "x", "xy", "xyz", "git:", "oauth2:", "x-access-token:"] {
            for after in ["", "\n", "; and more"] {
                let whole = format!("{before}{password}{after}");
                for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    let said = redaction.text(&format!("Basic {encoded}"));
                    // The rest beside it are bits of the neighbouring bytes.
                    let left = said.replace("[credential]", "");
                    let most = "Basic ".len() + (before.len() + after.len()) * 4 / 3 + 6;
                    assert!(left.len() <= most && said.contains("[credential]"), "{encoded} gives {said}");
                }
                for hex in [hex(&whole), hex(&whole).to_uppercase()] {
                    let expected = redaction.text(&hex).replace("[credential]", "");
                    assert!(expected.len() <= hex.len() - password.len() * 2, "{hex}");
                }
            }
        }
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn takes_out_a_credential_that_a_page_shows_with_other_blanks_or_without_its_markup() {
    for (password, said) in [
        ("two  blanks and\u{a0}one", "you sent two blanks and one."),
        ("wrapped at blanks", "you sent wrapped\nat blanks."),
        ("ends in blanks  ", "you sent ends in blanks."),
        ("a<b>bold</b>one", "you sent aboldone."),
        ("a<p>paragraph", "you sent a\nparagraph."),
        ("begins<never ends", "you sent begins."),
        ("<i>ab &amp; cd</i>", "you sent ab & cd."),
    ] {
        let left = Redaction::of(Some(&token(password))).text(said);
        assert_eq!(left, "you sent [credential].", "{password}: {said}");
    }
    let redaction = Redaction::of(Some(&token("a b c d")));
    assert_eq!(redaction.text("the token is wrong"), "the token is wrong");
}

#[test]
fn takes_out_a_credential_that_a_server_reads_or_writes_as_latin_1() {
    let redaction = Redaction::of(Some(&token("p\u{e4}ssw\u{f6}rd")));
    for said in ["p\u{c3}\u{a4}ssw\u{c3}\u{b6}rd", "p\u{fffd}ssw\u{fffd}rd", "p%C3%A4ssw%c3%b6rd"] {
        assert_eq!(redaction.text(&format!("<{said}>")), "<[credential]>", "{said}");
    }
}

#[test]
fn takes_out_the_query_of_a_url_and_its_longer_values() {
    let redaction = Redaction::of_query("https://hooks.example/in?kind=sync&token=a-secret%2Fvalue&k=12345678");
    for said in [
        "no answer from https://hooks.example/in?kind=sync&token=a-secret%2Fvalue&k=12345678",
        "no answer from https://hooks.example/other?token=a-secret%2fvalue",
        "the token a-secret/value is not known",
        "12345678",
    ] {
        let left = redaction.text(said);
        assert!(left.contains("[credential]") && !left.contains("secret") && !left.contains("1234"), "{left}");
    }
    assert_eq!(redaction.text("the sync receiver answers 500"), "the sync receiver answers 500");
    assert_eq!(Redaction::of_query("https://hooks.example/in").text("in"), "in");
    assert_eq!(Redaction::of_secret("whsec_abcdefgh").text("whsec_abcdefgh is wrong"), "[credential] is wrong");
}

#[test]
fn takes_out_two_credentials_that_overlap() {
    let (short, long) = (token("inner-secret"), token("outer-inner-secret-outer"));
    for (first, second) in [(&short, &long), (&long, &short)] {
        let redaction = Redaction::of(Some(first)).and(Redaction::of(Some(second)));
        assert_eq!(redaction.text("<outer-inner-secret-outer>"), "<[credential]>");
        assert_eq!(redaction.text("<inner-secret>"), "<[credential]>");
    }
}

#[test]
fn takes_out_the_beginning_of_one_wherever_a_text_is_cut() {
    let redaction = Redaction::of(Some(&token("s3cr\"t/of mine")));
    for said in ["the start of it: s3cr\\\"t", "s3cr…\nmore", "\"you sent s3cr\" and 20 bytes more", "s3cr"] {
        let left = redaction.text(said);
        assert!(!left.contains("s3cr"), "{said} gives {left}");
    }
    let long = format!("{}s3cr\nnext", "x".repeat(996));
    assert!(!redaction.text(&long).contains("s3cr"), "a line of 1,000 bytes was cut");
}

#[test]
fn takes_out_credentials_in_names_but_not_the_words_of_a_weak_password() {
    let named = |name: &str, after: &str| SyncRunStats {
        refs: vec![SyncRunRef {
            name: name.into(),
            before: Some(after.into()),
            after: after.into(),
            outcome: Outcome::Updated,
            reason: Some(Reason::Other(name.into())),
            message: None,
            message_index: None,
            backup: Some(name.into()),
            source: Some(after.into()),
            ahead: None,
            behind: None,
        }],
        messages: vec![],
    };
    let id = "0123456789abcdef0123456789abcdef01234567";
    let redaction = Redaction::of(Some(&token("planted/token"))).and(Redaction::of(Some(&token(id))));
    let expected = named("refs/heads/[credential]", "[credential]");
    assert_eq!(redaction.stats(named("refs/heads/planted/token", id)), expected);
    assert_eq!(redaction.stats(named("refs/heads/planted%2ftoken", id)), expected);
    let other = named("refs/heads/main", "89abcdef0123456789abcdef0123456789abcdef");
    assert_eq!(Redaction::of(Some(&token("main"))).name("refs/heads/main"), "refs/heads/main");
    assert_eq!(Redaction::of(Some(&token("planted-token"))).stats(other.clone()), other);
}

#[test]
fn texts_that_were_made_to_take_long_do_not() {
    let started = std::time::Instant::now();
    for (password, said) in [
        ("a".repeat(16_384), "a".repeat(8_000)),
        ("\\".repeat(16_384), "\\".repeat(8_000)),
        ("%25".repeat(5_000), "%2525".repeat(1_600)),
        ("\"a".repeat(8_000), "\"".repeat(8_000)),
        ("ab".repeat(8_000), "…ab".repeat(1_600)),
    ] {
        let redaction = Redaction::of(Some(&token(&password)));
        redaction.text(&said);
        redaction.name(&said);
    }
    // The limit for a debug build on a busy machine. A quadratic search would need minutes for these lengths.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn what_has_nothing_of_a_credential_stays_as_it_is(said in "[ -~äöü€%&+\\\\]{0,200}") {
        // No text of the alphabet above contains it, decoded or not.
        let redaction = Redaction::of(Some(&token("\u{1f511}\u{1f512}\u{1f513}")));
        prop_assert_eq!(redaction.text(&said), said.clone());
        prop_assert_eq!(redaction.name(&said), said);
    }

    #[test]
    fn every_password_of_eight_bytes_is_found_in_every_spelling(
        // The second form has more characters that begin an escape.
        password in "[ -~äö€]{8,40}|[ +%&;#\\\\\"'/<>0-4a-fnux]{8,40}",
        inner in 0..16_usize,
        outer in 0..16_usize,
    ) {
        let redaction = Redaction::of(Some(&token(&password)));
        let spelled = |text: &str, nth: usize| if nth == 15 { text.to_owned() } else { spellings(text)[nth].1.clone() };
        let spelled = spelled(&spelled(&password, inner), outer);
        let said = redaction.text(&format!("<{spelled}>"));
        prop_assert!(said.contains("[credential]") && said.len() <= "<[credential]>".len() + 8, "{} gives {}", spelled, said);
    }
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
            backup: None,
            source: None,
            ahead: None,
            behind: None,
        }],
        messages: vec![SyncRunMessage { side: MessageSide::Destination, text: message.into() }],
    };
    let redaction = Redaction::of(Some(&token("planted")));
    assert_eq!(redaction.stats(about("planted may not push")), about("[credential] may not push"));
}
