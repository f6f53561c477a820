//! `hellod` at its edges, without systemd: its messages to a manager, its signals, its visitors.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

type Outcome = Result<(), Box<dyn Error>>;

/// Longer than anything takes here; what needs it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for the pipe, and the manager's end of the notification socket.
struct Place {
    folder: TempDir,
    manager: UnixDatagram,
}

/// A `hellod` that runs; killed with this value.
struct Hellod {
    child: Child,
    lines: Receiver<String>,
}

impl Place {
    fn new() -> Result<Self, Box<dyn Error>> {
        let folder = TempDir::new()?;
        let manager = UnixDatagram::bind(folder.path().join("notify"))?;
        manager.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { folder, manager })
    }

    fn pipe(&self) -> PathBuf {
        self.folder.path().join("hellod.pipe")
    }

    fn start(&self) -> Result<Hellod, Box<dyn Error>> {
        let mut child = Command::new(crate::HELLOD)
            .env("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env_remove("RUNTIME_DIRECTORY")
            .env_remove("HELLOD_EVERY")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let lines = follow(child.stderr.take().ok_or("no stderr")?);
        Ok(Hellod { child, lines })
    }

    /// Starts it, and waits until it says that it is ready.
    fn start_ready(&self) -> Result<Hellod, Box<dyn Error>> {
        let hellod = self.start()?;
        while !self.told()?.contains("READY=1") {}
        Ok(hellod)
    }

    /// What the manager is told next.
    fn told(&self) -> Result<String, Box<dyn Error>> {
        let mut buffer = [0; 512];
        let length = self.manager.recv(&mut buffer)?;
        Ok(String::from_utf8(buffer[..length].to_vec())?)
    }

    /// Writes into the pipe, as a shell's `>` does.
    fn visit(&self, bytes: &[u8]) -> Outcome {
        Ok(File::options()
            .write(true)
            .open(self.pipe())?
            .write_all(bytes)?)
    }
}

impl Hellod {
    fn signal(&self, signal: Signal) -> Outcome {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?).ok_or("no process ID")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits until a line is logged, and returns those before it.
    fn says(&self, wanted: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let limit = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let left = limit.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line == wanted => return Ok(before),
                Ok(line) => before.push(line),
                Err(_) => return Err(format!("does not say {wanted:?}, but {before:?}").into()),
            }
        }
    }

    fn ends(&mut self) -> Result<ExitStatus, Box<dyn Error>> {
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err("does not end".into())
    }

    /// Sends SIGTERM, and expects a clean end.
    fn stop(&mut self) -> Outcome {
        self.signal(Signal::TERM)?;
        assert_eq!(self.ends()?.code(), Some(0));
        Ok(())
    }
}

impl Drop for Hellod {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

#[test]
fn tells_the_manager_everything_in_order() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start()?;
    for status in [
        "1 of 3: hello",
        "2 of 3: good morning",
        "3 of 3: good night",
    ] {
        assert_eq!(place.told()?, format!("STATUS=Learning phrase {status}\n"));
    }
    assert_eq!(place.told()?, "READY=1\nSTATUS=Greeting every 5s\n");
    hellod.stop()?;
    assert_eq!(place.told()?, "STOPPING=1\nSTATUS=Saying goodbye\n");
    place.manager.set_nonblocking(true)?;
    assert!(place.told().is_err(), "and nothing after that");
    Ok(())
}

#[test]
fn both_signals_clean_up_and_are_named() -> Outcome {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let place = Place::new()?;
        let mut hellod = place.start_ready()?;
        assert!(fs::symlink_metadata(place.pipe())?.file_type().is_fifo());
        let begin = Instant::now();
        hellod.signal(signal)?;
        assert_eq!(hellod.ends()?.code(), Some(0), "{name}");
        println!("{name} to exit: {:?}", begin.elapsed());
        hellod.says(&format!("Stopping because of {name}"))?;
        hellod.says("Goodbye")?;
        assert!(!place.pipe().exists(), "{name} left the pipe");
    }
    Ok(())
}

