//! Proves fast-forwards from the pack itself while it flows. The end of the pack is forwarded only when they are proved and
//! the source has ended cleanly.
//!
//! Git writes commits first, so the proof is complete within the pack's first pages. The last bytes of a pack are its hash:
//! without them the destination refuses the whole push and no ref moves. So a push may start before anything is proved, if
//! those bytes are held back until then. This saves the round trip of a separate proof. And if anything fails before those
//! bytes are sent, the destination has done nothing.
//!
//! If a pack does not prove all of them, they may still be fast-forwards: other haves may have stopped the server's walk.
//! The caller then proves them with requests of its own, see [`proof`](crate::sync::proof).

use bytes::Bytes;
use gix_hash::Kind;

use crate::{
    git::{Ancestry, CommitScanner, ErrorKind, Limits},
    sync::update::Update,
};

/// Watches a pack on its way.
pub(super) struct Gate {
    /// Dropped when everything is proved, because the commits take memory.
    proof: Option<Proof>,
    /// The last bytes so far, as many as a hash has. They are held back.
    held: Bytes,
    hash_length: usize,
}

/// The claims that are not proved yet, and the commits so far.
struct Proof {
    claims: Vec<Update>,
    scanner: CommitScanner,
    /// How many commits must have come before the next check.
    next_look: usize,
}

/// The pack or its commits ended, and a claim is not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unproved;

impl Gate {
    /// A gate that opens when all claims are proved.
    pub(super) fn new(claims: Vec<Update>, object_format: Kind, limits: &Limits) -> Self {
        let proof = (!claims.is_empty()).then(|| Proof {
            claims,
            scanner: CommitScanner::new(object_format, limits),
            next_look: 1,
        });
        Self { proof, held: Bytes::new(), hash_length: object_format.len_in_bytes() }
    }

    /// Takes the pack's next bytes and returns the bytes that may be forwarded.
    ///
    /// # Errors
    ///
    /// If the pack cannot be read, or if its commits have ended and do not prove the claims.
    pub(super) fn pass(&mut self, chunk: Bytes) -> Result<Result<[Bytes; 2], Unproved>, ErrorKind> {
        if let Some(proof) = &mut self.proof {
            match proof.scanner.push(&chunk) {
                // A separate proof finds out which update has too many commits.
                Err(ErrorKind::Exceeded(_)) => return Ok(Err(Unproved)),
                result => result?,
            }
            // Git writes commits and tags before everything else, so no later object can prove anything. A delta cannot
            // either, if its base commit is not kept any more.
            let is_last = proof.scanner.is_past_commits() || proof.scanner.lost().is_some();
            if (is_last || proof.is_due()) && proof.look() {
                self.proof = None;
            } else if is_last {
                return Ok(Err(Unproved));
            }
        }
        Ok(Ok(self.hold(chunk)))
    }

    /// The pack's last bytes. They may be forwarded now, because the source has ended cleanly.
    pub(super) fn end(&mut self) -> Result<Bytes, Unproved> {
        if let Some(proof) = &mut self.proof
            && !proof.look()
        {
            return Err(Unproved);
        }
        Ok(std::mem::take(&mut self.held))
    }

    /// Keeps the last bytes, and returns all bytes before them: of the held bytes and of the chunk.
    fn hold(&mut self, mut chunk: Bytes) -> [Bytes; 2] {
        let free = (self.held.len() + chunk.len()).saturating_sub(self.hash_length);
        let first = self.held.split_to(free.min(self.held.len()));
        let second = chunk.split_to(free - first.len());
        self.held = if self.held.is_empty() { chunk } else { [&self.held[..], &chunk].concat().into() };
        [first, second]
    }
}

impl Proof {
    /// Whether to check now. A check reads all commits, so it happens only when their number has doubled.
    fn is_due(&self) -> bool {
        self.scanner.graph().len() >= self.next_look
    }

    /// Drops the claims that the commits so far prove. Returns whether no claim is left.
    fn look(&mut self) -> bool {
        let graph = self.scanner.graph();
        self.next_look = graph.len() * 2;
        self.claims.retain(|claim| graph.ancestry(claim.base, claim.tip) != Ancestry::Ancestor);
        self.claims.is_empty()
    }
}
