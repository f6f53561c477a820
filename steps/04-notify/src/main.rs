//! hellod, step 04: the same loop, which says when it is ready.

mod config;
mod journal;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;

use journal::{Level, log};

/// What there is to learn before the first greeting, a second each.
const PHRASES: [&str; 3] = ["hello", "good morning", "good night"];

fn main() -> ExitCode {
    let every = match config::interval() {
        Ok(every) => every,
        Err(problem) => {
            log(Level::Error, problem);
            // Anything but 0 tells the manager that this was a failure, and so does a panic.
            return ExitCode::FAILURE;
        }
    };
    learn();
    log(Level::Notice, format_args!("Greeting every {every:?}"));
    // Only now may the services start that rely on this one.
    notify(&[
        NotifyState::Ready,
        NotifyState::Status(&format!("Greeting every {every:?}")),
    ]);

    loop {
        log(Level::Info, "Hello from hellod");
        thread::sleep(every);
    }
}

/// Stands for what services do before they can serve: read data, open ports, ask others.
fn learn() {
    for (known, phrase) in PHRASES.iter().enumerate() {
        let status = format!(
            "Learning phrase {} of {}: {phrase}",
            known + 1,
            PHRASES.len()
        );
        log(Level::Info, &status);
        notify(&[NotifyState::Status(&status)]);
        thread::sleep(Duration::from_secs(1));
    }
}

/// Tells the manager, see sd_notify(3). Without a manager, as in a terminal, this does nothing.
///
/// A service whose word does not get through can still do its work, so that is a warning.
fn notify(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        log(
            Level::Warning,
            format_args!("Cannot notify the manager: {error}"),
        );
    }
}
