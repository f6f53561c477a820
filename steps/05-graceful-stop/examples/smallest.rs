//! The smallest clean stop: a signal comes, and the pipe goes.

use std::{env, error::Error, fs, path::Path};

use rustix::fs::{CWD, Mode, mkfifoat};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

fn main() -> Result<(), Box<dyn Error>> {
    let pipe = Path::new(&env::var("XDG_RUNTIME_DIR")?).join("visitors.pipe");
    // Before there is something to clean up: from here on, these signals no longer end the process.
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR)?;
    eprintln!("Waiting for visitors");
    signals.forever().next();
    fs::remove_file(&pipe)?;
    eprintln!("Pipe removed");
    Ok(())
}
