//! hellod, step 03: the same loop, which stops when it cannot do its work.

mod config;
mod journal;

use std::process::ExitCode;
use std::thread;

use journal::{Level, log};

fn main() -> ExitCode {
    let every = match config::interval() {
        Ok(every) => every,
        Err(problem) => {
            log(Level::Error, problem);
            // Anything but 0 tells the manager that this was a failure, and so does a panic.
            return ExitCode::FAILURE;
        }
    };
    log(Level::Notice, format_args!("Greeting every {every:?}"));

    loop {
        log(Level::Info, "Hello from hellod");
        thread::sleep(every);
    }
}
