//! `session record|replay [STEP...]`: the terminal sessions of the chapters, on a real systemd.
//!
//! Each `steps/NN-name/session.console` is typed, line by line, into a shell of a lab of its own that
//! starts where the chapter starts: at the step before. `replay` compares what comes back with what
//! the file says; `record` writes it down.

mod lab;
mod normal;
mod script;
mod terminal;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use lab::Lab;
use script::{End, Line, Script};
use terminal::{Ended, Terminal};

const USAGE: &str = "\
Usage: cargo session record [STEP...]   run the sessions and write down what comes back
       cargo session replay [STEP...]   run the sessions and compare with what is written

STEP is the name of a folder in steps/, or its number; without one, all steps that have a session.
";

/// How long a line may take until its answer has come, be it a reboot.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Record,
    Replay,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mode = match arguments.first().map(String::as_str) {
        Some("record") => Mode::Record,
        Some("replay") => Mode::Replay,
        Some("-h" | "--help") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let steps = match chosen_steps(&arguments[1..]) {
        Ok(steps) => steps,
        Err(error) => {
            eprintln!("session: {error:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    end_labs_when_interrupted();

    // Every session has a lab of its own, so all of them run at once.
    let runs: Vec<_> = steps
        .into_iter()
        .map(|step| thread::spawn(move || report(&step, mode)))
        .collect();
    let passed = runs.into_iter().map(|run| run.join().unwrap_or(false));
    if passed.fold(true, |all, one| all & one) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
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

/// Runs one session and says how it went.
fn report(step: &str, mode: Mode) -> bool {
    match (run(step, mode), mode) {
        (Ok(differences), Mode::Record) => {
            println!("{step}: recorded, {} answers are new", differences.len());
            true
        }
        (Ok(differences), Mode::Replay) if differences.is_empty() => {
            println!("{step}: every answer is as written");
            true
        }
        (Ok(differences), Mode::Replay) => {
            println!(
                "{step}: {} answers differ\n{}",
                differences.len(),
                differences.join("\n")
            );
            false
        }
        (Err(error), _) => {
            println!("{step}: {error:#}");
            false
        }
    }
}

/// Types a session into a fresh lab. Returns a diff for each answer that is not as written.
fn run(step: &str, mode: Mode) -> Result<Vec<String>> {
    let file = repository()
        .join("steps")
        .join(step)
        .join("session.console");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut script = Script::parse(&text)?;

    let lab = Lab::up(step)?;
    let mut terminal = lab.shell()?;
    let all = all_steps()?;
    if let Some(before) = all
        .iter()
        .position(|one| one == step)
        .and_then(|at| at.checked_sub(1))
    {
        prepare(&mut terminal, &all[before])?;
    }

    let mut differences = Vec::new();
    let mut command = String::new();
    for line in &mut script.lines {
        let (came, written) = match line {
            Line::Note(_) => continue,
            Line::Command { text, answer, end } => {
                command.clone_from(text);
                terminal.type_slowly(text)?;
                let came = match end {
                    End::Prompt => answer_of(&mut terminal),
                    End::Interrupt => terminal.lines(answer.len().max(1), PATIENCE),
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
                let mut came = answer_of(&mut terminal);
                // bash ends the line on which the ^C stands.
                if let Ok(lines) = &mut came
                    && lines.first().is_some_and(String::is_empty)
                {
                    lines.remove(0);
                }
                (came, answer)
            }
        };
        let came = came.with_context(|| format!("$ {command}"))?;
        if !normal::same(&command, written, &came) {
            differences.push(normal::diff(&command, written, &came));
            *written = came;
        }
    }
    if mode == Mode::Record {
        // An answer that looks like a command would be typed the next time.
        let text = script.to_string();
        let again = Script::parse(&text)?;
        if again.lines.len() != script.lines.len() {
            bail!("an answer begins like a line of the session itself: '$ ', '^C' or '# ANCHOR'");
        }
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(differences)
}

/// Brings the lab to the step before, as a reader comes from there.
fn prepare(terminal: &mut Terminal, before: &str) -> Result<()> {
    terminal.type_line(&format!(
        "scripts/apply.sh {before} &>/tmp/apply.log || cat /tmp/apply.log"
    ))?;
    let said = answer_of(terminal)?;
    if !said.is_empty() {
        bail!("apply.sh {before} failed:\n{}", said.join("\n"));
    }
    Ok(())
}

/// What a command answers that leaves the shell as it is.
fn answer_of(terminal: &mut Terminal) -> Result<Vec<String>> {
    match terminal.answer(PATIENCE)? {
        Ended::Prompt(lines) => Ok(lines),
        Ended::Shell(lines) => bail!("the shell ended, after:\n{}", lines.join("\n")),
    }
}
