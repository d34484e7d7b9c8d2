//! Who sells on this site: the name, address and contact of the box office. Pages for visitors name it, and new
//! concerts begin with it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use diesel::prelude::*;

use crate::schema::box_office;

/// Who sells. All empty until an owner has entered it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = box_office)]
pub struct BoxOffice {
    pub name: String,
    pub address: String,
    pub contact: String,
}

/// The same as this server knows it: pages read no database for it.
#[derive(Debug, Default)]
pub struct KnownBoxOffice(ArcSwap<BoxOffice>);

impl KnownBoxOffice {
    #[must_use]
    pub fn now(&self) -> Arc<BoxOffice> {
        self.0.load_full()
    }

    /// From now on pages show this.
    pub fn set(&self, box_office: BoxOffice) {
        self.0.store(Arc::new(box_office));
    }
}
