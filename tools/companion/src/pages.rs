//! The built book, as mdBook has made it, with the script that ties a page to this server.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use tower_http::services::ServeDir;

use crate::workshop::Workshop;
use crate::{board, guard};

const MAKE: &str = include_str!("../page/make.js");
const SCRIPT: &str = include_str!("../page/live.js");
const TERMINAL: &str = include_str!("../page/terminal.js");
const STYLE: &str = include_str!("../page/live.css");
const SEAT: &str = include_str!("../page/seat.js");
const SEAT_STYLE: &str = include_str!("../page/seat.css");
const BOARD: &str = include_str!("../page/board.html");
const BOARD_SCRIPT: &str = include_str!("../page/board.js");
const BOARD_STYLE: &str = include_str!("../page/board.css");
const FRONT: &str = include_str!("../page/front.html");

/// Whom the book is served to.
#[derive(Clone, Copy, PartialEq)]
pub enum Reader {
    /// Somebody alone, with one machine.
    Alone,
    /// Somebody in a workshop, with a seat.
    Seat,
    /// The teacher of a workshop, who has no machine and all solutions.
    Teacher,
}

/// The built book, as it is served.
pub struct Book {
    folder: PathBuf,
    reader: Reader,
    /// Whether the solutions of the exercises are left out.
    pub withheld: AtomicBool,
}

impl Book {
    /// In this folder.
    pub fn new(folder: &Path, reader: Reader) -> Self {
        Self {
            folder: folder.to_owned(),
            reader,
            withheld: AtomicBool::new(reader == Reader::Seat),
        }
    }
}

async fn script(text: &'static str) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        text,
    )
}

async fn style(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text)
}

/// The pages and what they need.
pub fn router(book: Arc<Book>) -> Router {
    Router::new()
        .route("/live/make.js", get(|| script(MAKE)))
        .route("/live/live.js", get(|| script(SCRIPT)))
        .route("/live/terminal.js", get(|| script(TERMINAL)))
        .route("/live/seat.js", get(|| script(SEAT)))
        .route("/live/live.css", get(|| style(STYLE)))
        .route("/live/seat.css", get(|| style(SEAT_STYLE)))
        .fallback(page)
        .with_state(book)
}

/// The board of a workshop.
pub fn board(workshop: Arc<Workshop>, book: &Path) -> Router {
    let (guard, knows) = (Arc::clone(&workshop), Arc::clone(&workshop));
    // For who has shown the word; others are led to where it's asked for. The book has its solutions here.
    let own = Router::new()
        .route("/", get(|| async { Html(BOARD) }))
        .nest_service("/book", router(Arc::new(Book::new(book, Reader::Teacher))))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let known = knows.guard.knows(request.headers());
            async move {
                if known {
                    next.run(request).await
                } else {
                    Redirect::to("/").into_response()
                }
            }
        }));
    Router::new()
        .route("/make.js", get(|| script(MAKE)))
        .route("/board.js", get(|| script(BOARD_SCRIPT)))
        .route("/terminal.js", get(|| script(TERMINAL)))
        .route("/live.css", get(|| style(STYLE)))
        .route("/board.css", get(|| style(BOARD_STYLE)))
        .route("/live", get(board::open))
        .with_state(workshop)
        .merge(own)
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let guard = Arc::clone(&guard);
            async move { guard.guard.let_in(request, next).await }
        }))
}

/// Where somebody comes who has typed the address of the workshop alone, or a wrong word.
pub fn front(again: bool) -> Response {
    const WRONG: &str = "<p role=\"alert\"><strong>That isn't the word of this seat. Look at the card again.</strong></p>";
    let policy = "default-src 'self'; form-action 'self'; frame-ancestors 'none'";
    let page = FRONT.replacen("<!-- wrong -->", if again { WRONG } else { "" }, 1);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

/// How that looks.
pub async fn board_style() -> impl IntoResponse {
    style(BOARD_STYLE).await
}

/// A page with the script in it; everything else as it is.
async fn page(
    State(book): State<Arc<Book>>,
    OriginalUri(asked): OriginalUri,
    request: Request,
) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let file = if path.is_empty() { "index.html" } else { path };
    let is_plain = Path::new(file)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if file.ends_with(".html") && is_plain {
        let base = asked
            .path()
            .strip_suffix(path)
            .unwrap_or_default()
            .trim_end_matches('/');
        built(&book.folder).await;
        let found = tokio::fs::read_to_string(book.folder.join(file)).await;
        let (status, text) = match found {
            Ok(text) => (StatusCode::OK, text),
            // mdBook's own page for that.
            Err(_) => {
                let text = tokio::fs::read_to_string(book.folder.join("404.html")).await;
                (StatusCode::NOT_FOUND, text.unwrap_or_default())
            }
        };
        return tie(&book, base, status, &text);
    }
    match ServeDir::new(&book.folder).try_call(request).await {
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
fn tie(book: &Book, base: &str, status: StatusCode, text: &str) -> Response {
    let Ok(nonce) = guard::random() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let text = if book.withheld.load(Ordering::SeqCst) {
        Cow::Owned(without_solutions(text))
    } else {
        Cow::Borrowed(text)
    };
    let ours: &[&str] = match book.reader {
        Reader::Alone => &["live"],
        Reader::Seat => &["seat", "live"],
        Reader::Teacher => &[],
    };
    let ours: String = ours
        .iter()
        .map(|name| {
            format!(
                "<link rel=\"stylesheet\" href=\"{base}/live/{name}.css\">\
                 <script src=\"{base}/live/{name}.js\" type=\"module\"></script>"
            )
        })
        .collect();
    let text = text
        .replace("<script>", &format!("<script nonce=\"{nonce}\">"))
        .replacen("</head>", &format!("{ours}</head>"), 1);
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A page without what folds open below "Solution".
fn without_solutions(text: &str) -> String {
    const BEGIN: &str = "<details>";
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, fold)) = rest.split_once(BEGIN) {
        left += before;
        let is_solution = fold.trim_start().starts_with("<summary>Solution</summary>");
        if let Some((_, after)) = fold.split_once("</details>").filter(|_| is_solution) {
            left += "<p class=\"live-withheld\">Your teacher shows the solution later.</p>";
            rest = after;
        } else {
            left += BEGIN;
            rest = fold;
        }
    }
    left + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_are_left_out_and_nothing_else() {
        let text = "a<details>\n<summary>Solution</summary>\nsecret</details>b<details><summary>More</summary>c</details>d";
        let left = without_solutions(text);
        assert!(!left.contains("secret"));
        assert!(
            left.starts_with("a<p")
                && left.ends_with("b<details><summary>More</summary>c</details>d")
        );
    }
}
