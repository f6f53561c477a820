//! `session record|replay [STEP...]`: the terminal sessions of the chapters, on a real systemd.
//!
//! Each `steps/NN-name/session.console` is typed, line by line, into a shell of a lab of its own that
//! starts where the chapter starts: at the step before. `replay` compares what comes back with what
//! the file says; `record` writes it down. On another Debian release, a replay asks for less: each
//! command has to end with the exit status that it has on the one that was recorded.

mod compare;
mod lab;
mod normal;
mod script;
mod terminal;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use compare::{Answer, Session, Typed};
use lab::Lab;
use script::{End, Line, Script};
use terminal::{Ended, Terminal};

const USAGE: &str = "\
Usage: cargo session record [STEP...]   run the sessions and write down what comes back
       cargo session replay [STEP...]   run the sessions and compare with what is written

  --suite SUITE   replay on another Debian release too: each command ends there as it does on trixie
  --show          with --suite: how the answers there differ from what is written
  --file FILE     replay the session in FILE, and not the step's own; with one STEP

STEP is the name of a folder in steps/, or its number; without one, all steps that have a session.
";

/// The Debian release whose answers are in the files.
const REFERENCE: &str = "trixie";

/// How long a line may take until its answer has come, be it a reboot.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Record,
    Replay,
}

/// What is asked for on the command line.
struct Wanted {
    mode: Mode,
    /// The releases to compare with the reference.
    others: Vec<String>,
    show: bool,
    steps: Vec<String>,
    /// A session that is not the step's own.
    file: Option<PathBuf>,
}

impl Wanted {
    fn session_of(&self, step: &str) -> PathBuf {
        self.file.clone().unwrap_or_else(|| session_of(step))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|one| one == "-h" || one == "--help") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let wanted = match wanted(&arguments) {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("session: {error:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    end_labs_when_interrupted();

    // Every session has a lab of its own, so they run side by side.
    let start = |step: &String, suite: &str| {
        let file = wanted.session_of(step);
        let (step, suite) = (step.clone(), suite.to_owned());
        thread::spawn(move || typed(&step, &file, &suite))
    };
    let runs: Vec<_> = wanted
        .steps
        .iter()
        .map(|step| {
            let others: Vec<_> = wanted
                .others
                .iter()
                .map(|suite| start(step, suite))
                .collect();
            (step, start(step, REFERENCE), others)
        })
        .collect();
    let mut passed = true;
    for (step, reference, others) in runs {
        let mut reference = joined(reference);
        let how = match wanted.mode {
            Mode::Record => record(step, &reference),
            Mode::Replay => {
                let again = || typed(step, &wanted.session_of(step), REFERENCE);
                compare::twice(&mut reference, again, compare::with_what_is_written)
            }
        };
        passed &= report(REFERENCE, step, how);
        for (suite, other) in wanted.others.iter().zip(others) {
            let again = || typed(step, &wanted.session_of(step), suite);
            let how = compare::twice(&mut joined(other), again, |other| {
                compare::with_the_reference(&reference, other, wanted.show)
            });
            passed &= report(suite, step, how);
        }
    }
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn joined(run: JoinHandle<Typed>) -> Typed {
    run.join()
        .unwrap_or_else(|_| Err("a bug ended it".to_owned()))
}

/// Types a session into a fresh lab.
fn typed(step: &str, file: &Path, suite: &str) -> Typed {
    run(step, file, suite).map_err(|error| format!("{error:#}"))
}

/// Reads the command line.
fn wanted(arguments: &[String]) -> Result<Wanted> {
    let mut arguments = arguments.iter();
    let mode = match arguments.next().map(String::as_str) {
        Some("record") => Mode::Record,
        Some("replay") => Mode::Replay,
        Some(other) => bail!("record or replay, not '{other}'"),
        None => bail!("record or replay?"),
    };
    let (mut others, mut show, mut steps, mut file) = (Vec::new(), false, Vec::new(), None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--suite" if mode == Mode::Replay => {
                let suite = arguments.next().context("--suite what?")?;
                if suite != REFERENCE && !others.contains(suite) {
                    others.push(suite.clone());
                }
            }
            "--show" if mode == Mode::Replay => show = true,
            "--file" if mode == Mode::Replay => {
                file = Some(PathBuf::from(arguments.next().context("--file what?")?));
            }
            option if option.starts_with('-') => bail!("there is no {option} here"),
            _ => steps.push(argument.clone()),
        }
    }
    if file.is_some() && steps.len() != 1 {
        bail!("--file goes with one step");
    }
    let steps = chosen_steps(&steps)?;
    Ok(Wanted {
        mode,
        others,
        show,
        steps,
        file,
    })
}

/// The repository, which this program was built in.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// All folders in `steps/`, in order.
fn all_steps() -> Result<Vec<String>> {
    let mut steps = Vec::new();
    for entry in fs::read_dir(repository().join("steps"))? {
        steps.extend(entry?.file_name().into_string().ok());
    }
    steps.sort();
    Ok(steps)
}

/// The steps that were asked for: by number or by name, or all of them.
fn chosen_steps(wanted: &[String]) -> Result<Vec<String>> {
    let all = all_steps()?;
    if wanted.is_empty() {
        return Ok(all);
    }
    let find = |word: &String| {
        let word = word.strip_prefix("step-").unwrap_or(word);
        all.iter()
            .find(|step| *step == word || step.split('-').next() == Some(word))
            .cloned()
            .with_context(|| format!("there is no step '{word}', only {}", all.join(", ")))
    };
    wanted.iter().map(find).collect()
}

/// A lab is no child of this program: it has to be ended by its name.
fn end_labs_when_interrupted() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        return;
    };
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            lab::end_all();
            std::process::exit(128 + signal);
        }
    });
}

