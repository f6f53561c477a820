//! Needs three seconds for its last work, and says so.

use std::{error::Error, thread, time::Duration};

use sd_notify::{NotifyState, notify};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

fn main() -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::new([SIGTERM])?;
    notify(&[NotifyState::Ready])?;
    signals.forever().next();
    notify(&[NotifyState::Stopping, NotifyState::Status("Saying goodbye")])?;
    // Stands for the last work.
    thread::sleep(Duration::from_secs(3));
    Ok(())
}
