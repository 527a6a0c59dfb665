//! Proves fast-forwards from the pack itself while it flows, and lets its end through only once they are proved and the source
//! has ended cleanly.
//!
//! Git writes commits first, so the proof is complete within the pack's first pages. The last bytes of a pack are its hash:
//! without them the destination refuses the whole push and no ref moves. So a push may start before anything is proved,
//! as long as those bytes are held back until then. This saves the round trip that a proof of its own costs. And whatever
//! happens before they are let through, the destination has done nothing.
//!
//! A pack that does not prove them all says nothing against them: other haves may have stopped the server's walk. The
//! caller then asks as [`proof`](super::proof) does.

use bytes::Bytes;
use gix_hash::{Kind, ObjectId};

use crate::git::{Ancestry, CommitScanner, ErrorKind, Limits};

/// A fast-forward to be proved: the destination's commit and the source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// What the destination has.
    pub(super) base: ObjectId,
    /// What the source has.
    pub(super) tip: ObjectId,
}

/// Watches a pack go by.
pub(super) struct Gate {
    /// Nothing once all is proved, for the commits so far take room.
    proof: Option<Proof>,
    /// The last bytes so far, as many as a hash has.
    held: Bytes,
    hash_length: usize,
}

/// What is still to be proved, from the commits so far.
struct Proof {
    claims: Vec<Claim>,
    scanner: CommitScanner,
    /// How many commits there have to be for the next look at them.
    next_look: usize,
}

/// The pack's end came, or its commits ended, and something is not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unproved;

impl Gate {
    /// A gate that opens when all claims are proved.
    pub(super) fn new(claims: Vec<Claim>, object_format: Kind, limits: &Limits) -> Self {
        let proof = (!claims.is_empty()).then(|| Proof {
            claims,
            scanner: CommitScanner::new(object_format, limits),
            next_look: 1,
        });
        Self { proof, held: Bytes::new(), hash_length: object_format.len_in_bytes() }
    }

    /// Takes the pack's next bytes and gives those that may go on.
    ///
    /// # Errors
    ///
    /// A pack that cannot be read, or one whose commits are over and do not prove the claims.
    pub(super) fn pass(&mut self, chunk: Bytes) -> Result<Result<[Bytes; 2], Unproved>, ErrorKind> {
        if let Some(proof) = &mut self.proof {
            match proof.scanner.push(&chunk) {
                // A question of its own tells which of the updates it is that has too much.
                Err(ErrorKind::Exceeded(_)) => return Ok(Err(Unproved)),
                result => result?,
            }
            // Git writes commits and tags before all else: no later object can prove anything. Nor can one that is a delta to a
            // commit that is not kept any more.
            let is_last = proof.scanner.is_past_commits() || proof.scanner.lost().is_some();
            if (is_last || proof.is_due()) && proof.look() {
                self.proof = None;
            } else if is_last {
                return Ok(Err(Unproved));
            }
        }
        Ok(Ok(self.hold(chunk)))
    }

    /// The pack's end, which may go on now that the source has ended.
    pub(super) fn end(&mut self) -> Result<Bytes, Unproved> {
        if let Some(proof) = &mut self.proof
            && !proof.look()
        {
            return Err(Unproved);
        }
        Ok(std::mem::take(&mut self.held))
    }

    /// Keeps the last bytes, and gives what comes before them: of what was held, and of the chunk.
    fn hold(&mut self, mut chunk: Bytes) -> [Bytes; 2] {
        let free = (self.held.len() + chunk.len()).saturating_sub(self.hash_length);
        let first = self.held.split_to(free.min(self.held.len()));
        let second = chunk.split_to(free - first.len());
        self.held = if self.held.is_empty() { chunk } else { [&self.held[..], &chunk].concat().into() };
        [first, second]
    }
}

impl Proof {
    /// Whether a look is worth while: it goes over all commits, so there have to be twice as many as at the last one.
    fn is_due(&self) -> bool {
        self.scanner.graph().len() >= self.next_look
    }

    /// Drops the claims that the commits so far prove; whether none is left.
    fn look(&mut self) -> bool {
        let graph = self.scanner.graph();
        self.next_look = graph.len() * 2;
        self.claims.retain(|claim| graph.ancestry(claim.base, claim.tip) != Ancestry::Ancestor);
        self.claims.is_empty()
    }
}