#[test]
fn a_signal_while_starting_is_heard_at_once() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start()?;
    assert!(place.told()?.starts_with("STATUS=Learning phrase 1"));
    hellod.stop()?;
    assert_eq!(
        place.told()?,
        "STOPPING=1\nSTATUS=Saying goodbye\n",
        "it never was ready"
    );
    assert!(!place.pipe().exists());
    Ok(())
}

#[test]
fn who_came_before_the_signal_is_greeted() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    let names: String = (0..2000)
        .map(|number| format!("Guest {number}\n"))
        .collect();
    place.visit(names.as_bytes())?;
    hellod.stop()?;
    hellod.says("Hello, Guest 0")?;
    hellod.says("Hello, Guest 1999")?;
    hellod.says("Goodbye")?;
    Ok(())
}

#[test]
fn visitors_who_come_one_by_one_are_all_greeted_at_once() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    // The next one comes when the last one was greeted, at the very moment in which the pipe is
    // between two visits.
    for number in 0..500 {
        place.visit(format!("Guest {number}").as_bytes())?;
        hellod.says(&format!("Hello, Guest {number}"))?;
    }
    hellod.stop()
}

#[test]
fn a_pipe_that_was_left_is_taken_over() -> Outcome {
    let place = Place::new()?;
    let mut killed = place.start_ready()?;
    killed.signal(Signal::KILL)?;
    killed.ends()?;
    assert!(place.pipe().exists(), "SIGKILL leaves it");

    let mut hellod = place.start_ready()?;
    place.visit(b"Anna\n")?;
    hellod.says("Hello, Anna")?;
    hellod.stop()?;
    assert!(!place.pipe().exists());
    Ok(())
}

#[test]
fn a_second_instance_gives_up_and_takes_nothing() -> Outcome {
    let place = Place::new()?;
    let first = place.start_ready()?;
    let mut second = place.start()?;
    assert_eq!(second.ends()?.code(), Some(1));
    second.says(&format!(
        "{}: another hellod uses it",
        place.pipe().display()
    ))?;
    place.visit(b"Anna\n")?;
    first.says("Hello, Anna")?;
    Ok(())
}

#[test]
fn what_is_no_pipe_is_left_alone() -> Outcome {
    let place = Place::new()?;
    fs::write(place.pipe(), "precious")?;
    let mut hellod = place.start()?;
    assert_eq!(hellod.ends()?.code(), Some(1));
    hellod.says(&format!(
        "{}: is there already, and is no pipe",
        place.pipe().display()
    ))?;
    assert_eq!(fs::read_to_string(place.pipe())?, "precious");
    Ok(())
}

#[test]
fn no_visitor_can_hurt_it() -> Outcome {
    let place = Place::new()?;
    mkfifoat(CWD, place.pipe(), Mode::RUSR | Mode::WUSR)?;
    let mut hellod = place.start_ready()?;

    place.visit(b"")?;
    place.visit(b"\n\n  \n")?;
    place.visit(b"no newline")?;
    hellod.says("Hello, no newline")?;
    place.visit(b"not \xff UTF-8\n")?;
    hellod.says("Hello, not \u{fffd} UTF-8")?;
    place.visit(b"two\x1b[31m\rlines\n")?;
    hellod.says("Hello, two[31mlines")?;
    place.visit(b"\x04\n")?;
    place.visit(&vec![b'x'; 1 << 20])?;
    hellod.says(&format!("Hello, {}", "x".repeat(80)))?;

    // Keeps the pipe open for good, in the middle of a name.
    let mut forever = File::options().write(true).open(place.pipe())?;
    forever.write_all(b"Forever")?;
    place.visit(b"\nAnna\n")?;
    hellod.says("Hello, Anna")?;
    hellod.stop()?;
    assert!(!place.pipe().exists());
    Ok(())
}
