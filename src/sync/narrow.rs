//! Which commands go into the next request. If a request is refused as a whole, its halves are tried, down to single refs:
//! so what can arrive arrives, and what cannot is named.
//!
//! It needs at most `2·log2(refs)` requests for each bad ref:
//!
//! - if the first half is accepted, the bad ref is in the second one, which is halved without being tried;
//! - refs that the refusal names are tried first, apart from the others;
//! - if all parts of a refused request are accepted, the destination takes only so many refs at once, and later requests
//!   have no more;
//! - after many single refs in a row with the same answer, and none that was ever accepted, the answer holds for the rest.

use std::{cell::Cell, rc::Rc};

use gix_object::bstr::ByteSlice;

use super::verdict::Cause;
use crate::git::Command;

/// The commands of one request.
pub(super) struct Batch {
    pub(super) commands: Vec<Command>,
    /// Whether it is known to be refused as a whole.
    is_refused: bool,
    /// The refused requests that it is a part of, the largest first.
    parts: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    whole: Rc<Whole>,
    is_last: bool,
    /// Whether these are the refs that the refusal named.
    is_named: bool,
}

/// A request that was refused as a whole.
struct Whole {
    commands: usize,
    cause: Cause,
    /// Whether a ref in it was refused alone.
    has_culprit: Cell<bool>,
}

/// The requests to come.
pub(super) struct Queue {
    /// The next one is last.
    batches: Vec<Batch>,
    /// The most commands of a request.
    most: usize,
    /// Whether what a refusal names has been right so far.
    trusts_names: bool,
    has_accepted: bool,
    /// How many requests there were.
    requests: usize,
    /// What the last single refs were told, all the same, and how many they are.
    streak: (String, usize),
}

/// Why the rest is not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GiveUp {
    /// Many refs got the same answer, and none was accepted.
    SameAnswer,
    /// There were too many requests.
    TooMany,
}

impl Queue {
    /// All commands in as few requests as hosts take. `is_refused`: a request with all of them was refused already.
    pub(super) fn new(commands: Vec<Command>, is_atomic: bool, is_refused: bool) -> Self {
        let most = if is_atomic { usize::MAX } else { MAX_COMMANDS };
        let first = Batch { commands, is_refused, parts: Vec::new() };
        Self {
            batches: vec![first],
            most,
            trusts_names: true,
            has_accepted: false,
            requests: 0,
            streak: Default::default(),
        }
    }

    /// Takes out the next request.
    pub(super) fn next(&mut self) -> Option<Batch> {
        while let Some(mut batch) = self.batches.pop() {
            batch.is_refused |= batch.parts.last().is_some_and(Part::is_refused);
            match batch.commands.len() {
                0 => {}
                1 => return self.counted(batch),
                _ if batch.is_refused => self.halve(batch, Cause::Refs),
                length if length > self.most => {
                    let rest = batch.commands.split_off(self.most);
                    let rest = Batch { commands: rest, is_refused: false, parts: batch.parts.clone() };
                    // Neither of the two is the last part any more until the other one is done.
                    batch.parts.iter_mut().for_each(|part| part.is_last = false);
                    self.batches.extend([rest, batch]);
                }
                _ => return self.counted(batch),
            }
        }
        None
    }

    fn counted(&mut self, batch: Batch) -> Option<Batch> {
        self.requests += 1;
        Some(batch)
    }

    /// Whether anything was accepted so far.
    pub(super) fn has_accepted(&self) -> bool {
        self.has_accepted
    }

    /// Puts a request back, to be sent again as it is.
    pub(super) fn put_back(&mut self, batch: Batch) {
        self.requests -= 1;
        self.batches.push(batch);
    }

    /// Puts these requests before all others.
    pub(super) fn put_first(&mut self, batch: &Batch, parts: [Vec<Command>; 2]) {
        let [first, second] = parts;
        let made = |commands| Batch { commands, is_refused: false, parts: batch.parts.clone() };
        self.batches.extend([made(second), made(first)]);
    }

