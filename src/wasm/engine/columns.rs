//! A sync's stats across the boundary, as a column for each field.
//!
//! Of 100,000 refs a JSON text takes longer to write and to parse than the refs take to list. The package's `columns.ts`
//! makes objects of them.

use js_sys::{Array, JsString};
use serde::Serialize;

use crate::{
    api::Outcome,
    sync::{Plan, Unmatched},
};

/// What is known of the whole sync.
#[derive(Serialize)]
struct Notes {
    /// The branch that the source's `HEAD` names, by its full name.
    head: Option<String>,
    unmatched: Unmatched,
}

/// `[names, ids, outcomes, remarks, messages, notes]`: the names, each ended by a line's end; the ids, all of one length, the
/// null id where there is none; a letter for each outcome, small where one id stands for before and after, and a capital where there are two; and
/// the JSON text of `[index, reason, message, message_index]` for each ref that has one of these; the JSON text of the plan's
/// messages; and that of [`Notes`].
pub(super) fn columns(mut plan: Plan) -> Array {
    // A name that is not UTF-8 has no text.
    let head = plan.head.take().and_then(|name| String::from_utf8(name.into()).ok());
    let notes = Notes { head, unmatched: std::mem::take(&mut plan.unmatched) };
    let count = plan.entries.len();
    let mut names = String::with_capacity(plan.entries.iter().map(|entry| entry.name.len() + 1).sum());
    let mut ids = String::with_capacity(count * plan.object_format.len_in_hex());
    let mut outcomes = String::with_capacity(count);
    let mut remarks = Vec::new();
    let messages = std::mem::take(&mut plan.messages);
    for (at, r) in plan.into_refs().enumerate() {
        // A name with a line's end is invalid, and need not be told to the letter.
        if r.name.contains('\n') {
            names.push_str(&r.name.replace('\n', ""));
        } else {
            names.push_str(&r.name);
        }
        names.push('\n');
        let letter = letter(r.outcome);
        match &r.before {
            Some(before) if *before == r.after => outcomes.push(letter),
            before => {
                outcomes.push(letter.to_ascii_uppercase());
                match before {
                    Some(before) => ids.push_str(before),
                    None => ids.extend(r.after.chars().map(|_| '0')),
                }
            }
        }
        ids.push_str(&r.after);
        if r.reason.is_some() || r.message.is_some() || r.message_index.is_some() {
            remarks.push((at, r.reason, r.message, r.message_index));
        }
    }
    let remarks = serde_json::to_string(&remarks).expect("texts and numbers are JSON");
    let messages = serde_json::to_string(&messages).expect("texts are JSON");
    let notes = serde_json::to_string(&notes).expect("texts are JSON");
    [names, ids, outcomes, remarks, messages, notes].into_iter().map(JsString::from).collect()
}

fn letter(outcome: Outcome) -> char {
    match outcome {
        Outcome::Updated => 'u',
        Outcome::Unchanged => 'n',
        Outcome::Filtered => 'f',
        Outcome::Rejected => 'r',
    }
}
