//! The connection of one page: what it is told, and what it asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt;
use futures_util::stream::{SplitSink, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use session::script::Script;
use session::steps::{self, all_steps, session_of};
use tokio::sync::broadcast::error::RecvError;

use crate::guard::Guard;
use crate::hub::Hub;
use crate::lab::{self, Job, Lab};
use crate::machine::Machine;
use crate::screen::View;
use crate::seat::{Flag, Seat};

/// So many pages may be open.
const PAGES: usize = 100;

/// A page that takes nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// A screen is drawn no more often than that.
pub const FRAME: Duration = Duration::from_millis(16);

/// A page asks for nothing longer, but for what is pasted.
const LONGEST: usize = 1 << 16;

/// Everything that a page may reach.
pub struct Companion {
    pub guard: Guard,
    pub hub: Arc<Hub>,
    pub machine: Arc<Machine>,
    /// The labs, by release; none where the page is tied to this machine.
    pub labs: BTreeMap<String, Arc<Lab>>,
    /// The one that the reader works in.
    pub lab: Option<Arc<Lab>>,
    pub pages: AtomicUsize,
    /// The seat of a workshop, if it is one.
    pub seat: Option<Arc<Seat>>,
}

/// What a page asks for. A run is named, and never spelt out.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Ask {
    /// It shows this chapter.
    Chapter(String),
    /// To play something, in the lab of a release.
    Play { suite: String, job: Job },
    /// To end what is played.
    Stop(String),
    /// To see the terminal, or no longer.
    Terminal(bool),
    /// What was typed there.
    Keys(String),
    /// What was pasted there.
    Paste(String),
    /// How high it is.
    Rows(u16),
    /// How far it is scrolled back.
    Back(usize),
    /// What doctor.sh says.
    Doctor,
    /// The first hints of an exercise.
    Hints { exercise: String, count: usize },
    /// To hold something up for the teacher to see.
    Flag(Option<Flag>),
    /// To ask the teacher something.
    Question(String),
    /// Whether the teacher may type.
    Agree(bool),
}

/// Opens a socket for a page of this server, in a browser that has shown the token.
pub async fn open(State(companion): State<Arc<Companion>>, request: Request) -> Response {
    let upgrade = match upgrade(&companion.guard, &companion.pages, request).await {
        Ok(upgrade) => upgrade,
        Err(refused) => return *refused,
    };
    companion.hub.count_page(1);
    let counted = Counted(companion);
    upgrade.on_upgrade(async move |socket| serve(&counted.0, socket).await)
}

/// What may become a connection, which counts as one more page.
///
/// # Errors
///
/// If it may not: what to answer instead.
pub async fn upgrade(
    guard: &Guard,
    pages: &AtomicUsize,
    request: Request,
) -> Result<WebSocketUpgrade, Box<Response>> {
    let refuse =
        |status: StatusCode, why: &'static str| Err(Box::new((status, why).into_response()));
    if !guard.knows(request.headers()) {
        let why = if guard.base.is_empty() {
            "This browser has not shown the token. Open the address that scripts/serve.sh has printed.\n"
        } else {
            "This browser has not shown the word that stands on the card.\n"
        };
        return refuse(StatusCode::UNAUTHORIZED, why);
    }
    if !request.headers().contains_key("upgrade") {
        return refuse(
            StatusCode::UPGRADE_REQUIRED,
            "The pages of the book connect here.\n",
        );
    }
    if !guard.is_own_page(request.headers()) {
        return refuse(
            StatusCode::FORBIDDEN,
            "Only the pages of this book may connect here.\n",
        );
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|rejection| Box::new(rejection.into_response()))?;
    if pages.fetch_add(1, Ordering::SeqCst) >= PAGES {
        pages.fetch_sub(1, Ordering::SeqCst);
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "So many pages are open that this one stays still.\n",
        );
    }
    Ok(upgrade.max_message_size(LONGEST))
}

