//! Lets one request of a connection have a long body. The reader of a file asks for it; every other body stays short.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use actix_web::HttpRequest;

const NONE: u8 = 0;
const GIVEN: u8 = 1;
/// The reader of the file has ended.
const USED: u8 = 2;

/// The state of one connection.
#[derive(Debug, Clone, Default)]
pub struct BodyAllowance(Arc<AtomicU8>);

/// While this exists, the connection of a request may carry a file.
#[derive(Debug)]
pub struct LongBody(Option<BodyAllowance>);

impl LongBody {
    /// Allows a long body for a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let allowance = request.conn_data::<BodyAllowance>().cloned();
        if let Some(BodyAllowance(state)) = &allowance {
            state.store(GIVEN, Ordering::Release);
        }
        Self(allowance)
    }
}

impl Drop for LongBody {
    fn drop(&mut self) {
        if let Some(BodyAllowance(state)) = &self.0 {
            state.store(USED, Ordering::Release);
        }
    }
}

impl BodyAllowance {
    pub(super) fn is_given(&self) -> bool {
        self.0.load(Ordering::Acquire) == GIVEN
    }

    /// Whether a file has been read. Returns true only once for each file.
    pub(super) fn take_used(&self) -> bool {
        self.0.load(Ordering::Acquire) == USED
            && self.0.compare_exchange(USED, NONE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_the_file_is_read() {
        let allowance = BodyAllowance::default();
        assert!(!allowance.is_given() && !allowance.take_used());
        allowance.0.store(GIVEN, Ordering::Release);
        let body = LongBody(Some(allowance.clone()));
        assert!(allowance.is_given() && !allowance.take_used());
        drop(body);
        assert!(!allowance.is_given());
        assert!(allowance.take_used() && !allowance.take_used());
    }
}
