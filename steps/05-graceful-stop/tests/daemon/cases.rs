//! `hellod` at its edges, without systemd: its messages to a manager, its signals, its visitors.

use std::collections::HashSet;
use std::convert::Infallible;
use std::error::Error;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
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
        fs::create_dir(folder.path().join("run"))?;
        let manager = UnixDatagram::bind(folder.path().join("notify"))?;
        manager.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { folder, manager })
    }

    fn pipe(&self) -> PathBuf {
        self.folder.path().join("run/hellod.pipe")
    }

    fn start(&self) -> Result<Hellod, Box<dyn Error>> {
        Hellod::of(&mut self.command())
    }

    /// What starts it, with its standard error in a pipe.
    fn command(&self) -> Command {
        let mut command = Command::new(crate::HELLOD);
        command
            .env("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .env(
                "XDG_RUNTIME_DIR",
                self.pipe().parent().unwrap_or(Path::new("/")),
            )
            .env_remove("RUNTIME_DIRECTORY")
            .env_remove("HELLOD_EVERY")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it, and waits until it says that it is ready.
    fn start_ready(&self) -> Result<Hellod, Box<dyn Error>> {
        let hellod = self.start()?;
        self.is_told_ready()?;
        Ok(hellod)
    }

    /// Waits until the manager is told that it is ready.
    fn is_told_ready(&self) -> Outcome {
        while !self.told()?.contains("READY=1") {}
        Ok(())
    }

    /// What the manager is told next.
    fn told(&self) -> Result<String, Box<dyn Error>> {
        let mut buffer = [0; 512];
        // A child that ends can interrupt it, handler or not, since it has a time limit: signal(7).
        let length = loop {
            match self.manager.recv(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received?,
            }
        };
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
    /// Starts a command and follows what it logs.
    fn of(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        let mut child = command.spawn()?;
        let lines = follow(child.stderr.take().ok_or("no stderr")?);
        Ok(Self { child, lines })
    }

    /// Stops it, and waits until it has stopped.
    fn freeze(&self) -> Outcome {
        self.signal(Signal::STOP)?;
        until(|| self.is('T'))
    }

    /// Whether it is in this state: S for sleeping, T for stopped.
    fn is(&self, state: char) -> bool {
        self.status("State").is_ok_and(|now| now.starts_with(state))
    }

    /// A field of proc_pid_status(5).
    fn status(&self, field: &str) -> Result<String, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let value = status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(":\t"));
        Ok(value.ok_or("no such field")?.to_owned())
    }

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
        until(|| ended(self))?;
        Ok(self.child.wait()?)
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

/// Waits until it is so, which nobody tells.
fn until(mut so: impl FnMut() -> bool) -> Outcome {
    let limit = Instant::now() + PATIENCE;
    while Instant::now() < limit {
        if so() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err("it never is so".into())
}

fn ended(hellod: &mut Hellod) -> bool {
    matches!(hellod.child.try_wait(), Ok(Some(_)))
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

#[test]
fn it_is_one_thread() -> Outcome {
    let place = Place::new()?;
    let hellod = place.start_ready()?;
    assert_eq!(hellod.status("Threads")?, "1");
    Ok(())
}

#[test]
fn a_removed_pipe_is_made_anew_and_said_once() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    hellod.says("Hello from hellod")?;
    fs::remove_file(place.pipe())?;
    hellod.says(&format!(
        "{} is gone; making it anew",
        place.pipe().display()
    ))?;
    // It says so first, and then makes it.
    until(|| place.pipe().exists())?;
    place.visit(b"Anna\n")?;
    assert!(
        !hellod
            .says("Hello, Anna")?
            .iter()
            .any(|line| line.contains("is gone"))
    );
    hellod.stop()?;
    assert!(!place.pipe().exists());
    Ok(())
}

#[test]
fn a_stop_right_after_the_pipe_was_removed_ends() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    fs::remove_file(place.pipe())?;
    hellod.stop()
}

#[test]
fn what_somebody_put_in_its_place_is_left_alone() -> Outcome {
    for at_once in [true, false] {
        let place = Place::new()?;
        let mut hellod = place.start_ready()?;
        hellod.says("Hello from hellod")?;
        fs::write(place.pipe().with_extension("new"), "precious")?;
        fs::rename(place.pipe().with_extension("new"), place.pipe())?;
        if at_once {
            hellod.stop()?;
        } else {
            // Nobody can reach it any more, so it does not go on as if nothing had happened.
            assert_eq!(hellod.ends()?.code(), Some(1));
            let what = "is there already, and is no pipe";
            hellod.says(&format!("{}: {what}", place.pipe().display()))?;
        }
        assert_eq!(fs::read_to_string(place.pipe())?, "precious");
    }
    Ok(())
}

#[test]
fn whoever_removes_the_pipe_while_it_starts_does_not_make_it_deaf() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start()?;
    let (pipe, (stop, stopped)) = (place.pipe(), mpsc::channel::<()>());
    let remover = thread::spawn(move || {
        while let Err(mpsc::TryRecvError::Empty) = stopped.try_recv() {
            let _ = fs::remove_file(&pipe);
        }
    });
    // For as long as it learns, and a little longer.
    until(|| {
        hellod
            .lines
            .try_iter()
            .any(|line| line.ends_with("is gone; making it anew"))
            || ended(&mut hellod)
    })?;
    drop(stop);
    remover.join().map_err(|_| "the remover failed")?;

    // Either it sees that at the latest when it looks, or it could not make the pipe, and ended.
    until(|| place.pipe().exists() || ended(&mut hellod))?;
    if ended(&mut hellod) {
        assert_eq!(hellod.ends()?.code(), Some(1));
        return Ok(());
    }
    place.visit(b"Anna\n")?;
    hellod.says("Hello, Anna")?;
    hellod.stop()
}

