//! The text of a `session.console`.

use std::fmt::{self, Display, Formatter};

use anyhow::{Result, bail};

/// Below a command that is ended by Ctrl-C, as the terminal shows it.
const INTERRUPT: &str = "^C";

/// Below a command that ends the shell.
const LOGIN: &str = "#: login";

/// A session: what is typed, what comes back, and notes in between.
#[derive(Debug)]
pub struct Script {
    /// The parts of the file, in order.
    pub lines: Vec<Line>,
}

/// One part of a session.
#[derive(Debug)]
pub enum Line {
    /// A line that is neither typed nor an answer: `# ANCHOR: name`, or `#: a remark`.
    Note(String),
    /// `$ command`, and the lines that came back.
    Command {
        /// What is typed.
        text: String,
        /// What came back.
        answer: Vec<String>,
        /// What comes next.
        end: End,
    },
    /// `^C`, and what came after it.
    Interrupt {
        /// What came back. The first line is what came on the line of the `^C`, often nothing: the
        /// terminal shows it where the cursor is.
        answer: Vec<String>,
    },
}

/// How a command comes to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// By itself: the prompt comes back.
    Prompt,
    /// By a `^C`, once the lines of its answer have come.
    Interrupt,
    /// With the login, as a reboot does. `#: login` stands below such a command.
    Login,
}

impl Script {
    /// Reads a session.
    ///
    /// # Errors
    ///
    /// An answer without a command, and a `^C` or a `#: login` without one to end, name their line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines: Vec<Line> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if let Some(text) = line.strip_prefix("$ ") {
                let (text, answer) = (text.to_owned(), Vec::new());
                let end = End::Prompt;
                lines.push(Line::Command { text, answer, end });
            } else if line.starts_with(INTERRUPT) || line == LOGIN {
                let last = lines
                    .iter_mut()
                    .rfind(|line| !matches!(line, Line::Note(_)));
                let Some(Line::Command { end, .. }) = last else {
                    bail!("line {number}: there is no command for this {line} to end");
                };
                if let Some(rest) = line.strip_prefix(INTERRUPT) {
                    *end = End::Interrupt;
                    let answer = vec![rest.to_owned()];
                    lines.push(Line::Interrupt { answer });
                } else {
                    *end = End::Login;
                    lines.push(Line::Note(line.to_owned()));
                }
            } else if is_note(line) {
                lines.push(Line::Note(line.to_owned()));
            } else {
                match lines.last_mut() {
                    Some(Line::Command { answer, .. } | Line::Interrupt { answer }) => {
                        answer.push(line.to_owned());
                    }
                    _ => bail!("line {number}: an answer without a command: {line}"),
                }
            }
        }
        Ok(Self { lines })
    }
}

/// What stands between `# ANCHOR: name` and its end: a block of the chapter.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The places of its lines in the script.
    pub lines: std::ops::Range<usize>,
}

impl Script {
    /// All parts, in order.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let Line::Note(text) = line else { continue };
            if let Some(name) = text.strip_prefix("# ANCHOR: ") {
                let (name, lines) = (name.to_owned(), at + 1..at + 1);
                parts.push(Part { name, lines });
            } else if let Some(name) = text.strip_prefix("# ANCHOR_END: ")
                && let Some(part) = parts.iter_mut().find(|part| part.name == name)
            {
                part.lines.end = at;
            }
        }
        parts
    }
}

/// Answers may begin with a `#` too: `systemctl cat` does.
fn is_note(line: &str) -> bool {
    ["# ANCHOR: ", "# ANCHOR_END: ", "#: "]
        .iter()
        .any(|start| line.starts_with(start))
}

impl Display for Script {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let answer = match self {
            Self::Note(text) => return writeln!(f, "{text}"),
            Self::Command { text, answer, .. } => {
                writeln!(f, "$ {text}")?;
                answer
            }
            Self::Interrupt { answer } => {
                write!(f, "{INTERRUPT}")?;
                answer
            }
        };
        answer.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() -> Result<()> {
        let text = "#: a remark\n# ANCHOR: a\n$ true\n# x\n$ journalctl -f\none\n\ntwo\n^C\n$ cat\nx\n^CBye\ny\n# ANCHOR_END: a\n";
        assert_eq!(Script::parse(text)?.to_string(), text);
        Ok(())
    }

    #[test]
    fn parts_are_what_a_chapter_shows() -> Result<()> {
        let script = Script::parse(
            "$ true\n# ANCHOR: a\n$ x\n1\n# ANCHOR_END: a\n#: login\n# ANCHOR: b\n$ y\n# ANCHOR_END: b\n",
        )?;
        let parts = script.parts();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].lines, 2..3);
        assert_eq!(
            script.lines[parts[0].lines.clone()][0].to_string(),
            "$ x\n1\n"
        );
        assert_eq!(
            (parts[1].name.as_str(), parts[1].lines.clone()),
            ("b", 6..7)
        );
        Ok(())
    }

    #[test]
    fn a_command_before_an_interrupt_is_stopped_by_it() -> Result<()> {
        let script = Script::parse("$ journalctl -f\none\n^C\n")?;
        assert!(matches!(
            script.lines[0],
            Line::Command {
                end: End::Interrupt,
                ..
            }
        ));
        Ok(())
    }

    #[test]
    fn a_command_before_a_login_ends_the_shell() -> Result<()> {
        let script = Script::parse(
            "# ANCHOR: a\n$ sudo systemctl reboot\n# ANCHOR_END: a\n#: login\n$ id\n",
        )?;
        assert!(matches!(
            script.lines[1],
            Line::Command {
                end: End::Login,
                ..
            }
        ));
        Ok(())
    }

    #[test]
    fn an_answer_to_nothing_is_refused() {
        for text in ["hello\n", "# ANCHOR: a\nhello\n", "^C\n", "#: login\n"] {
            assert!(Script::parse(text).is_err(), "{text:?}");
        }
    }
}
