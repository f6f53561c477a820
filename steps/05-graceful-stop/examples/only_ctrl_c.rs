//! Makes a pipe, cleans it up when it goes, and knows of Ctrl-C only. For a terminal that is enough.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, mkfifoat};
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;

struct Pipe(PathBuf);

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        eprintln!("Pipe removed");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // A folder of the service's own, if the manager has made one for it.
    let folder = env::var("RUNTIME_DIRECTORY").or_else(|_| env::var("XDG_RUNTIME_DIR"))?;
    let path = PathBuf::from(folder).join("visitors.pipe");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR)?;
    let _pipe = Pipe(path);
    let mut signals = Signals::new([SIGINT])?;
    eprintln!("Waiting for visitors");
    signals.forever().next();
    Ok(())
    // Here `_pipe` is dropped. A process that SIGTERM ends never comes to this line.
}
