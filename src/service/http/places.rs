//! Limits on simultaneous plans and event streams of one organisation, in this process.

use crate::service::error::Error;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

/// The places of all organisations.
pub struct Places {
    what: &'static str,
    most: usize,
    taken: RefCell<HashMap<String, usize>>,
    total: Cell<usize>,
}

/// A taken place. Dropping this frees it.
pub struct Place {
    places: Rc<Places>,
    org_id: String,
}

impl Places {
    /// `most` places for each organisation. `what` names their use, in the plural.
    pub fn new(what: &'static str, most: usize) -> Rc<Self> {
        Rc::new(Self { what, most, taken: RefCell::default(), total: Cell::default() })
    }

    /// Takes a place of an organisation.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if all of them are taken.
    pub fn take(self: &Rc<Self>, org_id: &str) -> Result<Place, Error> {
        let mut taken = self.taken.borrow_mut();
        let places = taken.entry(org_id.to_owned()).or_default();
        if *places >= self.most {
            return Err(Error::Busy { what: self.what, most: self.most });
        }
        *places += 1;
        self.total.set(self.total.get() + 1);
        Ok(Place { places: self.clone(), org_id: org_id.to_owned() })
    }

    /// How many places are taken, over all organisations.
    pub fn total(&self) -> usize {
        self.total.get()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self { places, org_id } = self;
        places.total.set(places.total.get() - 1);
        let mut taken = places.taken.borrow_mut();
        let Some(count) = taken.get_mut(org_id) else { return };
        *count -= 1;
        if *count == 0 {
            taken.remove(org_id);
        }
    }
}
