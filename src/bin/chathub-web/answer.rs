//! The answer to each request. There are three pages, which can only be read.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use chathub::wire::admin::metrics::text::{Format, text};
use chathub::wire::admin::metrics::{Sheet, table};
use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::figures::Figures;
use super::handshakes;
use super::places::Places;

/// The status codes of answers, by which answers are counted.
const CODES: [StatusCode; 4] =
    [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];

const PLAIN: &str = "text/plain; charset=utf-8";

/// The pages.
#[derive(Debug)]
pub(crate) struct Pages {
    figures: Figures,
    tls_status: PathBuf,
    places: Arc<Places>,
    answered: [AtomicU64; CODES.len()],
}

impl Pages {
    pub(crate) fn new(figures: Figures, tls_status: PathBuf, places: Arc<Places>) -> Self {
        Self { figures, tls_status, places, answered: Default::default() }
    }

    /// Answers a request. A body is never read.
    pub(crate) async fn answer<B: Body>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let mut answer = match refusal(request) {
            Some(refusal) => refusal,
            None => match request.uri().path() {
                "/metrics" => {
                    let format = wanted(request.headers());
                    page(StatusCode::OK, format.media_type(), self.metrics(format).await)
                }
                "/" => page(StatusCode::OK, PLAIN, self.index().await),
                "/-/healthy" => page(StatusCode::OK, PLAIN, "chathub-web is healthy.\n".to_owned()),
                _ => page(StatusCode::NOT_FOUND, PLAIN, "There is no such page; / says what is here.\n".to_owned()),
            },
        };
        let counted = CODES.iter().zip(&self.answered).find(|(code, _)| **code == answer.status());
        if let Some((_, count)) = counted {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let headers = answer.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }

    /// The metrics of the hub, and those of this program. If the hub does not answer, a metric says
    /// so.
    async fn metrics(&self, format: Format) -> String {
        let answered = self.figures.now().await;
        let mut own = Sheet::default();
        own.count(&table::UP, answered.families.is_ok().into());
        own.value(&table::SCRAPE_DURATION, &[], answered.took.as_secs_f64());
        for (code, count) in CODES.iter().zip(&self.answered) {
            own.labelled(&table::WEB_REQUESTS, &[code.as_str()], count.load(Ordering::Relaxed));
        }
        own.count(&table::WEB_CONNECTIONS, self.places.count());
        own.count(&table::WEB_GAVE_WAY, self.places.gave_way());
        handshakes::measure(&mut own, &self.tls_status, SystemTime::now());
        let mut families = own.into_families();
        families.extend(answered.families.iter().flatten().cloned());
        text(&families, format)
    }

    async fn index(&self) -> String {
        let hub = match &self.figures.now().await.families {
            Ok(_) => "The hub answers.".to_owned(),
            // The reason may name the socket and the error of the system; nothing of it comes from
            // a stranger.
            Err(why) => format!("The hub does not answer: {why}."),
        };
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "chathub-web {version}: how a chat hub is doing, for programs that watch it.\n\n\
             /metrics    what is measured, as OpenMetrics or Prometheus' text, whichever is asked for\n\
             /-/healthy  whether this program answers\n\n\
             {hub}\n\nSee chathub-web(8).\n"
        )
    }
}

/// The refusal of a request that is for no page; `None` if it may be for one. After a refusal the
/// connection is closed.
fn refusal<B: Body>(request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    let headers = request.headers();
    let hosts = headers.get_all(header::HOST).iter().count();
    let mut answer = if hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11 {
        // RFC 9112, section 3.2.
        page(StatusCode::BAD_REQUEST, PLAIN, "A request has one Host header.\n".to_owned())
    } else if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "Pages can be read: GET and HEAD.\n".to_owned());
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        answer
    } else if !request.body().is_end_stream() || headers.contains_key(header::TRANSFER_ENCODING) {
        // Two programs might disagree on where a body ends (request smuggling).
        page(StatusCode::BAD_REQUEST, PLAIN, "A request has no body here.\n".to_owned())
    } else {
        return None;
    };
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(answer)
}

fn page(status: StatusCode, media_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    answer
}

/// The format that the `Accept` headers ask for (RFC 9110, section 12.5.1). It is OpenMetrics only
/// for clients that name it, and prefer it at least as much as the format that every scraper
/// understands.
fn wanted(headers: &HeaderMap) -> Format {
    let (mut open, mut plain) = (None, None);
    for range in
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','))
    {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut weight, mut version) = (1.0, None);
        for part in parts {
            let Some((name, value)) = part.split_once('=') else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => weight = value.trim().parse().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        let best = match (media_type.as_str(), version) {
            ("application/openmetrics-text", None | Some("1.0.0")) => &mut open,
            ("text/plain", None | Some("0.0.4")) => &mut plain,
            _ => continue,
        };
        *best = best.map_or(Some(weight), |best: f64| Some(best.max(weight)));
    }
    match (open, plain) {
        (Some(open), plain) if open > 0.0 && open >= plain.unwrap_or(0.0) => Format::OpenMetrics,
        _ => Format::Prometheus,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(accept: &[&'static str]) -> Format {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        wanted(&headers)
    }

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        use Format::{OpenMetrics, Prometheus};
        for (accept, wanted) in [
            (&[][..], Prometheus),
            (&["*/*"], Prometheus),
            (&["text/html,application/xhtml+xml,*/*;q=0.8"], Prometheus),
            (&["text/plain"], Prometheus),
            (&["application/openmetrics-text"], OpenMetrics),
            // Prometheus 2.42, as Debian 12 has it; 2.53; 3.
            (
                &["application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                   text/plain;version=0.0.4;q=0.5,*/*;q=0.1"],
                OpenMetrics,
            ),
            (
                &["application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                   text/plain;version=0.0.4;q=0.3,*/*;q=0.2"],
                OpenMetrics,
            ),
            (
                &["application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                   text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2"],
                OpenMetrics,
            ),
            (&["text/plain", "Application/OpenMetrics-Text; Version=\"1.0.0\"; q=0.9"], Prometheus),
            (&["application/openmetrics-text;version=0.0.1"], Prometheus),
            (&["application/openmetrics-text;q=0"], Prometheus),
            (&["application/openmetrics-text;q=nonsense"], Prometheus),
            (&[",;=,;;q,"], Prometheus),
        ] {
            assert_eq!(format(accept), wanted, "{accept:?}");
        }
    }
}
