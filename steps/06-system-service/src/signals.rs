//! Signals, as events among others.

use std::io;
use std::sync::mpsc::SyncSender;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::Event;

/// Turns SIGTERM, which is what the manager sends, and SIGINT, which is Ctrl-C, into events.
///
/// Almost nothing may be done inside a signal handler, see signal-safety(7). signal-hook's writes
/// a byte into a pipe; what is read from there is handled in an ordinary thread, where all is allowed.
pub fn send_signals(sender: SyncSender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if sender.send(Event::Signal(signal)).is_err() {
                break;
            }
        }
    });
    Ok(())
}
