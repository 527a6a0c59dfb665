//! The two sides of a sync.

use std::{cell::OnceCell, collections::HashSet, rc::Rc};

use futures_util::try_join;
use gix_hash::ObjectId;

use super::{error::Error, selection::Selection};
use crate::git::{ReceivePack, Ref, Remote, UploadPack};

/// Both sides, and what is known about them.
pub(super) struct Sides {
    pub(super) upload: Rc<UploadPack>,
    pub(super) source_ids: Vec<ObjectId>,
    pub(super) receive: ReceivePack,
    ids: OnceCell<HashSet<ObjectId>>,
    /// Whether the source was listed again, because it had been rewritten.
    pub(super) is_relisted: bool,
}

impl Sides {
    /// All ids that the destination is known to have. Collected at the first call, because a sync with nothing to do does
    /// not need them.
    pub(super) fn there(&self) -> &HashSet<ObjectId> {
        let gather = || self.receive.refs.iter().map(|r| r.id).chain(self.receive.haves.iter().copied()).collect();
        self.ids.get_or_init(gather)
    }

    /// Adds the pushed ids to the ids that the destination has.
    pub(super) fn have_arrived(&mut self, pushed: impl Iterator<Item = ObjectId>) {
        self.there();
        self.ids.get_mut().expect("they are gathered above").extend(pushed);
    }
}

impl Sides {
    /// Connects to both at once, and gives the source's refs too.
    ///
    /// # Errors
    ///
    /// If one of them cannot be reached, or if they name objects in different formats.
    pub(super) async fn connect(
        selection: &Selection,
        source: &Remote,
        destination: &Remote,
    ) -> Result<(Self, Vec<Ref>), Error> {
        let receive = async { destination.receive_pack().await.map_err(Error::Destination) };
        // Destination first: its ref list is usually the longer one.
        let (receive, (upload, refs)) = try_join!(receive, list(source, selection))?;
        if upload.object_format() != receive.object_format {
            return Err(Error::ObjectFormat {
                source_format: upload.object_format(),
                destination_format: receive.object_format,
            });
        }
        let source_ids = ids(&refs);
        Ok((Self { upload, source_ids, receive, ids: OnceCell::new(), is_relisted: false }, refs))
    }

    /// Lists the source's refs again.
    pub(super) async fn relist(&mut self, selection: &Selection, source: &Remote) -> Result<Vec<Ref>, Error> {
        let (upload, refs) = list(source, selection).await?;
        self.upload = upload;
        self.source_ids = ids(&refs);
        self.is_relisted = true;
        Ok(refs)
    }
}

async fn list(source: &Remote, selection: &Selection) -> Result<(Rc<UploadPack>, Vec<Ref>), Error> {
    let (upload, refs) = source.list_refs(&selection.prefixes()).await.map_err(Error::Source)?;
    Ok((Rc::new(upload), refs))
}

fn ids(refs: &[Ref]) -> Vec<ObjectId> {
    refs.iter().map(|r| r.id).collect()
}