    /// The request was answered ref by ref, and something in it was accepted.
    pub(super) fn accepted(&mut self, batch: &Batch) {
        self.has_accepted = true;
        self.streak = Default::default();
        self.trusts_names &= !batch.parts.last().is_some_and(|part| part.is_named);
        // If all parts of a request are accepted, it had too many.
        let wholes = batch.parts.iter().rev().take_while(|part| part.is_refused()).map(|part| &part.whole);
        self.most = wholes.fold(self.most, |most, whole| most.min(whole.commands.div_ceil(2)));
    }

    /// The request was refused as a whole, in these words: its parts are tried.
    pub(super) fn refused(&mut self, batch: Batch, cause: Cause, words: &str) {
        let length = batch.commands.len();
        if self.trusts_names && cause != Cause::Size {
            let is_named = |command: &Command| is_named(command, words);
            let (named, others): (Vec<_>, Vec<_>) = batch.commands.iter().cloned().partition(is_named);
            if (1..=length / 2).contains(&named.len()) {
                return self.split(batch.parts, cause, [named, others], true);
            }
        }
        self.halve(batch, cause);
    }

    /// A single ref was refused in a way that may have refused its neighbours too. Gives the reason why no other ref shall
    /// be tried, if there is one.
    pub(super) fn refused_alone(&mut self, batch: &Batch, cause: Cause, words: &str) -> Option<GiveUp> {
        batch.parts.iter().for_each(|part| part.whole.has_culprit.set(true));
        let (last, count) = &mut self.streak;
        if *last == words {
            *count += 1;
        } else {
            self.streak = (words.to_owned(), 1);
        }
        let patience = match cause {
            Cause::Refs | Cause::Size => PATIENCE,
            Cause::Unclear | Cause::Machine => PATIENCE_IF_UNCLEAR,
        };
        match () {
            () if !self.has_accepted && self.streak.1 >= patience => Some(GiveUp::SameAnswer),
            () if self.requests >= MAX_REQUESTS => Some(GiveUp::TooMany),
            () => None,
        }
    }

    /// Takes these refs out of all requests to come.
    pub(super) fn drop_refs(&mut self, is_dropped: impl Fn(&Command) -> bool) {
        self.batches.iter_mut().for_each(|batch| batch.commands.retain(|command| !is_dropped(command)));
    }

    /// All commands that are still to come.
    pub(super) fn into_rest(self) -> impl Iterator<Item = Command> {
        self.batches.into_iter().rev().flat_map(|batch| batch.commands)
    }

    fn halve(&mut self, mut batch: Batch, cause: Cause) {
        let second = batch.commands.split_off(batch.commands.len() / 2);
        self.split(batch.parts, cause, [batch.commands, second], false);
    }

    fn split(&mut self, parts: Vec<Part>, cause: Cause, [first, second]: [Vec<Command>; 2], is_named: bool) {
        let whole = Rc::new(Whole { commands: first.len() + second.len(), cause, has_culprit: Cell::new(false) });
        let made = |commands, is_last: bool| {
            let mut parts: Vec<Part> = parts.clone();
            // The first part of a last part is not the last of the larger request.
            parts.iter_mut().for_each(|part| part.is_last &= is_last);
            parts.push(Part { whole: whole.clone(), is_last, is_named: is_named && !is_last });
            Batch { commands, is_refused: false, parts }
        };
        self.batches.extend([made(second, true), made(first, false)]);
    }
}

impl Part {
    /// Whether it is known to be refused: it is the last part, and all before it were accepted.
    fn is_refused(&self) -> bool {
        self.is_last && self.whole.cause != Cause::Size && !self.whole.has_culprit.get()
    }
}

/// Whether the words have the name of the command's ref, or its id.
fn is_named(command: &Command, words: &str) -> bool {
    let has = |name: &[u8]| {
        words.as_bytes().find_iter(name).any(|at| {
            let behind = words.as_bytes()[at + name.len()..].first();
            !behind.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'))
        })
    };
    has(&command.name) || (!command.new.is_null() && has(command.new.to_string().as_bytes()))
}

/// The most commands of a request: GitHub fails above some 10,000.
pub(super) const MAX_COMMANDS: usize = 5000;
/// How many single refs in a row may get the same answer before it holds for all.
const PATIENCE: usize = 100;
/// The same if the answer is most probably not about refs, such as a 403.
const PATIENCE_IF_UNCLEAR: usize = 3;
/// The most requests of one sync.
const MAX_REQUESTS: usize = 1000;
