//! A handler that panics.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpResponse, web};
use techkraft::connections::{ConnectionLimits, NetworkLimits, serve};
use techkraft::guard::{headers, request_log};

use crate::support::{browser, header};

async fn crash() -> HttpResponse {
    panic!("the buyer's name is Ada Lovelace");
}

/// Serves a handler that panics, behind the same layers as the app's, on a real socket.
fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let limits = ConnectionLimits {
        connections: 10,
        reuse_port: false,
        workers: Some(1),
        keep_alive: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
    };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = serve(listener, limits, NetworkLimits::default(), Arc::new(|_| {}), || {
                let pages = web::scope("").wrap(Compress::default());
                App::new()
                    .service(
                        pages
                            .route("/crash", web::get().to(crash))
                            .route("/", web::get().to(HttpResponse::NoContent)),
                    )
                    .wrap(from_fn(headers::secure_headers))
                    .wrap(from_fn(request_log::log_requests))
            });
            sender.send(()).expect("the test waits");
            server.expect("it listens").await.expect("it runs");
        });
    });
    receiver.recv().expect("it starts");
    format!("http://{address}")
}

#[test]
fn a_handler_that_panics_is_a_page_and_costs_nobody_the_connection() {
    let url = start();
    // One connection for all of them: the pool keeps a single one.
    let client = browser();
    for _ in 0..5 {
        let response = client.get(format!("{url}/crash")).send().expect("an answer, not a cut connection");
        assert_eq!(response.status(), 500);
        assert!(header(&response, "content-security-policy").starts_with("default-src 'self'"));
        assert_eq!(header(&response, "cache-control"), "no-store");
        let page = response.text().expect("a page");
        assert!(page.contains("broke backstage") && !page.contains("Ada"), "{page}");
        assert_eq!(
            client.get(format!("{url}/")).send().expect("an answer").status(),
            204,
            "the thread lives"
        );
    }
}
