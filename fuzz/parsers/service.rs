//! What the service is sent.

use std::fmt::Debug;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use refsync::{
    api::{
        CreateRepoRequest, CreateWebhookTargetRequest, SyncRequest, UpdateRepoRequest, UpdateWebhookTargetRequest,
        shape::Shaped,
    },
    service::{
        auth::access_token::{AccessToken, is_public_key},
        http::{body, page},
        names,
    },
};
use serde::{Serialize, de::DeserializeOwned};

/// Names of repositories, organisations and branches.
pub(crate) fn names(data: &[u8]) {
    let Ok(name) = std::str::from_utf8(data) else { return };
    if names::repo_refusal(name).is_none() {
        assert!((1..=100).contains(&name.len()) && name != "." && name != "..", "{name:?} is no path of a folder");
    }
    let _ = names::org_refusal(name);
    if names::branch_refusal(name).is_none() {
        assert!(
            !name.contains("..") && !name.contains('\0') && !name.starts_with('-'),
            "{name:?} is safe in a command"
        );
    }
}

/// The bodies of requests.
pub(crate) fn body(data: &[u8]) {
    reads_what_it_writes::<SyncRequest>(data);
    reads_what_it_writes::<CreateRepoRequest>(data);
    reads_what_it_writes::<UpdateRepoRequest>(data);
    reads_what_it_writes::<CreateWebhookTargetRequest>(data);
    reads_what_it_writes::<UpdateWebhookTargetRequest>(data);
}

fn reads_what_it_writes<T: Debug + PartialEq + Serialize + DeserializeOwned + Shaped>(data: &[u8]) {
    if let Ok(request) = body::parse::<T>(data) {
        let written = serde_json::to_vec(&request).expect("a request can be written");
        assert_eq!(body::parse::<T>(&written).ok(), Some(request), "what is written is read");
    }
}

/// The query of a list.
pub(crate) fn cursor(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let _ = page::parameter(query, "tags");
    let Ok(page) = page::Page::parse(query, "syncs") else { return };
    assert!((1..=100).contains(&page.limit), "the limit is in its bounds");
    if let Some(after) = page.after {
        let again = page::Page::parse(&format!("cursor={}", page::encode(after, "syncs")), "syncs");
        assert_eq!(again.ok().and_then(|page| page.after), Some(after), "what is written is read");
    }
}

/// A token, or the three parts of one, parted by line ends and not encoded yet.
pub(crate) fn access_token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parts: Vec<&str> = text.split('\n').collect();
    let token = match parts[..] {
        [header, claims, signature] => {
            format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
        }
        _ => text.to_owned(),
    };
    if let Some(Ok(token)) = AccessToken::parse(&token) {
        assert!(!token.public_key().contains('.') || !is_public_key(token.public_key()), "it is no key");
    }
}
