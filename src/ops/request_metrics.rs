//! Requests and their duration, by method, route and status class.
//!
//! A poll takes a few microseconds, seventy thousand times a second, so counting it must be nearly free: each thread
//! counts in cells of its own, and no two threads ever write to the same memory. Reading the metrics adds them up.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::resource::Endpoint;

/// The label of requests that no route matches.
const NO_ROUTE: &str = "none";

/// Upper bounds of the buckets in microseconds, from a poll to twice the default deadline of an order. In a rush a
/// buyer should wait 1 s at most.
const BOUNDS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 2_500_000,
    10_000_000,
];
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "other"];
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];
const KINDS: usize = METHODS.len() * CLASSES.len();

/// One thread's count of one kind of response.
#[derive(Default)]
struct Cell {
    /// How many were within each bound, and how many were above all.
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Cell {
    /// Only the thread that owns the cell may call this: it reads and writes in two steps.
    fn record(&self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS_US.iter().position(|bound| took_us <= *bound).unwrap_or(BOUNDS_US.len());
        for (counter, more) in [(&self.counts[place], 1), (&self.sum_us, took_us)] {
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
        }
    }
}

/// What a cell counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ResponseKind {
    pattern: &'static str,
    /// An index into [`METHODS`] and one into [`CLASSES`].
    place: usize,
}

/// The cells of all threads. Those of a finished thread stay: counters must never decrease.
#[derive(Default)]
pub(super) struct Requests {
    cells: Mutex<Vec<(ResponseKind, Arc<Cell>)>>,
}

/// Counts the requests of one thread.
#[derive(Clone)]
pub struct Recorder(Rc<Counting>);

struct Counting {
    all: Arc<Requests>,
    /// In the order of their first request. There are few, so each is found by a linear search.
    known: RefCell<Vec<Known>>,
}

struct Known {
    pattern: &'static str,
    cells: [Option<Arc<Cell>>; KINDS],
}

impl Requests {
    pub(super) fn recorder(self: &Arc<Self>) -> Recorder {
        Recorder(Rc::new(Counting { all: Arc::clone(self), known: RefCell::default() }))
    }

    fn new_cell(&self, kind: ResponseKind) -> Arc<Cell> {
        let cell = Arc::<Cell>::default();
        self.cells.lock().push((kind, Arc::clone(&cell)));
        cell
    }

    /// The sums over all threads, for each kind.
    fn totals(&self) -> Vec<(ResponseKind, [u64; BOUNDS_US.len() + 1], u64)> {
        let mut totals: Vec<(ResponseKind, [u64; BOUNDS_US.len() + 1], u64)> = Vec::new();
        for (kind, cell) in &*self.cells.lock() {
            let at = totals.iter().position(|(known, ..)| known == kind).unwrap_or_else(|| {
                totals.push((*kind, Default::default(), 0));
                totals.len() - 1
            });
            let (_, counts, sum_us) = &mut totals[at];
            for (total, counter) in counts.iter_mut().zip(&cell.counts) {
                *total += counter.load(Ordering::Relaxed);
            }
            *sum_us += cell.sum_us.load(Ordering::Relaxed);
        }
        totals.sort_unstable_by_key(|(kind, ..)| *kind);
        totals
    }
}

impl Recorder {
    /// Calls the service, and counts the request.
    pub fn measure<S, B>(
        &self,
        request: ServiceRequest,
        service: &S,
    ) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    {
        let started = Instant::now();
        let method = method_place(request.method());
        let recorder = self.clone();
        let answer = service.call(request);
        async move {
            let answer = answer.await;
            let (pattern, status) = match &answer {
                Ok(response) => {
                    let endpoint = response.request().app_data::<&'static Endpoint>();
                    (endpoint.map(|endpoint| endpoint.pattern), response.status())
                }
                Err(error) => (None, error.as_response_error().status_code()),
            };
            recorder.record(pattern.unwrap_or(NO_ROUTE), method, status, started.elapsed());
            answer
        }
    }

    fn record(&self, pattern: &'static str, method: usize, status: StatusCode, took: Duration) {
        let place = method * CLASSES.len() + class_place(status);
        let mut known = self.0.known.borrow_mut();
        // Patterns are statics, so comparing addresses is enough; a duplicate would only cost a second cell.
        let at = known.iter().position(|it| std::ptr::eq(it.pattern, pattern)).unwrap_or_else(|| {
            known.push(Known { pattern, cells: Default::default() });
            known.len() - 1
        });
        let cell = known[at].cells[place]
            .get_or_insert_with(|| self.0.all.new_cell(ResponseKind { pattern, place }));
        cell.record(took);
    }
}

fn method_place(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::HEAD => 1,
        Method::POST => 2,
        _ => 3,
    }
}

fn class_place(status: StatusCode) -> usize {
    match status.as_u16() {
        class @ 100..=599 => usize::from(class / 100 - 1),
        _ => 5,
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let totals = self.totals();
        let help = "Time from the head of a request to the head of its response";
        let (name, unit) = ("http_request_duration", Unit::Seconds);
        let mut family = encoder.encode_descriptor(name, help, Some(&unit), MetricType::Histogram)?;
        for (ResponseKind { pattern, place }, counts, sum_us) in totals {
            let labels = [
                ("method", METHODS[place / CLASSES.len()]),
                ("route", pattern),
                ("status", CLASSES[place % CLASSES.len()]),
            ];
            let bounds = BOUNDS_US.iter().map(|us| seconds(*us)).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
            let count = counts.iter().sum();
            let mut series = family.encode_family(&labels)?;
            series.encode_histogram::<[(&str, &str); 0]>(seconds(sum_us), count, &buckets, None)?;
        }
        Ok(())
    }
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn counts_of_two_threads_are_added_up() {
        let requests = Arc::<Requests>::default();
        for _ in 0..2 {
            let recorder = requests.recorder();
            recorder.record("/", 0, StatusCode::OK, Duration::from_micros(100));
            recorder.record("/", 0, StatusCode::OK, Duration::from_micros(101));
            recorder.record("/bookings", 2, StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(11));
        }
        let mut registry = Registry::default();
        registry.register_collector(Box::new(requests));
        let mut text = String::new();
        encode(&mut text, &registry).expect("text");
        for line in [
            r#"http_request_duration_seconds_bucket{method="GET",route="/",status="2xx",le="0.0001"} 2"#,
            r#"http_request_duration_seconds_bucket{method="GET",route="/",status="2xx",le="0.00025"} 4"#,
            r#"http_request_duration_seconds_count{method="GET",route="/",status="2xx"} 4"#,
            r#"http_request_duration_seconds_sum{method="GET",route="/",status="2xx"} 0.000402"#,
            r#"http_request_duration_seconds_bucket{method="POST",route="/bookings",status="5xx",le="10"} 0"#,
            r#"http_request_duration_seconds_bucket{method="POST",route="/bookings",status="5xx",le="+Inf"} 2"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
