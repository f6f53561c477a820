//! Starts programs that do the same work, in turns, and measures each from outside.
//! Run in a lab by scripts/bench.sh: `measure ROUNDS NAME=PROGRAM...`. Prints a line for each program:
//! its name, start to READY and SIGTERM to exit in microseconds (medians), PSS in kB, threads, and how
//! often it woke up in a minute while nobody visited it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What each program pretends to learn before it is ready.
const LEARNING: Duration = Duration::from_secs(3);
/// Between two starts. It does not divide `LEARNING`, so that no start falls on the READY of another.
const APART: Duration = Duration::from_millis(170);
/// How long wake-ups are counted: four greetings.
const IDLE: Duration = Duration::from_secs(20);

unsafe extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
}
const SIGTERM: i32 = 15;

/// A program that has said that it is ready.
struct Running {
    of: usize,
    child: Child,
    folder: PathBuf,
    ready: Duration,
    /// Takes its last words, too.
    _manager: UnixDatagram,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (rounds, programs) = arguments.split_first().ok_or("measure ROUNDS NAME=PROGRAM...")?;
    let rounds: usize = rounds.parse()?;
    let programs: Vec<(&str, &str)> =
        programs.iter().filter_map(|one| one.split_once('=')).collect();

    // Memory and wake-ups with one of each: more of them would share more.
    let alone = start_all(&programs, 1)?;
    let before: Vec<u64> = alone.iter().map(wakeups).collect::<Outcome<_>>()?;
    thread::sleep(IDLE);
    let mut lines = Vec::new();
    for (one, before) in alone.iter().zip(before) {
        let pss = field(one, "smaps_rollup", "Pss:")?;
        let threads = field(one, "status", "Threads:")?;
        let idle = (wakeups(one)? - before) * 60 / IDLE.as_secs();
        lines.push(format!("{pss} {threads} {idle}"));
    }
    for one in alone {
        fs::remove_dir_all(&one.folder)?;
    }

    let mut times = vec![(Vec::new(), Vec::new()); programs.len()];
    for mut one in start_all(&programs, rounds)? {
        times[one.of].0.push(one.ready.as_micros());
        times[one.of].1.push(stop(&mut one)?.as_micros());
        fs::remove_dir_all(&one.folder)?;
    }
    for (((name, _), line), (ready, stops)) in programs.iter().zip(lines).zip(times) {
        println!("{name} {} {} {line}", median(ready), median(stops));
    }
    Ok(())
}

/// Starts each program so many times, in turns, and waits until all are ready and have had a visitor.
fn start_all(programs: &[(&str, &str)], rounds: usize) -> Outcome<Vec<Running>> {
    let mut starting = Vec::new();
    for round in 0..rounds {
        for (of, (name, program)) in programs.iter().enumerate() {
            let folder = std::env::temp_dir().join(format!("measure-{rounds}-{name}-{round}"));
            let program = program.to_string();
            starting.push(thread::spawn(move || {
                start(of, &program, folder).map_err(|error| format!("{program}: {error}"))
            }));
            thread::sleep(APART);
        }
    }
    let mut running = Vec::new();
    for one in starting {
        let one = one.join().map_err(|_| "a start failed")??;
        visit(&one.folder)?;
        running.push(one);
    }
    Ok(running)
}

fn start(of: usize, program: &str, folder: PathBuf) -> Outcome<Running> {
    fs::create_dir_all(&folder)?;
    let manager = UnixDatagram::bind(folder.join("notify"))?;
    let begin = Instant::now();
    let child = Command::new(program)
        .env("NOTIFY_SOCKET", folder.join("notify"))
        .env("RUNTIME_DIRECTORY", &folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("said"))?)
        .spawn()?;
    let mut buffer = [0; 512];
    manager.set_read_timeout(Some(LEARNING * 5))?;
    loop {
        // A child that ends can interrupt it, since it has a time limit: signal(7).
        let length = match manager.recv(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            received => received?,
        };
        if buffer[..length].starts_with(b"READY=1") {
            let ready = begin.elapsed().saturating_sub(LEARNING);
            return Ok(Running { of, child, folder, ready, _manager: manager });
        }
    }
}

/// Writes a name, and waits until it has been greeted.
fn visit(folder: &Path) -> Outcome<()> {
    File::options().write(true).open(folder.join("hellod.pipe"))?.write_all(b"Anna\n")?;
    while !fs::read_to_string(folder.join("said"))?.contains("Hello, Anna\n") {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// The time until it has ended as it should: with 0, with its last word, and without its pipe.
fn stop(one: &mut Running) -> Outcome<Duration> {
    let pid = i32::try_from(one.child.id())?;
    thread::sleep(Duration::from_millis(20)); // The one before is gone for good.
    let begin = Instant::now();
    unsafe { kill(pid, SIGTERM) };
    let status = one.child.wait()?;
    let took = begin.elapsed();
    let said = fs::read_to_string(one.folder.join("said"))?;
    if !status.success() || !said.ends_with("Goodbye\n") || one.folder.join("hellod.pipe").exists() {
        return Err(format!("did not end as it should: {status}, {said}").into());
    }
    Ok(took)
}

/// How often it has given up the processor by itself, proc_pid_status(5).
fn wakeups(one: &Running) -> Outcome<u64> {
    field(one, "status", "voluntary_ctxt_switches:")
}

fn field(one: &Running, file: &str, name: &str) -> Outcome<u64> {
    let text = fs::read_to_string(format!("/proc/{}/{file}", one.child.id()))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such field")?;
    Ok(value.split_whitespace().next().ok_or("no value")?.parse()?)
}

fn median(mut values: Vec<u128>) -> u128 {
    values.sort_unstable();
    values[values.len() / 2]
}
