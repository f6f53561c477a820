//! Messages for the journal: a level in front of each line, as sd-daemon(3) describes.

use std::env;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

/// How much a message matters; the numbers are those of syslog(3).
#[derive(Clone, Copy)]
pub enum Level {
    /// The work cannot be done.
    Error = 3,
    /// Not as it should be, but the work goes on.
    Warning = 4,
    /// Normal, and worth finding again.
    Notice = 5,
    /// Normal.
    Info = 6,
}

/// Writes one line to standard error, with its level in front if the journal reads it.
///
/// If standard error is gone there is nobody left to tell, so a failed write is let go.
pub fn log(level: Level, message: impl Display) {
    let line = match journal_listens() {
        // The journal takes `<6>` off again and keeps the 6 as the message's priority.
        true => format!("<{}>{message}\n", level as u8),
        false => format!("{message}\n"),
    };
    // One write for one line: two writers cannot tear it apart.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Whether standard error is the journal's socket.
///
/// systemd names that socket in `JOURNAL_STREAM` as `device:inode`, see systemd.exec(5). The
/// variable alone proves nothing: a terminal started by the user manager inherits it too.
fn journal_listens() -> bool {
    let (Ok(stream), Ok(stderr)) = (env::var("JOURNAL_STREAM"), fs::metadata("/proc/self/fd/2"))
    else {
        return false;
    };
    stream == format!("{}:{}", stderr.dev(), stderr.ino())
}