/// Says how one session went.
fn report(suite: &str, step: &str, how: Result<String, String>) -> bool {
    let passed = how.is_ok();
    let (Ok(text) | Err(text)) = how;
    println!("{suite} {step}: {text}");
    passed
}

/// Writes a session down, if more than times and process IDs is new in it.
///
/// A session is of one run: in one that mixes two, clocks would go backwards. Where nothing is new,
/// the run before stays, so that recording again makes no noise.
fn record(step: &str, session: &Typed) -> Result<String, String> {
    let session = session.as_ref()?;
    let new = session.differences().len();
    if new > 0 {
        write(step, &session.script).map_err(|error| format!("{error:#}"))?;
    }
    Ok(format!("recorded, {new} answers are new"))
}

fn write(step: &str, script: &Script) -> Result<()> {
    // An answer that looks like a command would be typed the next time.
    let text = script.to_string();
    if Script::parse(&text)?.lines.len() != script.lines.len() {
        bail!("an answer begins like a line of the session itself: '$ ', '^C' or '# ANCHOR'");
    }
    let file = session_of(step);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn session_of(step: &str) -> PathBuf {
    let folder = repository().join("steps").join(step);
    folder.join("session.console")
}

/// Boots a lab, brings it to the step before, and types.
fn run(step: &str, file: &Path, suite: &str) -> Result<Session> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut script = Script::parse(&text)?;

    let lab = Lab::up(suite, step)?;
    let mut terminal = lab.shell()?;
    let all = all_steps()?;
    if let Some(before) = all
        .iter()
        .position(|one| one == step)
        .and_then(|at| at.checked_sub(1))
    {
        prepare(&mut terminal, &all[before])?;
    }

    let mut answers = Vec::new();
    let mut command = String::new();
    for line in &mut script.lines {
        let (came, written) = match line {
            Line::Note(_) => continue,
            Line::Command { text, answer, end } => {
                command.clone_from(text);
                terminal.type_slowly(text)?;
                let came = match end {
                    End::Prompt => {
                        answer_of(&mut terminal).map(|(came, status)| (came, Some(status)))
                    }
                    End::Interrupt => terminal
                        .lines(answer.len().max(1), PATIENCE)
                        .map(|came| (came, None)),
                    End::Login => {
                        terminal.end(PATIENCE)?;
                        terminal = lab.shell()?;
                        continue;
                    }
                };
                (came, answer)
            }
            Line::Interrupt { answer } => {
                terminal.interrupt()?;
                let came = answer_of(&mut terminal).map(|(mut came, _)| {
                    // Some end without a word.
                    if came.is_empty() {
                        came.push(String::new());
                    }
                    (came, None)
                });
                (came, answer)
            }
        };
        let (came, status) = came.with_context(|| format!("$ {command}"))?;
        answers.push(Answer {
            command: command.clone(),
            written: std::mem::replace(written, came.clone()),
            came,
            status,
        });
    }
    Ok(Session { script, answers })
}

/// Brings the lab to the step before, as a reader comes from there.
fn prepare(terminal: &mut Terminal, before: &str) -> Result<()> {
    terminal.type_line(&format!(
        "scripts/apply.sh {before} &>/tmp/apply.log || cat /tmp/apply.log"
    ))?;
    let (said, _) = answer_of(terminal)?;
    if !said.is_empty() {
        bail!("apply.sh {before} failed:\n{}", said.join("\n"));
    }
    Ok(())
}

/// What a command answers that leaves the shell as it is, and how it ends.
fn answer_of(terminal: &mut Terminal) -> Result<(Vec<String>, i32)> {
    match terminal.answer(PATIENCE)? {
        Ended::Prompt(lines, status) => Ok((lines, status)),
        Ended::Shell(lines) => bail!("the shell ended, after:\n{}", lines.join("\n")),
    }
}
