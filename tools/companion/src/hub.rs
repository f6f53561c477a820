//! What all pages are told: what is so now, to each that comes, and what changes, to all that are there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use serde_json::Value;
use tokio::sync::broadcast;

/// So many lines of the journal are shown.
const JOURNAL: usize = 30;

/// A page that is so many messages behind is dropped; it asks anew.
const BEHIND: usize = 2048;

/// How long what needs no page goes on after the last has gone, as one does that is loaded again.
const GRACE: Duration = Duration::from_secs(5);

/// What the pages are told.
pub struct Hub {
    send: broadcast::Sender<Utf8Bytes>,
    now: Mutex<Now>,
    now_changed: Condvar,
    pages: Mutex<usize>,
    pages_changed: Condvar,
}

#[derive(Default)]
struct Now {
    /// The newest message of each kind.
    latest: BTreeMap<String, Utf8Bytes>,
    journal: VecDeque<Utf8Bytes>,
    /// The step that the machine is at, if all of its checks pass.
    reached: Option<String>,
    /// The step that it was at when it was last looked at.
    had_reached: Option<String>,
    /// What is said of the machine, and of hellod on it.
    machine: Value,
    state: Value,
    /// Whether it was seen once.
    seen: bool,
    /// Whether neither manager knows a hellod.
    empty: bool,
    /// What was played, by block.
    runs: BTreeMap<String, Vec<Utf8Bytes>>,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here is left half-done by somebody who panics.
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(kind: &str, value: &Value) -> Utf8Bytes {
    serde_json::json!({ kind: value }).to_string().into()
}

impl Hub {
    /// Without pages yet.
    pub fn new() -> Self {
        Self {
            send: broadcast::channel(BEHIND).0,
            now: Mutex::default(),
            now_changed: Condvar::new(),
            pages: Mutex::new(0),
            pages_changed: Condvar::new(),
        }
    }

    /// Something is so from now on. What is as it was is not told again.
    pub fn is(&self, kind: &str, value: &Value) {
        let message = text(kind, value);
        let mut now = lock(&self.now);
        match kind {
            "machine" => {
                now.seen |= value["system"].is_string();
                now.machine = value.clone();
            }
            "state" => now.state = value.clone(),
            _ => {}
        }
        let before = now.latest.insert(kind.to_owned(), message.clone());
        drop(now);
        self.now_changed.notify_all();
        if before.as_ref() != Some(&message) {
            let _ = self.send.send(message);
        }
    }

    /// Something has happened.
    pub fn happens(&self, kind: &str, value: &Value) {
        let _ = self.send.send(text(kind, value));
    }

    /// A line of the journal.
    pub fn journal(&self, value: &Value) {
        let message = text("journal", value);
        let mut now = lock(&self.now);
        now.journal.push_back(message.clone());
        if now.journal.len() > JOURNAL {
            now.journal.pop_front();
        }
        let _ = self.send.send(message);
    }

    /// The journal is read from its end anew.
    pub fn forget_journal(&self) {
        lock(&self.now).journal.clear();
        self.happens("journals", &Value::Null);
    }

    /// Something of what is played, in this block.
    pub fn run(&self, block: &str, value: &Value) {
        let message = text("run", value);
        let mut now = lock(&self.now);
        now.runs
            .entry(block.to_owned())
            .or_default()
            .push(message.clone());
        let _ = self.send.send(message);
    }

    /// This block is played anew.
    pub fn forget_run(&self, block: &str) {
        lock(&self.now).runs.remove(block);
    }

    /// There is nothing to see any more; what was seen is no longer so.
    pub fn forget_machine(&self) {
        let mut now = lock(&self.now);
        for kind in ["state", "checks", "doctor"] {
            now.latest.remove(kind);
        }
        (now.reached, now.empty) = (None, false);
        now.state = Value::Null;
    }

    /// The machine is at this step.
    pub fn set_reached(&self, step: Option<String>) {
        let mut now = lock(&self.now);
        now.had_reached.clone_from(&step);
        now.reached = step;
    }

    /// The step that the machine was at when it was last looked at; it may have gone since.
    pub fn had_reached(&self) -> Option<String> {
        lock(&self.now).had_reached.clone()
    }

    /// Whether the machine was seen once.
    pub fn was_seen(&self) -> bool {
        lock(&self.now).seen
    }

    /// For the board of a workshop.
    pub fn describe(&self) -> Value {
        let now = lock(&self.now);
        serde_json::json!({
            "up": now.machine["system"].is_string(),
            "gone": now.machine["gone"],
            "step": now.reached,
            "unit": now.state["step"],
            "active": now.state["active"],
            "sub": now.state["sub"],
        })
    }

    /// Waits until the machine was looked at, as just after the first page has come.
    pub fn wait_for_checks(&self) {
        let is_unknown = |now: &mut Now| !now.latest.contains_key("checks");
        drop(
            self.now_changed
                .wait_timeout_while(lock(&self.now), GRACE, is_unknown),
        );
    }

    /// Waits until the machine is up, or until it is not; false if that takes longer.
    pub fn wait_until_up(&self, up: bool, longest: Duration) -> bool {
        let is_other = |now: &mut Now| now.machine["system"].is_string() != up;
        self.now_changed
            .wait_timeout_while(lock(&self.now), longest, is_other)
            .is_ok_and(|(_, waited)| !waited.timed_out())
    }

    /// The step that the machine is at, if all of its checks pass.
    pub fn reached(&self) -> Option<String> {
        lock(&self.now).reached.clone()
    }

    /// Whether neither manager of the machine knows a hellod.
    pub fn set_empty(&self, empty: bool) {
        lock(&self.now).empty = empty;
    }

    /// See [`Self::set_empty`].
    pub fn is_empty(&self) -> bool {
        lock(&self.now).empty
    }

    /// A page has come: what is so, and what comes from then on.
    pub fn subscribe(&self) -> (Vec<Utf8Bytes>, broadcast::Receiver<Utf8Bytes>) {
        let now = lock(&self.now);
        let latest = now.latest.values().cloned();
        let messages = latest
            .chain(now.journal.iter().cloned())
            .chain(now.runs.values().flatten().cloned());
        (messages.collect(), self.send.subscribe())
    }

    /// One more page, or one less.
    pub fn count_page(&self, one: isize) {
        let mut pages = lock(&self.pages);
        *pages = pages.saturating_add_signed(one);
        self.pages_changed.notify_all();
    }

    /// Whether there is a page.
    pub fn has_pages(&self) -> bool {
        *lock(&self.pages) > 0
    }

    /// Waits until there is a page.
    pub fn wait_for_page(&self) {
        let pages = lock(&self.pages);
        drop(self.pages_changed.wait_while(pages, |pages| *pages == 0));
    }

    /// Waits until there has been no page for a while.
    pub fn wait_for_no_page(&self) {
        let mut pages = lock(&self.pages);
        loop {
            pages = self
                .pages_changed
                .wait_while(pages, |pages| *pages > 0)
                .unwrap_or_else(PoisonError::into_inner);
            let (again, timed_out) = self
                .pages_changed
                .wait_timeout_while(pages, GRACE, |pages| *pages == 0)
                .unwrap_or_else(PoisonError::into_inner);
            if timed_out.timed_out() {
                return;
            }
            pages = again;
        }
    }
}
