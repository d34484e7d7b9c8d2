//! Who sells on this site: the name, address and contact of the box office. Pages for visitors name it, and new
//! concerts begin with it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use diesel::prelude::*;
use tokio::sync::Mutex;

use crate::schema::box_office;

/// Who sells. All empty until an owner has entered it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = box_office)]
pub struct BoxOfficeDetails {
    pub name: String,
    pub address: String,
    pub contact: String,
}

/// This server's copy of the box office, so that pages read no database for it.
#[derive(Debug, Default)]
pub struct KnownBoxOffice {
    known: ArcSwap<BoxOfficeDetails>,
    /// Reads and changes run one after the other: a read that began before a change must not be shown after
    /// it.
    lock: Mutex<()>,
}

impl KnownBoxOffice {
    #[must_use]
    pub fn new(box_office: BoxOfficeDetails) -> Self {
        Self { known: ArcSwap::from_pointee(box_office), lock: Mutex::default() }
    }

    #[must_use]
    pub fn now(&self) -> Arc<BoxOfficeDetails> {
        self.known.load_full()
    }

    /// Reads or saves the box office. From then on pages show the result.
    ///
    /// # Errors
    /// Those of `work`. Pages then show the same as before.
    pub async fn update<E>(&self, work: impl Future<Output = Result<BoxOfficeDetails, E>>) -> Result<(), E> {
        let _lock = self.lock.lock().await;
        self.known.store(Arc::new(work.await?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use super::*;

    fn named(name: &str) -> BoxOfficeDetails {
        BoxOfficeDetails { name: name.into(), ..BoxOfficeDetails::default() }
    }

    /// Tried: without the lock the read, which ends last, puts the old name back.
    #[tokio::test]
    async fn a_read_that_began_before_a_change_is_not_shown_after_it() {
        let known = KnownBoxOffice::new(named("old"));
        let read = known.update::<Infallible>(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(named("old"))
        });
        let save = known.update::<Infallible>(async { Ok(named("new")) });
        let (Ok(()), Ok(())) = tokio::join!(read, save);
        assert_eq!(known.now().name, "new");
    }
}
