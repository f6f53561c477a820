//! hellod, step 02: the same loop, with messages that the journal can sort by level.

mod config;
mod journal;

use std::thread;

use journal::{Level, log};

fn main() {
    let every = config::interval();
    log(Level::Notice, format_args!("Greeting every {every:?}"));

    loop {
        log(Level::Info, "Hello from hellod");
        thread::sleep(every);
    }
}
