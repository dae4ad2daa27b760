//! One connection: HTTP/1.1 by the library `hyper`, with bounds in time and bytes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::answer::Pages;
use super::patient::Patient;
use super::places::Place;

/// How long a request with its headers may take to come, and how long a connection may stay open
/// without a request. A scraper that asks more often keeps its connection.
const REQUEST: Duration = Duration::from_secs(20);

/// How long the client may take to read an answer.
const ANSWER: Duration = Duration::from_secs(20);

/// The most headers of a request.
const HEADERS: usize = 64;

/// The most bytes that are held of a request: its headers, and what was sent behind it.
const REQUEST_BYTES: usize = 16 * 1024;

/// Serves one connection to its end.
pub(crate) async fn serve(stream: TcpStream, place: Place, pages: Arc<Pages>, mut stopping: watch::Receiver<bool>) {
    // Each answer is written at once, as a whole.
    let _ = stream.set_nodelay(true);
    let place = Arc::new(place);
    let service = service_fn(|request: Request<Incoming>| {
        let (place, pages) = (place.clone(), pages.clone());
        async move {
            place.works();
            let answer = pages.answer(&request).await;
            place.rests();
            Ok::<_, Infallible>(answer)
        }
    });
    let stream = TokioIo::new(Patient::new(stream, ANSWER));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_headers(HEADERS)
        .max_buf_size(REQUEST_BYTES)
        // A client that has ended its output still gets its answer.
        .half_close(true)
        .serve_connection(stream, service);
    let mut connection = std::pin::pin!(connection);
    // Errors are not reported: they concern this client alone, which was answered if that was
    // possible.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = place.lost() => return,
        () = super::stopped(&mut stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = place.lost() => {}
    }
}

/// Tells a connection for which there is no place, if its socket takes that without waiting.
pub(crate) fn refuse(stream: &TcpStream) {
    let (status, text) = (StatusCode::SERVICE_UNAVAILABLE, "all connections are being answered: try again\n");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nRetry-After: 1\r\n\
         Connection: close\r\n\r\n{text}",
        text.len()
    );
    let _ = stream.try_write(answer.as_bytes());
}
