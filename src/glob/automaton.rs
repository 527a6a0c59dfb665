//! Matches a glob in one walk over the name, however many `*` the glob has.
//!
//! The state is a set of positions in the glob, kept as bits: bit `n` says that the first `n` tokens match the name so far. A
//! character takes a fixed number of word operations, one word for each 64 tokens. Nothing is tried twice.

use super::token::Token;

/// A glob, ready to be walked.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    /// How many words a set of positions takes.
    words: usize,
    /// The position after the last token.
    end: usize,
    /// The positions before a `*`.
    runs: Vec<u64>,
    /// Where each interval of characters starts. All characters of an interval match the same tokens.
    starts: Vec<u32>,
    /// For each interval, the positions before a token that matches its characters.
    takes: Vec<u64>,
}

impl Automaton {
    pub(super) fn new(tokens: &[Token]) -> Self {
        let end = tokens.len();
        let words = end / 64 + 1;
        let mut starts = vec![0];
        for token in tokens {
            match token {
                Token::Literal(c) => starts.extend([u32::from(*c), u32::from(*c) + 1]),
                Token::Class { ranges, .. } => {
                    starts.extend(ranges.iter().flat_map(|(from, to)| [u32::from(*from), u32::from(*to) + 1]));
                }
                Token::AnyOne | Token::AnyRun => {}
            }
        }
        starts.sort_unstable();
        starts.dedup();
        let mut takes = vec![0; starts.len() * words];
        let mut runs = vec![0; words];
        for (at, token) in tokens.iter().enumerate() {
            let (word, bit) = (at / 64, 1 << (at % 64));
            if *token == Token::AnyRun {
                runs[word] |= bit;
                continue;
            }
            for (interval, start) in starts.iter().enumerate() {
                if token.takes(*start) {
                    takes[interval * words + word] |= bit;
                }
            }
        }
        Self { words, end, runs, starts, takes }
    }

    /// Whether the whole of `name` matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let mut positions = vec![0; self.words];
        positions[0] = 1;
        self.skip_runs(&mut positions);
        for c in name.chars() {
            let interval = self.starts.partition_point(|start| *start <= u32::from(c)) - 1;
            let takes = &self.takes[interval * self.words..][..self.words];
            let mut carry = 0;
            for ((position, takes), runs) in positions.iter_mut().zip(takes).zip(&self.runs) {
                let moved = *position & takes;
                *position = *position & runs | moved << 1 | carry;
                carry = moved >> 63;
            }
            self.skip_runs(&mut positions);
            if positions.iter().all(|word| *word == 0) {
                return false;
            }
        }
        positions[self.end / 64] >> (self.end % 64) & 1 == 1
    }

    /// A `*` also matches nothing. Two never stand next to each other.
    fn skip_runs(&self, positions: &mut [u64]) {
        let mut carry = 0;
        for (position, runs) in positions.iter_mut().zip(&self.runs) {
            let skipped = *position & runs;
            *position |= skipped << 1 | carry;
            carry = skipped >> 63;
        }
    }
}
