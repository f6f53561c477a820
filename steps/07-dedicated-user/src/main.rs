//! hellod, step 07: the same service, which would rather not be root.

mod config;
mod journal;
mod manager;
mod pipe;
mod signals;

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use signal_hook::consts::SIGTERM;

use journal::{Level, log};
use manager::{notify, stopping};
use pipe::Pipe;

/// What there is to learn before the first greeting, a second each.
const PHRASES: [&str; 3] = ["hello", "good morning", "good night"];

/// What can happen while `hellod` runs, besides the passing of time.
enum Event {
    /// Somebody wrote a name into the pipe.
    Visitor(String),
    /// All that was in the pipe when it was closed has been read.
    Closed,
    /// The manager, or Ctrl-C, wants an end.
    Signal(i32),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            log(Level::Error, problem);
            ExitCode::FAILURE
        }
    }
}

/// The life of the service, from its start to its end.
fn run() -> Result<(), String> {
    if rustix::process::geteuid().is_root() {
        log(
            Level::Warning,
            "Running as root, and nothing here needs that",
        );
    }
    let every = config::interval()?;
    let (sender, events) = mpsc::sync_channel(16);
    // First of all: a signal may come while there is still something to learn.
    signals::send_signals(sender.clone())
        .map_err(|error| format!("Cannot handle signals: {error}"))?;

    if let Some(signal) = learn(&events) {
        stopping(signal);
        return Ok(());
    }
    let pipe = Pipe::create(config::pipe_path()?, sender)?;
    log(Level::Notice, format_args!("Greeting every {every:?}"));
    notify(&[
        NotifyState::Ready,
        NotifyState::Status(&format!("Greeting every {every:?}")),
    ]);

    let signal = greet_until_signal(&events, every);
    stopping(signal);
    // The last work: whoever came before the signal is still greeted.
    pipe.close();
    for event in &events {
        match event {
            Event::Visitor(name) => greet(&name),
            Event::Closed => break,
            Event::Signal(_) => {} // We are at it.
        }
    }
    log(Level::Info, "Goodbye");
    Ok(())
    // Here `pipe` goes out of scope, and its file with it.
}

/// Greets every visitor at once and the world every now and then. Returns the signal that ends it.
fn greet_until_signal(events: &Receiver<Event>, every: Duration) -> i32 {
    let mut next = Instant::now();
    loop {
        // One wait for whatever comes first: an event, or the time for the next greeting.
        match events.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Event::Visitor(name)) => greet(&name),
            Ok(Event::Closed) => {}
            Ok(Event::Signal(signal)) => return signal,
            Err(RecvTimeoutError::Timeout) => {
                log(Level::Info, "Hello from hellod");
                next += every;
            }
            // Every sender is gone, which only a bug could do. It ends like a SIGTERM.
            Err(RecvTimeoutError::Disconnected) => return SIGTERM,
        }
    }
}

fn greet(name: &str) {
    log(Level::Info, format_args!("Hello, {name}"));
}

/// Stands for what services do before they can serve. Returns the signal that ended it early, if any.
fn learn(events: &Receiver<Event>) -> Option<i32> {
    for (known, phrase) in PHRASES.iter().enumerate() {
        let status = format!(
            "Learning phrase {} of {}: {phrase}",
            known + 1,
            PHRASES.len()
        );
        log(Level::Info, &status);
        notify(&[NotifyState::Status(&status)]);
        // Not a sleep: a sleep would make the manager wait for its end.
        if let Ok(Event::Signal(signal)) = events.recv_timeout(Duration::from_secs(1)) {
            return Some(signal);
        }
    }
    None
}
