//! Plays lines of a session in a terminal, and says what came back.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::compare::Answer;
use crate::script::{End, Line};
use crate::terminal::{self, Ended, Terminal};

/// How long a line may take until its answer has come, be it a reboot.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Who looks on. A line is named by its place among those that are played.
pub trait Audience {
    /// Whether it goes on, asked before each line.
    fn goes_on(&self) -> bool {
        true
    }
    /// A command is about to be typed, or `^C`.
    fn typed(&mut self, _line: usize, _text: &str) {}
    /// A piece of what comes back, for a terminal.
    fn heard(&mut self, _line: usize, _bytes: &[u8]) {}
    /// All of it.
    fn answered(&mut self, _line: usize, _answer: &Answer) {}
}

/// For who only wants the answers.
pub struct Nobody;
impl Audience for Nobody {}

/// Types the lines one after the other, each when the answer to the one before has come.
///
/// Where a command ends the shell, as a reboot does, `log_in` makes a new one.
///
/// # Errors
///
/// The first line that could not be played to its end; what came before was shown to the audience.
pub fn play(
    lines: &[Line],
    terminal: &mut Terminal,
    mut log_in: impl FnMut(&mut Terminal) -> Result<()>,
    audience: &mut impl Audience,
) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    let mut command = String::new();
    for (at, line) in lines.iter().enumerate() {
        if matches!(line, Line::Note(_)) {
            continue;
        }
        if !audience.goes_on() {
            break;
        }
        let came = match line {
            Line::Note(_) => continue,
            Line::Command { text, answer, end } => {
                command.clone_from(text);
                audience.typed(at, text);
                terminal::take_time();
                if !audience.goes_on() {
                    break;
                }
                let mut hear = |bytes: &[u8]| audience.heard(at, bytes);
                terminal.type_line(text)?;
                match end {
                    End::Prompt => prompt(terminal.answer(PATIENCE, hear)?)
                        .map(|(came, status)| (came, Some(status))),
                    End::Interrupt => terminal
                        .lines(answer.len().max(1), PATIENCE, &mut hear)
                        .map(|came| (came, None)),
                    End::Login => {
                        terminal.end(PATIENCE)?;
                        log_in(terminal)?;
                        Ok((Vec::new(), None))
                    }
                }
            }
            Line::Interrupt { .. } => {
                audience.typed(at, "^C");
                let hear = |bytes: &[u8]| audience.heard(at, bytes);
                terminal.interrupt()?;
                prompt(terminal.answer(PATIENCE, hear)?).map(|(mut came, _)| {
                    // Where the terminal echoes, it shows what was typed.
                    if let Some(first) = came.first_mut() {
                        *first = first.trim_start_matches("^C").to_owned();
                    }
                    // Some end without a word.
                    if came.is_empty() {
                        came.push(String::new());
                    }
                    (came, None)
                })
            }
        };
        let (came, status) = came.with_context(|| format!("$ {command}"))?;
        let written = match line {
            Line::Command { answer, .. } | Line::Interrupt { answer } => answer.clone(),
            Line::Note(_) => Vec::new(),
        };
        let ends_the_shell = matches!(
            line,
            Line::Command {
                end: End::Login,
                ..
            }
        );
        let answer = Answer {
            command: command.clone(),
            // How a shell is torn down is told differently each time.
            written: if ends_the_shell { Vec::new() } else { written },
            came,
            status,
        };
        audience.answered(at, &answer);
        if !ends_the_shell {
            answers.push(answer);
        }
    }
    Ok(answers)
}

/// What a command answers that leaves the shell as it is, and how it ends.
///
/// # Errors
///
/// If it has ended the shell.
pub fn prompt(ended: Ended) -> Result<(Vec<String>, i32)> {
    match ended {
        Ended::Prompt(lines, status) => Ok((lines, status)),
        Ended::Shell(lines) => bail!("the shell ended, after:\n{}", lines.join("\n")),
    }
}
