//! What the manager is told.

use sd_notify::NotifyState;
use signal_hook::low_level::signal_name;

use crate::journal::{Level, log};

/// Tells the manager, see sd_notify(3). Without a manager, as in a terminal, this does nothing.
///
/// A service whose word does not get through can still do its work, so that is a warning.
pub fn notify(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        log(
            Level::Warning,
            format_args!("Cannot notify the manager: {error}"),
        );
    }
}

/// Says that the end has begun, and why.
pub fn stopping(signal: i32) {
    let name = signal_name(signal).unwrap_or("a signal");
    log(Level::Notice, format_args!("Stopping because of {name}"));
    notify(&[NotifyState::Stopping, NotifyState::Status("Saying goodbye")]);
}
