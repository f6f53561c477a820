//! `session record|replay [STEP...]`: the terminal sessions of the chapters, on a real systemd.
//!
//! Each `steps/NN-name/session.console` is typed, line by line, into a shell of a lab of its own that
//! starts where the chapter starts: at the step before. `replay` compares what comes back with what
//! the file says; `record` writes it down. On another Debian release, a replay asks for less: each
//! command has to end with the exit status that it has on the one that was recorded.

mod lab;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use lab::Lab;
use session::compare::{self, Session, Typed};
use session::play::{self, Nobody, PATIENCE};
use session::script::{End, Line, Script};
use session::steps::{all_steps, session_of, step_before};
use session::terminal::Terminal;

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

/// Boots a lab, brings it to the step before, and types.
fn run(step: &str, file: &Path, suite: &str) -> Result<Session> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut script = Script::parse(&text)?;

    let lab = Lab::up(suite, step)?;
    let mut terminal = lab.shell()?;
    if let Some(before) = step_before(step)? {
        prepare(&mut terminal, &before)?;
    }
    let log_in = |terminal: &mut Terminal| {
        *terminal = lab.shell()?;
        Ok(())
    };
    let answers = play::play(&script.lines, &mut terminal, log_in, &mut Nobody)?;
    let mut came = answers.iter();
    for line in &mut script.lines {
        if let Line::Command {
            answer,
            end: End::Prompt | End::Interrupt,
            ..
        }
        | Line::Interrupt { answer } = line
            && let Some(this) = came.next()
        {
            answer.clone_from(&this.came);
        }
    }
    Ok(Session { script, answers })
}

/// Brings the lab to the step before, as a reader comes from there.
fn prepare(terminal: &mut Terminal, before: &str) -> Result<()> {
    terminal.type_line(&format!(
        "scripts/apply.sh {before} &>/tmp/apply.log || cat /tmp/apply.log"
    ))?;
    let (said, _) = play::prompt(terminal.answer(PATIENCE, |_| {})?)?;
    if !said.is_empty() {
        bail!("apply.sh {before} failed:\n{}", said.join("\n"));
    }
    Ok(())
}
