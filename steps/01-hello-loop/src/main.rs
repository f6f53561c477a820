//! hellod, step 01: say hello every five seconds, for ever.

use std::thread;
use std::time::Duration;

/// The time between two greetings.
const EVERY: Duration = Duration::from_secs(5);

fn main() {
    // No fork, no PID file, no closing of descriptors: with a manager, none of that is needed.
    loop {
        println!("Hello from hellod");
        thread::sleep(EVERY);
    }
}
