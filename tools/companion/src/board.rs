//! The teacher's page: what it is told, and what it asks for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::ws::{Message, WebSocket};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use session::steps::all_steps;

use crate::lab::Lab;
use crate::socket::{self, FRAME, Page, Terminal, send_value, show};
use crate::workshop::{LOOK, Workshop};

/// What the board asks for. A seat is named by its number; 0 is all of them.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Ask {
    /// To see the terminal of a seat, or no longer one.
    Look(Option<usize>),
    /// How far it is scrolled back.
    Back(usize),
    /// To type there, or no longer.
    Type(bool),
    /// What was typed there.
    Keys(String),
    /// What was pasted there.
    Paste(String),
    /// To take down what a seat holds up.
    Lower(usize),
    /// To bring seats to a step.
    Bring { seat: usize, step: String },
    /// To say something to a seat; nothing takes it back.
    Say { seat: usize, text: String },
    /// To show the solutions, or to withhold them.
    Solutions(bool),
}

/// The seat whose terminal a board looks at. When the board goes, it looks no longer.
#[derive(Default)]
struct Looked {
    at: Option<Arc<socket::Companion>>,
    terminal: Terminal,
    /// Whether that has begun just now.
    is_new: bool,
}

impl Looked {
    fn change(&mut self, at: Option<Arc<socket::Companion>>) {
        self.tell(-1);
        self.at = at;
        self.tell(1);
        self.is_new = true;
        self.terminal = Terminal::default();
        self.terminal.open = true;
    }

    fn tell(&self, one: isize) {
        if let Some(seat) = self.at.as_ref().and_then(|at| at.seat.as_ref()) {
            seat.look(one);
        }
    }

    fn lab(&self) -> Option<&Arc<Lab>> {
        self.at.as_ref()?.lab.as_ref()
    }
}

impl Drop for Looked {
    fn drop(&mut self) {
        self.tell(-1);
    }
}

/// One page less, however it ends.
struct Counted(Arc<Workshop>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.pages.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Opens the connection for a page of this server, in a browser that has shown the board's word.
pub async fn open(State(workshop): State<Arc<Workshop>>, request: Request) -> Response {
    let upgrade = match socket::upgrade(&workshop.guard, &workshop.pages, request).await {
        Ok(upgrade) => upgrade,
        Err(refused) => return *refused,
    };
    let counted = Counted(workshop);
    upgrade.on_upgrade(async move |socket| serve(&counted.0, socket).await)
}

async fn serve(workshop: &Arc<Workshop>, socket: WebSocket) {
    let (mut page, mut asks) = socket.split();
    let mut looked = Looked::default();
    let mut told = Value::Null;
    let mut clock = tokio::time::interval(LOOK);
    let mut changes = None;
    loop {
        if std::mem::take(&mut looked.is_new) {
            changes = looked.lab().map(|lab| lab.changes());
        }
        let changed = async {
            match &mut changes {
                Some(changes) => {
                    let _ = changes.changed().await;
                }
                None => std::future::pending().await,
            }
        };
        let goes_on = tokio::select! {
            ask = asks.next() => match ask {
                Some(Ok(Message::Text(text))) => answer(workshop, &text, &mut looked, &mut page).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
            _ = clock.tick() => tell(workshop, &mut told, &mut page).await,
            () = changed => {
                let goes_on = show_looked(&mut looked, &mut page).await;
                tokio::time::sleep(FRAME).await;
                goes_on
            }
        };
        if !goes_on {
            return;
        }
    }
}

/// What is so, if it is new.
async fn tell(workshop: &Workshop, told: &mut Value, page: &mut Page) -> bool {
    let now = workshop.describe();
    if now == *told {
        return true;
    }
    *told = now.clone();
    send_value(page, json!({ "board": now })).await
}

async fn show_looked(looked: &mut Looked, page: &mut Page) -> bool {
    match looked.lab().cloned() {
        Some(lab) => show(&lab, &mut looked.terminal, page).await,
        None => true,
    }
}

async fn answer(
    workshop: &Arc<Workshop>,
    text: &str,
    looked: &mut Looked,
    page: &mut Page,
) -> bool {
    let refuse = |why: String| json!({ "refused": why });
    let ask: Ask = match serde_json::from_str(text) {
        Ok(ask) => ask,
        Err(error) => return send_value(page, refuse(format!("not understood: {error}"))).await,
    };
    let seat = looked.at.as_ref().and_then(|at| at.seat.clone());
    match ask {
        Ask::Look(None | Some(0)) => looked.change(None),
        Ask::Look(Some(number)) => match workshop.chosen(number).pop() {
            Some(at) => {
                looked.change(Some(at));
                return show_looked(looked, page).await;
            }
            None => return send_value(page, refuse(format!("there is no seat {number}"))).await,
        },
        Ask::Back(back) => {
            looked.terminal.back = back;
            return show_looked(looked, page).await;
        }
        Ask::Type(asks) => {
            if let Some(seat) = seat {
                seat.ask_to_type(asks);
            }
        }
        Ask::Keys(keys) => return type_there(looked, page, |lab| lab.type_keys(&keys)).await,
        Ask::Paste(text) => return type_there(looked, page, |lab| lab.paste(&text)).await,
        Ask::Lower(number) => {
            for companion in workshop.chosen(number) {
                if let Some(seat) = &companion.seat {
                    seat.hold_up(None);
                }
            }
        }
        Ask::Bring { seat, step } => {
            if !all_steps().unwrap_or_default().contains(&step) {
                return send_value(page, refuse(format!("there is no step '{step}'"))).await;
            }
            workshop.bring(seat, &step);
        }
        Ask::Say { seat, text } => {
            workshop.say(seat, &text.chars().take(500).collect::<String>());
        }
        Ask::Solutions(shown) => workshop.show_solutions(shown),
    }
    true
}

/// Types where the owner has agreed, and nowhere else.
async fn type_there(looked: &Looked, page: &mut Page, keys: impl FnOnce(&Lab)) -> bool {
    let at = looked.at.as_ref();
    match at.and_then(|at| Some((at.seat.as_ref()?, at.lab.as_ref()?))) {
        Some((seat, lab)) if seat.may_be_typed_into() => {
            keys(lab);
            true
        }
        _ => {
            let why = "the owner of the seat has not agreed";
            send_value(page, json!({ "refused": why })).await
        }
    }
}
