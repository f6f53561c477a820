//! A named pipe into which visitors write their names, one on each line; see fifo(7).

use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, mkfifoat, open};
use rustix::io::{Errno, retry_on_intr};

use crate::Event;

/// More of a name than this is not wanted, in bytes.
const LONGEST: usize = 80;

/// Written into the pipe by its owner: whatever stands before it came in time.
const END: &[u8] = b"\n\x04\n";

/// The pipe. Its file goes away with this value.
pub struct Pipe {
    path: PathBuf,
    /// Keeps what is written while nobody reads, and says to others that the pipe is in use.
    _reader: OwnedFd,
}

impl Pipe {
    /// Makes the pipe, and sends what is written into it as events.
    ///
    /// A pipe that is there already is taken over, as it was left by a `hellod` that was killed.
    ///
    /// # Errors
    ///
    /// If another `hellod` uses it, if what is there is no pipe, or if the folder cannot be written.
    pub fn create(path: PathBuf, sender: SyncSender<Event>) -> Result<Self, String> {
        let problem = |what: &str| format!("{}: {what}", path.display());
        match mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR) {
            Ok(()) => {}
            Err(Errno::EXIST) if is_pipe(&path) => {}
            Err(Errno::EXIST) => return Err(problem("is there already, and is no pipe")),
            Err(error) => return Err(problem(&error.to_string())),
        }
        // Now that it belongs to the machine, everybody may visit. Not by mkfifoat, whose mode the
        // process's umask cuts.
        fs::set_permissions(&path, Permissions::from_mode(0o622))
            .map_err(|error| problem(&error.to_string()))?;
        let reader = open_to_read(&path).map_err(|error| problem(&error.to_string()))?;
        flock(&reader, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| problem("another hellod uses it"))?;

        let pipe = Self {
            path,
            _reader: reader,
        };
        let path = pipe.path.clone();
        thread::spawn(move || while read_visit(&path, &sender).is_some() {});
        Ok(pipe)
    }

    /// Marks the end of what will be read. `Event::Closed` follows the last name before it.
    pub fn close(&self) {
        let path = self.path.clone();
        // In a thread of its own: if the pipe is full, this waits until some of it has been read.
        thread::spawn(move || {
            File::options()
                .write(true)
                .open(path)
                .and_then(|mut pipe| pipe.write_all(END))
        });
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_pipe(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

/// Opens the pipe without waiting for somebody to open its other end.
fn open_to_read(path: &Path) -> rustix::io::Result<OwnedFd> {
    open(
        path,
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Waits for a visit, and reads until all who have the pipe open have closed it. None if it cannot.
fn read_visit(path: &Path, sender: &SyncSender<Event>) -> Option<()> {
    // Opened anew for each visit: a descriptor that has seen its last visitor leave reports that for
    // ever, and waiting for the next one would be a busy loop. What was written in between is kept.
    let pipe = WaitingRead(open_to_read(path).ok()?);
    pipe.wait().ok()?;
    read_names(pipe, sender)
}

/// Waits where a descriptor that does not block says that there is nothing to read yet.
struct WaitingRead(OwnedFd);

impl WaitingRead {
    fn wait(&self) -> io::Result<()> {
        // A signal handler may run in any thread, and interrupts what it waits for.
        retry_on_intr(|| poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None))?;
        Ok(())
    }
}

impl Read for WaitingRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match retry_on_intr(|| rustix::io::read(&self.0, &mut *buffer)) {
                Err(Errno::AGAIN) => self.wait()?,
                done => return Ok(done?),
            }
        }
    }
}

/// Sends each line as a visitor's name, whatever it is that visitors write. None if nobody listens.
fn read_names(pipe: impl Read, sender: &SyncSender<Event>) -> Option<()> {
    let mut line = Vec::new();
    for byte in BufReader::new(pipe).bytes() {
        match byte.ok()? {
            b'\n' => send_name(&std::mem::take(&mut line), sender)?,
            byte if line.len() < LONGEST => line.push(byte),
            // A line without an end must not fill the memory.
            _ => {}
        }
    }
    send_name(&line, sender)
}

fn send_name(line: &[u8], sender: &SyncSender<Event>) -> Option<()> {
    if END.trim_ascii() == line {
        return sender.send(Event::Closed).ok();
    }
    // Control characters could make one message look like two, or colour somebody's terminal.
    let name = String::from_utf8_lossy(line).replace(char::is_control, "");
    match name.trim() {
        "" => Some(()),
        name => sender.send(Event::Visitor(name.to_owned())).ok(),
    }
}