#[test]
fn without_its_folder_it_ends() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    fs::remove_dir_all(place.pipe().parent().ok_or("no folder")?)?;
    assert_eq!(hellod.ends()?.code(), Some(1));
    let error = "No such file or directory (os error 2)";
    hellod.says(&format!("{}: {error}", place.pipe().display()))?;
    Ok(())
}

#[test]
fn a_time_that_no_clock_reaches_is_refused() -> Outcome {
    let place = Place::new()?;
    let mut hellod = Hellod::of(place.command().env("HELLOD_EVERY", "18446744073709551615"))?;
    assert_eq!(hellod.ends()?.code(), Some(1));
    hellod.says("HELLOD_EVERY=18446744073709551615 is not a number of seconds")?;
    let mut hellod = Hellod::of(place.command().env("HELLOD_EVERY", "4294967295"))?;
    hellod.says("Hello from hellod")?;
    hellod.stop()
}

#[test]
fn no_visitor_can_cut_off_those_after_him() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    hellod.freeze()?;
    place.visit(b"Eve\n\x04\n\x00\n\n")?;
    place.visit(b"Anna\n")?;
    hellod.signal(Signal::TERM)?;
    hellod.signal(Signal::CONT)?;
    assert_eq!(hellod.ends()?.code(), Some(0));
    hellod.says("Hello, Anna")?;
    Ok(())
}

#[test]
fn a_second_instance_does_not_touch_the_pipe_of_the_first() -> Outcome {
    let place = Place::new()?;
    let _first = place.start_ready()?;
    fs::set_permissions(place.pipe(), Permissions::from_mode(0o640))?;
    let mut second = place.start()?;
    assert_eq!(second.ends()?.code(), Some(1));
    assert_eq!(fs::metadata(place.pipe())?.mode() & 0o777, 0o640);
    Ok(())
}

#[test]
fn twenty_visitors_with_forty_thousand_names_are_all_greeted() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    let visitors: Vec<_> = (0..20)
        .map(|visitor| {
            let pipe = place.pipe();
            thread::spawn(move || -> std::io::Result<()> {
                let mut pipe = File::options().write(true).open(pipe)?;
                // A write for each name: below PIPE_BUF, names do not mix, see pipe(7).
                (0..2000).try_for_each(|number| {
                    pipe.write_all(format!("{visitor}-{number}\n").as_bytes())
                })
            })
        })
        .collect();
    let mut missing: HashSet<String> = (0..20)
        .flat_map(|visitor| (0..2000).map(move |number| format!("Hello, {visitor}-{number}")))
        .collect();
    while !missing.is_empty() {
        let line = hellod.lines.recv_timeout(PATIENCE)?;
        let of_a_visitor = line.starts_with("Hello, ");
        assert!(
            missing.remove(&line) || !of_a_visitor,
            "{line}, twice or torn"
        );
    }
    for visitor in visitors {
        visitor.join().map_err(|_| "a visitor failed")??;
    }
    hellod.stop()
}

#[test]
fn a_visitor_who_never_stops_does_not_hold_up_the_stop() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    let pipe = place.pipe();
    // Ends when nobody reads any more.
    let visitor = thread::spawn(move || {
        File::options()
            .write(true)
            .open(pipe)
            .and_then(|mut pipe| {
                loop {
                    pipe.write_all(b"Annabella\n")?;
                }
            })
            .map_or_else(
                |error: std::io::Error| error.kind(),
                |never: Infallible| match never {},
            )
    });
    hellod.says("Hello, Annabella")?;
    hellod.stop()?;
    // Each name is whole, the last one too, although it is written while the stop begins. Its length
    // is no divisor of what is read at once.
    let all = [
        "Hello, Annabella",
        "Hello from hellod",
        "Stopping because of SIGTERM",
        "Goodbye",
    ];
    let torn: Vec<_> = hellod
        .lines
        .iter()
        .filter(|line| !all.contains(&line.as_str()))
        .collect();
    assert_eq!(torn, [""; 0]);
    let how = visitor.join().map_err(|_| "the visitor failed")?;
    assert_eq!(how, ErrorKind::BrokenPipe);
    Ok(())
}

#[test]
fn a_second_signal_ends_it_at_once_and_leaves_nothing() -> Outcome {
    for second in [Signal::TERM, Signal::INT] {
        let place = Place::new()?;
        // Nobody reads what it logs, so that its last work does not come to an end.
        let (_unread, stderr) = std::io::pipe()?;
        let child = place.command().stderr(stderr).spawn()?;
        let (_, lines) = mpsc::channel();
        let mut hellod = Hellod { child, lines };
        place.is_told_ready()?;
        hellod.freeze()?;
        place.visit(&b"x\n".repeat(30_000))?;
        hellod.signal(Signal::TERM)?;
        hellod.signal(Signal::CONT)?;
        assert_eq!(place.told()?, "STOPPING=1\nSTATUS=Saying goodbye\n");
        until(|| !place.pipe().exists())?;
        until(|| hellod.is('S'))?;
        assert_eq!(hellod.child.try_wait()?, None, "its last work takes long");
        hellod.signal(second)?;
        assert_eq!(hellod.ends()?.signal(), Some(second.as_raw()));
    }
    Ok(())
}

#[test]
fn being_stopped_and_continued_loses_nobody() -> Outcome {
    let place = Place::new()?;
    let mut hellod = place.start_ready()?;
    for number in 0..20 {
        hellod.freeze()?;
        place.visit(format!("Guest {number}").as_bytes())?;
        hellod.signal(Signal::CONT)?;
        hellod.says(&format!("Hello, Guest {number}"))?;
    }
    hellod.stop()
}
