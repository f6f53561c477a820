//! A named pipe into which visitors write their names, one on each line; see fifo(7).

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    CWD, FileType, FlockOperation, Mode, OFlags, fchmod, flock, fstat, lstat, mkfifoat, open,
};
use rustix::io::{Errno, ioctl_fionread, read};

use crate::journal::{Level, log};

/// More of a name than this is not wanted, in bytes.
const LONGEST: usize = 80;

/// So much is read before it is time to look at the signals again, in bytes.
const CHUNK: usize = 4096;

/// To read what is there, without waiting for somebody to write.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// The pipe. Its file goes away with this value.
pub struct Pipe {
    path: PathBuf,
    /// Holds the lock that says the pipe is in use, and keeps what is written between two visits.
    held: OwnedFd,
    /// What is read from.
    visit: OwnedFd,
    /// The name whose end has not come yet.
    name: Vec<u8>,
}

impl Pipe {
    /// Makes the pipe, or takes over one that a `hellod` left that was killed.
    ///
    /// Fails if another `hellod` uses it, if what is there is no pipe, and like mkfifo(3) and open(2).
    pub fn create(path: &Path) -> io::Result<Self> {
        match mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let held = open(path, READ | OFlags::NOFOLLOW, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&held)?.st_mode) != FileType::Fifo {
            return Err(io::Error::other("is there already, and is no pipe"));
        }
        match flock(&held, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Err(io::Error::other("another hellod uses it")),
            locked => locked?,
        }
        // Now that it belongs to the machine, everybody may visit. Not by mkfifoat, whose mode the
        // process's umask cuts, and not before the lock: until then it may be another's.
        fchmod(&held, Mode::from_raw_mode(0o622))?;
        Ok(Self {
            path: path.to_owned(),
            visit: open_again(&held)?,
            held,
            name: Vec::new(),
        })
    }

    /// Reads some of what visitors have written, at most a `CHUNK`, and greets each name that is
    /// whole. Does not wait. Returns the number of bytes; fails like read(2).
    pub fn read(&mut self, greet: fn(&str)) -> io::Result<usize> {
        self.read_at_most(CHUNK, greet)
    }

    fn read_at_most(&mut self, most: usize, greet: fn(&str)) -> io::Result<usize> {
        let mut buffer = [0; CHUNK];
        let length = match read(&self.visit, &mut buffer[..most.min(CHUNK)]) {
            Err(Errno::AGAIN) => return Ok(0),
            length => length?,
        };
        for &byte in &buffer[..length] {
            match byte {
                b'\n' => self.greet_whole(greet),
                // A name without an end must not fill the memory.
                byte if self.name.len() < LONGEST => self.name.push(byte),
                _ => {}
            }
        }
        // The last visitor has left, so the last name is whole, newline or not. This descriptor would
        // say so for ever; a new one waits for the next visitor.
        if length == 0 {
            self.greet_whole(greet);
            self.visit = open_again(&self.held)?;
        }
        Ok(length)
    }

    /// Reads what is in the pipe at this moment, and not what visitors go on to write: they may go on
    /// for ever. Fails like read(2).
    pub fn read_rest(&mut self, greet: fn(&str)) -> io::Result<()> {
        let mut rest = usize::try_from(ioctl_fionread(&self.visit)?).unwrap_or(0);
        while rest > 0 {
            match self.read_at_most(rest, greet)? {
                0 => break,
                length => rest -= length,
            }
        }
        self.greet_whole(greet);
        Ok(())
    }

    /// If visitors do not find this pipe any more, makes another one. Fails like `create`.
    pub fn mend(&mut self, greet: fn(&str)) -> io::Result<()> {
        if !self.is_in_place() {
            let path = self.path.display();
            log(
                Level::Warning,
                format_args!("{path} is gone; making it anew"),
            );
            // The new one first, so that visitors wait for as short a time as can be.
            let anew = Self::create(&self.path);
            self.read_rest(greet)?;
            *self = anew?;
        }
        Ok(())
    }

    /// Takes the pipe out of its folder: nobody new comes in, and what is in it can still be read.
    /// Fails like unlink(2).
    pub fn close(&self) -> io::Result<()> {
        // What somebody else has put there is not ours to remove.
        if self.is_in_place() {
            fs::remove_file(&self.path)
        } else {
            Ok(())
        }
    }

    /// Whether this pipe is the one that visitors find at its path.
    fn is_in_place(&self) -> bool {
        let (Ok(found), Ok(held)) = (lstat(&self.path), fstat(&self.held)) else {
            return false;
        };
        (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)
    }

    /// Greets whom the bytes read so far name, whatever it is that visitors write.
    fn greet_whole(&mut self, greet: fn(&str)) {
        // Control characters could make one message look like two, or colour somebody's terminal.
        let name = String::from_utf8_lossy(&self.name).replace(char::is_control, "");
        self.name.clear();
        if !name.trim().is_empty() {
            greet(name.trim());
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.close(); // If it cannot go, the next hellod takes it over.
    }
}

/// Where `poll` waits for visitors.
impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.visit.as_fd()
    }
}

/// Opens the same pipe once more, whatever stands at its path by now, see proc_pid_fd(5).
fn open_again(held: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    open(
        format!("/proc/self/fd/{}", held.as_raw_fd()),
        READ,
        Mode::empty(),
    )
}
