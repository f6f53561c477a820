//! Starts programs that do the same work, one at a time and in turns, and measures each from outside.
//! Run in a lab by scripts/bench.sh: `measure ROUNDS NAME=PROGRAM...`. Prints a line for each program:
//! its name, start to READY and SIGTERM to exit in microseconds (medians), PSS in kB, threads, and how
//! often it woke up in a minute while nobody visited it.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What each program pretends to learn before it is ready.
const LEARNING: Duration = Duration::from_secs(3);
/// Between two starts, so that each is alone when it matters.
const APART: Duration = Duration::from_millis(150);
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

    let mut starting = Vec::new();
    for round in 0..rounds {
        for (of, (name, program)) in programs.iter().enumerate() {
            let folder = std::env::temp_dir().join(format!("measure-{name}-{round}"));
            let program = program.to_string();
            starting.push(thread::spawn(move || {
                start(of, &program, folder).map_err(|error| format!("{program}: {error}"))
            }));
            thread::sleep(APART);
        }
    }
    let mut running = Vec::new();
    for one in starting {
        running.push(one.join().map_err(|_| "a start failed")??);
    }
    for one in &running {
        visit(&one.folder)?;
    }
    let before: Vec<u64> = running.iter().map(wakeups).collect::<Outcome<_>>()?;
    thread::sleep(IDLE);
    let after: Vec<u64> = running.iter().map(wakeups).collect::<Outcome<_>>()?;

    let mut lines = Vec::new();
    for (of, (name, _)) in programs.iter().enumerate() {
        let mine = || running.iter().enumerate().filter(move |(_, one)| one.of == of);
        let per_minute = |at: usize| (after[at] - before[at]) * 60 / IDLE.as_secs();
        let idle = median(mine().map(|(at, _)| per_minute(at)).collect());
        let pss = median(mine().map(|(_, one)| field(one, "smaps_rollup", "Pss:")).collect::<Outcome<_>>()?);
        let threads = median(mine().map(|(_, one)| field(one, "status", "Threads:")).collect::<Outcome<_>>()?);
        let ready = median(mine().map(|(_, one)| micros(one.ready)).collect());
        lines.push((name, ready, pss, threads, idle, Vec::new()));
    }
    // In turns again, and one after the other.
    for mut one in running {
        lines[one.of].5.push(micros(stop(&mut one)?));
        fs::remove_dir_all(&one.folder)?;
    }
    for (name, ready, pss, threads, idle, stops) in lines {
        println!("{name} {ready} {} {pss} {threads} {idle}", median(stops));
    }
    Ok(())
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
        let length = manager.recv(&mut buffer)?;
        if buffer[..length].starts_with(b"READY=1") {
            let ready = begin.elapsed().saturating_sub(LEARNING);
            return Ok(Running { of, child, folder, ready });
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

fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}