/// What a participant takes along: all that the terminal has shown and still knows.
pub async fn take_along(State(companion): State<Arc<Companion>>, request: Request) -> Response {
    let (Some(lab), Some(seat), true) = (
        &companion.lab,
        &companion.seat,
        companion.guard.knows(request.headers()),
    ) else {
        return (
            StatusCode::UNAUTHORIZED,
            "There is nothing to take along.\n",
        )
            .into_response();
    };
    (
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"my-session.txt\"",
            ),
            (header::CACHE_CONTROL, "no-store"),
        ],
        format!(
            "Writing a systemd service in Rust: what the terminal of seat {} has shown, up to its last 2000 lines.\n\n{}",
            seat.number,
            lab.text()
        ),
    )
        .into_response()
}

/// A page that is counted as long as this is there, however it ends.
struct Counted(Arc<Companion>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.hub.count_page(-1);
        self.0.pages.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What one page has of the terminal.
#[derive(Default)]
pub struct Terminal {
    pub open: bool,
    pub back: usize,
    shown: View,
}

async fn serve(companion: &Companion, socket: WebSocket) {
    let (mut page, mut asks) = socket.split();
    let (now, mut news) = companion.hub.subscribe();
    for message in now {
        if !send(&mut page, message).await {
            return;
        }
    }
    let mut terminal = Terminal::default();
    let mut changes = companion.lab.as_ref().map(|lab| lab.changes());
    loop {
        let changed = async {
            match &mut changes {
                Some(changes) if terminal.open => {
                    let _ = changes.changed().await;
                }
                _ => std::future::pending().await,
            }
        };
        let goes_on = tokio::select! {
            ask = asks.next() => match ask {
                Some(Ok(Message::Text(text))) => answer(companion, &text, &mut terminal, &mut page).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
            new = news.recv() => match new {
                Ok(message) => send(&mut page, message).await,
                // It takes nothing, so it is better off if it asks anew.
                Err(RecvError::Lagged(_) | RecvError::Closed) => false,
            },
            () = changed => {
                let goes_on = match &companion.lab {
                    Some(lab) => show(lab, &mut terminal, &mut page).await,
                    None => true,
                };
                tokio::time::sleep(FRAME).await;
                goes_on
            }
        };
        if !goes_on {
            return;
        }
    }
}

pub type Page = SplitSink<WebSocket, Message>;

/// False if the page takes nothing.
pub async fn send(page: &mut Page, text: Utf8Bytes) -> bool {
    matches!(
        tokio::time::timeout(PATIENCE, page.send(Message::Text(text))).await,
        Ok(Ok(()))
    )
}

pub async fn send_value(page: &mut Page, value: Value) -> bool {
    send(page, value.to_string().into()).await
}

/// The rows of the screen that have changed.
pub async fn show(lab: &Lab, terminal: &mut Terminal, page: &mut Page) -> bool {
    let view = lab.view(terminal.back);
    if view == terminal.shown {
        return true;
    }
    let same_height = view.rows.len() == terminal.shown.rows.len();
    let changed: Vec<_> = view
        .rows
        .iter()
        .enumerate()
        .filter(|(at, row)| !same_height || terminal.shown.rows[*at] != **row)
        .collect();
    let value = json!({ "screen": {
        "rows": view.rows.len(), "changed": changed, "cursor": view.cursor,
        "back": view.back, "application": view.application,
    }});
    terminal.back = view.back;
    terminal.shown = view;
    send_value(page, value).await
}

async fn answer(
    companion: &Companion,
    text: &str,
    terminal: &mut Terminal,
    page: &mut Page,
) -> bool {
    let ask: Ask = match serde_json::from_str(text) {
        Ok(ask) => ask,
        Err(error) => {
            return send_value(
                page,
                json!({ "refused": format!("not understood: {error}") }),
            )
            .await;
        }
    };
    if let (Some(seat), Ask::Keys(_) | Ask::Paste(_) | Ask::Play { .. }) = (&companion.seat, &ask) {
        seat.works();
    }
    let answer = match ask {
        Ask::Chapter(step) => chapter(&step).map(|blocks| {
            if let Some(seat) = &companion.seat {
                seat.reads(&step);
            }
            let suites: Vec<_> = companion.labs.keys().collect();
            Some(json!({ "chapter": { "step": step, "blocks": blocks, "suites": suites } }))
        }),
        Ask::Doctor => {
            companion.machine.examine();
            Ok(None)
        }
        Ask::Hints { exercise, count } => hints(&exercise, count).map(|(hints, of)| {
            Some(json!({ "hints": { "exercise": exercise, "hints": hints, "of": of } }))
        }),
        Ask::Play { suite, job } => match companion.labs.get(&suite) {
            Some(_) if lab::must_exist(&job).is_err() => lab::must_exist(&job).map(|()| None),
            Some(lab) if lab.play(job.clone()) => Ok(None),
            Some(_) => Err(anyhow::anyhow!(
                "something is being run in this lab already; one at a time"
            )),
            None => Err(anyhow::anyhow!("there is no lab of '{suite}' here")),
        },
        Ask::Stop(suite) => {
            if let Some(lab) = companion.labs.get(&suite) {
                lab.stop();
            }
            Ok(None)
        }
        Ask::Flag(_) | Ask::Question(_) | Ask::Agree(_) => {
            if let Some(seat) = &companion.seat {
                match ask {
                    Ask::Flag(flag) => seat.hold_up(flag),
                    Ask::Question(question) => seat.ask(&question),
                    Ask::Agree(agrees) => seat.let_type(agrees),
                    _ => {}
                }
                Ok(None)
            } else {
                Err(anyhow::anyhow!("there is no teacher here"))
            }
        }
        // All that follows is about the terminal of the lab.
        terminal_ask => match &companion.lab {
            Some(lab) => in_terminal(lab, terminal_ask, terminal),
            None => Err(anyhow::anyhow!(
                "this machine is never typed into; there is no lab"
            )),
        },
    };
    match answer {
        Ok(None) => match &companion.lab {
            Some(lab) if terminal.open => show(lab, terminal, page).await,
            _ => true,
        },
        Ok(Some(value)) => send_value(page, value).await,
        Err(error) => send_value(page, json!({ "refused": format!("{error:#}") })).await,
    }
}

fn in_terminal(lab: &Lab, ask: Ask, terminal: &mut Terminal) -> Result<Option<Value>> {
    match ask {
        Ask::Terminal(open) => {
            *terminal = Terminal {
                open,
                ..Terminal::default()
            };
            if open {
                lab.open();
            }
        }
        Ask::Keys(keys) => {
            terminal.back = 0;
            lab.type_keys(&keys);
        }
        Ask::Paste(text) => lab.paste(&text),
        Ask::Rows(rows) => lab.resize(rows),
        Ask::Back(back) => terminal.back = back,
        _ => {}
    }
    Ok(None)
}

/// The blocks of a chapter: their names, and what the page shows of them.
fn chapter(step: &str) -> Result<Vec<Value>> {
    if !all_steps()?.iter().any(|one| one == step) {
        bail!("there is no step '{step}'");
    }
    let script = Script::parse(&std::fs::read_to_string(session_of(step))?)?;
    let shown = lab::shown(step, &script.parts());
    let text = |part: &session::script::Part| -> String {
        script.lines[part.lines.clone()]
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    Ok(shown
        .iter()
        .map(|part| json!({ "part": part.name, "text": text(part) }))
        .collect())
}

/// The first hints of an exercise, and how many there are.
fn hints(exercise: &str, count: usize) -> Result<(Vec<String>, usize)> {
    let folder =
        steps::exercise(exercise).with_context(|| format!("there is no exercise '{exercise}'"))?;
    let text = std::fs::read_to_string(folder.join("hints"))?;
    let all: Vec<_> = text.lines().map(str::to_owned).collect();
    Ok((all.iter().take(count).cloned().collect(), all.len()))
}
