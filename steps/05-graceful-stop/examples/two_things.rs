//! Waits for two things at once: a signal, and the time for the next greeting.

// What is not used here, step 05 will use.
#[allow(dead_code)]
#[path = "../src/signals.rs"]
mod signals;

use std::io;
use std::time::Duration;

use signals::Signals;

fn main() -> io::Result<()> {
    let mut signals = Signals::new()?;
    loop {
        eprintln!("Hello from two_things");
        // Returns after five seconds, or as soon as a signal has come.
        signals.wait(None, Duration::from_secs(5));
        if let Some(signal) = signals.next() {
            eprintln!("Stopping because of signal {signal}");
            return Ok(());
        }
    }
}
