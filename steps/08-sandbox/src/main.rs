//! hellod, step 08: the same program, in a sandbox.

mod config;
mod journal;
mod manager;
mod pipe;
mod signals;

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use journal::{Level, log};
use manager::{notify, stopping};
use pipe::Pipe;
use signals::Signals;

/// What there is to learn before the first greeting, a second each.
const PHRASES: [&str; 3] = ["hello", "good morning", "good night"];

/// At least this often, `hellod` looks whether its pipe is still there.
const LOOK: Duration = Duration::from_secs(5);

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
    let path = config::pipe_path()?;
    let about_pipe = |error| format!("{}: {error}", path.display());
    let about_signals = |error| format!("Cannot handle signals: {error}");

    // First of all: a signal may come while there is still something to learn.
    let mut signals = Signals::new().map_err(about_signals)?;
    if let Some(signal) = learn(&mut signals) {
        stopping(signal);
        return Ok(());
    }
    let mut pipe = Pipe::create(&path).map_err(about_pipe)?;
    log(Level::Notice, format_args!("Greeting every {every:?}"));
    notify(&[
        NotifyState::Ready,
        NotifyState::Status(&format!("Greeting every {every:?}")),
    ]);

    let signal = greet_until_signal(&mut signals, &mut pipe, every).map_err(about_pipe)?;
    // The clean-up comes first: after it, a second signal may end this at once.
    if let Err(error) = pipe.close() {
        log(Level::Warning, about_pipe(error));
    }
    signals.let_next_end().map_err(about_signals)?;
    stopping(signal);
    // The last work: whoever came before the signal is still greeted.
    pipe.read_rest(greet).map_err(about_pipe)?;
    log(Level::Info, "Goodbye");
    Ok(())
}

/// Greets every visitor at once and the world every now and then. Returns the signal that ends it.
fn greet_until_signal(signals: &mut Signals, pipe: &mut Pipe, every: Duration) -> io::Result<i32> {
    let mut next = Instant::now();
    let mut visit = false;
    loop {
        pipe.mend(greet)?;
        let now = Instant::now();
        if now >= next {
            log(Level::Info, "Hello from hellod");
            next = now + every;
        }
        // One wait for whatever comes first: a signal, a visitor, the time for the next greeting.
        // In the middle of a visit it reads on: that a visitor has left, poll may not tell.
        let longest = if visit {
            Duration::ZERO
        } else {
            LOOK.min(next - now)
        };
        visit |= signals.wait(Some(pipe.as_fd()), longest);
        // Signals first: a visitor who never stops writing must not hold up the stop.
        if let Some(signal) = signals.next() {
            return Ok(signal);
        }
        if visit {
            visit = pipe.read(greet)? > 0;
        }
    }
}

fn greet(name: &str) {
    log(Level::Info, format_args!("Hello, {name}"));
}

/// Stands for what services do before they can serve. Returns the signal that ended it early, if any.
fn learn(signals: &mut Signals) -> Option<i32> {
    for (known, phrase) in PHRASES.iter().enumerate() {
        let (number, all) = (known + 1, PHRASES.len());
        let status = format!("Learning phrase {number} of {all}: {phrase}");
        log(Level::Info, &status);
        notify(&[NotifyState::Status(&status)]);
        // Not a sleep: a sleep would make the manager wait for its end.
        signals.wait(None, Duration::from_secs(1));
        if let Some(signal) = signals.next() {
            return Some(signal);
        }
    }
    None
}
