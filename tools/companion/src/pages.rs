//! The built book, as mdBook has made it, with the script that ties a page to this server.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tower_http::services::ServeDir;

use crate::guard;

const SCRIPT: &str = include_str!("../page/live.js");
const TERMINAL: &str = include_str!("../page/terminal.js");
const STYLE: &str = include_str!("../page/live.css");

/// The pages and what they need.
pub fn router(book: PathBuf) -> Router {
    let script = |text| async move {
        (
            [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
            text,
        )
    };
    let style = || async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) };
    Router::new()
        .route("/live/live.js", get(move || script(SCRIPT)))
        .route("/live/terminal.js", get(move || script(TERMINAL)))
        .route("/live/live.css", get(style))
        .fallback(page)
        .with_state(book)
}

/// A page with the script in it; everything else as it is.
async fn page(State(book): State<PathBuf>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let file = if path.is_empty() { "index.html" } else { path };
    let is_plain = Path::new(file)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if file.ends_with(".html") && is_plain {
        built(&book).await;
        let found = tokio::fs::read_to_string(book.join(file)).await;
        let (status, text) = match found {
            Ok(text) => (StatusCode::OK, text),
            // mdBook's own page for that.
            Err(_) => {
                let text = tokio::fs::read_to_string(book.join("404.html")).await;
                (StatusCode::NOT_FOUND, text.unwrap_or_default())
            }
        };
        return tie(status, &text);
    }
    match ServeDir::new(book).try_call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Waits while mdBook builds the book anew: it clears the folder, and writes this page last.
async fn built(book: &Path) {
    for _ in 0..50 {
        if book.join("print.html").exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Only scripts that were in the page when it was served may run in it, whatever else gets into it.
fn tie(status: StatusCode, text: &str) -> Response {
    let Ok(nonce) = guard::random() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let text = text
        .replace("<script>", &format!("<script nonce=\"{nonce}\">"))
        .replacen(
            "</head>",
            "<link rel=\"stylesheet\" href=\"/live/live.css\">\
             <script src=\"/live/live.js\" type=\"module\"></script></head>",
            1,
        );
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
