//! The parts of a glob.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal(char),
    AnyOne,
    AnyRun,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Token {
    /// Whether this is a token for one character, and it matches this one.
    pub(super) fn takes(&self, character: u32) -> bool {
        match self {
            Self::Literal(literal) => u32::from(*literal) == character,
            Self::AnyOne => true,
            Self::AnyRun => false,
            Self::Class { negated, ranges } => {
                let is_in = |(from, to): &(char, char)| (u32::from(*from)..=u32::from(*to)).contains(&character);
                ranges.iter().any(is_in) != *negated
            }
        }
    }
}
