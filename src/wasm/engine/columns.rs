//! Passes a sync's stats to JavaScript as columns: one text for each field.
//!
//! For 100,000 refs, writing and parsing JSON takes longer than listing the refs. The package's `columns.ts` makes objects
//! from the columns.

use js_sys::{Array, JsString};
use serde::Serialize;

use crate::{
    api::Outcome,
    sync::{Plan, Unmatched},
};

/// Facts about the whole sync.
#[derive(Serialize)]
struct Notes {
    /// The branch that the source's `HEAD` names, by its full name.
    head: Option<String>,
    unmatched: Unmatched,
}

/// `[names, ids, outcomes, remarks, messages, notes]`. `names`: each name ends with a line break. `ids`: all ids have the
/// same length; the null id stands for none. `outcomes`: a letter for each ref, lower case if one id is both before and
/// after, upper case if there are two ids. `remarks`: the JSON text of `[index, reason, message, message_index,
/// backup, source, ahead, behind]` for each ref that has one of these. `messages`: the JSON text of the plan's messages. `notes`: the JSON text of [`Notes`].
pub(super) fn columns(mut plan: Plan) -> Array {
    // A name that is not UTF-8 cannot be a JavaScript string.
    let head = plan.head.take().and_then(|name| String::from_utf8(name.into()).ok());
    let notes = Notes { head, unmatched: std::mem::take(&mut plan.unmatched) };
    let count = plan.entries.len();
    let mut names = String::with_capacity(plan.entries.iter().map(|entry| entry.name.len() + 1).sum());
    let mut ids = String::with_capacity(count * plan.object_format.len_in_hex());
    let mut outcomes = String::with_capacity(count);
    let mut remarks = Vec::new();
    let messages = std::mem::take(&mut plan.messages);
    for (at, r) in plan.into_refs().enumerate() {
        // A name with a line break is invalid, so it need not be exact.
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
        if r.reason.is_some() || r.backup.is_some() || r.message.is_some() || r.message_index.is_some() {
            remarks.push((at, r.reason, r.message, r.message_index, r.backup, r.source, r.ahead, r.behind));
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
