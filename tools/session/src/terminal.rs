//! A shell in a terminal, typed into as a person would, and read until its prompt comes back.
//!
//! The shell marks where an answer begins and ends with the escape sequences of FinalTerm, as terminals know
//! them: `OSC 133;C` before a command's output, `OSC 133;D;STATUS` after it, `OSC 133;B` when the prompt is
//! there; and, where somebody wants to know, `OSC 133;E;COMMAND` before the first. No program prints them, and a terminal does not show them.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Rows and columns, so that systemctl wraps and shortens as it does on the page.
pub const SIZE: (u16, u16) = (50, 120);

/// How long a person takes to type a command, at the least.
const TYPING: Duration = Duration::from_millis(600);

/// How long a login may take: after a reboot, the managers have to come up first.
const LOGIN: Duration = Duration::from_secs(180);

/// So many bytes of an answer are kept. None in the book is longer than a page.
const LONGEST: usize = 1 << 20;

/// The marks, for the shells that are set up elsewhere: in `PS0`, before the prompt, and at its end.
pub const BEGINS: &str = r"\e]133;C\a";
/// The same in a shell with a history, which says what was typed.
pub const TYPED: &str = r"\e]133;E;$(HISTTIMEFORMAT= history 1)\a";
/// With the exit status of the command in it.
pub const ENDS: &str = r"\e]133;D;$?\a";
/// The prompt is there: somebody may type.
pub const READY: &str = r"\e]133;B\a";

/// How an answer ended.
pub enum Ended {
    /// With the prompt: what came, and the command's exit status.
    Prompt(Vec<String>, i32),
    /// With the shell: it was left, or the machine went down.
    Shell(Vec<String>),
}

/// What a shell does.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// It, or a command in it, has written this.
    Output(Vec<u8>),
    /// This command is about to begin, as the shell's history has it: with its number.
    Typed(String),
    /// A command begins.
    Begins,
    /// A command has ended with this exit status.
    Status(i32),
    /// The prompt is there.
    Ready,
}

/// Finds the marks in what a shell writes, also one that comes in two pieces.
#[derive(Default)]
pub struct Marks {
    /// The beginning of what may become one.
    half: Vec<u8>,
}

impl Marks {
    const START: &[u8] = b"\x1b]133;";

    /// What is in these bytes, and in those that were held back before.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.half.extend(bytes);
        let mut events = Vec::new();
        let mut rest = std::mem::take(&mut self.half);
        while let Some(at) = rest
            .windows(Self::START.len())
            .position(|w| w == Self::START)
        {
            let after = at + Self::START.len();
            let Some(length) = rest[after..].iter().position(|&byte| byte == 0x07) else {
                break;
            };
            push_output(&mut events, &rest[..at]);
            let mark = String::from_utf8_lossy(&rest[after..after + length]);
            events.extend(match mark.split_once(';') {
                None if mark == "C" => Some(Event::Begins),
                None if mark == "B" => Some(Event::Ready),
                Some(("D", status)) => status.parse().ok().map(Event::Status),
                Some(("E", command)) => Some(Event::Typed(command.to_owned())),
                _ => None,
            });
            rest.drain(..=after + length);
        }
        // A mark is short, but for the one with what somebody has typed; what is longer is none.
        let escape = rest.iter().rposition(|&byte| byte == 0x1b);
        let held = escape.filter(|&at| {
            let tail = &rest[at..];
            let longest = if tail.starts_with(b"\x1b]133;E;") {
                4096
            } else {
                24
            };
            tail.len() < longest && (Self::START.starts_with(tail) || tail.starts_with(Self::START))
        });
        self.half = rest.split_off(held.unwrap_or(rest.len()));
        push_output(&mut events, &rest);
        events
    }
}

fn push_output(events: &mut Vec<Event>, bytes: &[u8]) {
    if !bytes.is_empty() {
        events.push(Event::Output(bytes.to_vec()));
    }
}

/// What is known of a shell, whether anybody listens or not.
#[derive(Default)]
struct State {
    at_prompt: AtomicBool,
    ended: AtomicBool,
}

/// A shell in a terminal.
pub struct Terminal {
    /// Ended with this value; none if somebody else has started it.
    shell: Option<Child>,
    keyboard: File,
    events: Receiver<Event>,
    /// Whether anybody waits for the events.
    listening: Arc<AtomicBool>,
    state: Arc<State>,
    /// What has come and was not yet part of an answer.
    unread: Vec<u8>,
    /// Whether a command runs: what comes is its answer, and not the echo of what is typed.
    runs: bool,
    /// How many bytes of an answer were thrown away.
    too_much: usize,
}

impl Terminal {
    /// Starts a command that is, or becomes, a bash, and waits for its prompt.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or never asks for a command.
    pub fn start(program: &Path, arguments: &[&str]) -> Result<Self> {
        let (pty, pts) = pair()?;
        resize(&pty, SIZE)?;
        let pts = File::options().read(true).write(true).open(pts)?;
        let shell = Command::new("setsid")
            .args(["--ctty", "--"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::from(pts.try_clone()?))
            .stdout(Stdio::from(pts.try_clone()?))
            .stderr(Stdio::from(pts))
            .spawn()
            .context("cannot run setsid")?;
        let mut terminal = Self::over(pty, |_| {})?;
        terminal.shell = Some(shell);
        // No echo and no line editor, so that only answers come back; and a terminal without colours,
        // pager and cursor, because the page has none of them either. Emoji it has.
        terminal.log_in(&format!(
            "stty -echo; TERM=dumb SYSTEMD_EMOJI=1 PS0=$'{BEGINS}' PS1=$'{ENDS}{READY}' exec bash --noediting --norc -i"
        ))?;
        Ok(terminal)
    }

    /// A terminal in which somebody else starts a shell. `see` gets every byte that comes, and nothing at the end.
    ///
    /// # Errors
    ///
    /// If there are no more files or threads to have.
    pub fn over(pty: OwnedFd, mut see: impl FnMut(&[u8]) + Send + 'static) -> Result<Self> {
        let keyboard = File::from(pty);
        let mut output = keyboard.try_clone()?;
        // Bounded: who writes faster than it is read has to wait.
        let (send, events): (SyncSender<Event>, _) = sync_channel(256);
        let listening = Arc::new(AtomicBool::new(true));
        let heard = Arc::clone(&listening);
        let state = Arc::new(State::default());
        let its_state = Arc::clone(&state);
        // Reading blocks and has no time limit of its own, so a thread does it.
        thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || {
                let mut marks = Marks::default();
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = output.read(&mut buffer) {
                    see(&buffer[..length]);
                    for event in marks.read(&buffer[..length]) {
                        match event {
                            Event::Ready => its_state.at_prompt.store(true, Ordering::SeqCst),
                            Event::Begins => its_state.at_prompt.store(false, Ordering::SeqCst),
                            _ => {}
                        }
                        if heard.load(Ordering::SeqCst) && send.send(event).is_err() {
                            return;
                        }
                    }
                }
                its_state.ended.store(true, Ordering::SeqCst);
                see(&[]);
            })?;
        Ok(Self {
            shell: None,
            keyboard,
            events,
            listening,
            state,
            unread: Vec::new(),
            runs: false,
            too_much: 0,
        })
    }

    /// Waits for the login shell's prompt, and types the line that makes it set its marks.
    ///
    /// # Errors
    ///
    /// If there is no prompt, and what came instead.
    pub fn log_in(&mut self, set_up: &str) -> Result<()> {
        // What is typed before the login shell listens may be thrown away.
        let limit = Instant::now() + LOGIN;
        while !plain(&self.unread).ends_with("$ ") {
            match self.event(limit)? {
                Some(Event::Output(bytes)) => self.unread.extend(bytes),
                Some(_) => {}
                None => bail!("no shell: {}", self.so_far()),
            }
        }
        self.unread.clear();
        self.type_line(set_up)?;
        loop {
            match self.event(limit)? {
                Some(Event::Ready) => break,
                Some(Event::Output(bytes)) => self.keep(&bytes),
                Some(_) => {}
                None => bail!("no shell: {}", self.so_far()),
            }
        }
        self.unread.clear();
        Ok(())
    }

    /// What a person types into it, whatever else goes on.
    ///
    /// # Errors
    ///
    /// If there are no more files to have.
    pub fn keyboard(&self) -> Result<File> {
        Ok(self.keyboard.try_clone()?)
    }

    /// Whether it waits for a command.
    pub fn is_at_prompt(&self) -> bool {
        self.state.at_prompt.load(Ordering::SeqCst)
    }

    /// The same, for whoever does not own the terminal.
    pub fn prompt_watch(&self) -> impl Fn() -> bool + Send + 'static {
        let state = Arc::clone(&self.state);
        move || state.at_prompt.load(Ordering::SeqCst)
    }

    /// Whether nothing will come any more.
    pub fn has_ended(&self) -> bool {
        self.state.ended.load(Ordering::SeqCst)
    }

    /// From now on events are kept for an answer, or else thrown away.
    pub fn listen(&mut self, listening: bool) {
        self.listening.store(listening, Ordering::SeqCst);
        while self.events.try_recv().is_ok() {}
        self.unread.clear();
    }

    /// Types a line and Enter.
    ///
    /// # Errors
    ///
    /// If the shell has gone.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        self.keyboard
            .write_all(format!("{line}\n").as_bytes())
            .context("cannot type into the shell")
    }

    /// Types Ctrl-C.
    ///
    /// # Errors
    ///
    /// If the shell has gone.
    pub fn interrupt(&mut self) -> Result<()> {
        self.keyboard
            .write_all(b"\x03")
            .context("cannot type into the shell")
    }

    /// Waits until the prompt is back, and returns the lines above it. `hear` gets them as they come.
    ///
    /// A prompt without a status before it is only drawn anew, as after a resize.
    ///
    /// # Errors
    ///
    /// If the prompt does not come back in time.
    pub fn answer(&mut self, patience: Duration, mut hear: impl FnMut(&[u8])) -> Result<Ended> {
        let limit = Instant::now() + patience;
        let mut status = None;
        loop {
            match self.event(limit)? {
                Some(Event::Begins) => self.begins(),
                // Also without a command: Ctrl-C has thrown away what was typed.
                Some(Event::Status(number)) => {
                    status = Some(number);
                    self.runs = false;
                }
                Some(Event::Ready) => {
                    if let Some(status) = status {
                        return Ok(Ended::Prompt(self.take(), status));
                    }
                }
                Some(Event::Output(bytes)) if self.runs => {
                    hear(&bytes);
                    self.keep(&bytes);
                }
                // An echo, or the prompt itself; and what is no news to whoever has typed it.
                Some(Event::Output(_) | Event::Typed(_)) => {}
                None => return Ok(Ended::Shell(self.take())),
            }
        }
    }

    /// Waits until the shell has ended. What it still says depends on how it is torn down.
    ///
    /// # Errors
    ///
    /// If it does not end in time.
    pub fn end(&mut self, patience: Duration) -> Result<()> {
        while let Ended::Prompt(..) = self.answer(patience, |_| {})? {}
        Ok(())
    }

    /// Waits for a number of lines from a command that does not end by itself.
    ///
    /// # Errors
    ///
    /// If they do not come in time, or the command or the shell ends before.
    pub fn lines(
        &mut self,
        count: usize,
        patience: Duration,
        mut hear: impl FnMut(&[u8]),
    ) -> Result<Vec<String>> {
        let limit = Instant::now() + patience;
        loop {
            match self.event(limit)? {
                Some(Event::Begins) => self.begins(),
                Some(Event::Output(bytes)) if self.runs => {
                    hear(&bytes);
                    self.keep(&bytes);
                }
                Some(Event::Output(_)) => {}
                Some(Event::Typed(_)) => {}
                Some(Event::Status(_) | Event::Ready) => {
                    bail!("this ended by itself, after:\n{}", self.so_far())
                }
                None => bail!("the shell ended, after:\n{}", self.so_far()),
            }
            let mut ends = self.unread.iter().enumerate();
            let mut ends = ends.by_ref().filter(|(_, byte)| **byte == b'\n');
            if let Some((end, _)) = ends.nth(count - 1) {
                let rest = self.unread.split_off(end + 1);
                let lines = self.take();
                self.unread = rest;
                return Ok(lines);
            }
        }
    }

    /// Waits for what comes next. None if nothing will.
    fn event(&mut self, limit: Instant) -> Result<Option<Event>> {
        match self
            .events
            .recv_timeout(limit.saturating_duration_since(Instant::now()))
        {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                bail!("did not come back in time; so far:\n{}", self.so_far())
            }
        }
    }

    fn begins(&mut self) {
        self.unread.clear();
        self.runs = true;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.unread.len()).min(bytes.len());
        self.unread.extend(&bytes[..room]);
        self.too_much += bytes.len() - room;
    }

    /// The lines that were unread, without what is invisible at their ends.
    fn take(&mut self) -> Vec<String> {
        let text = self.so_far();
        self.unread.clear();
        let mut lines: Vec<_> = text
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        if self.too_much > 0 {
            lines.push(format!("[and {} bytes more]", self.too_much));
            self.too_much = 0;
        }
        lines
    }

    fn so_far(&self) -> String {
        plain(&self.unread)
    }
}

/// The text in what was written for a terminal: without colours, titles and movements.
pub fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(one) = rest.next() {
        match (one, rest.peek()) {
            ('\x1b', Some('[')) => {
                rest.next();
                // Parameters, and one letter at the end.
                while rest.next_if(|next| matches!(next, ' '..='?')).is_some() {}
                rest.next();
            }
            ('\x1b', Some(']')) => {
                while let Some(next) = rest.next() {
                    if next == '\x07' || next == '\x1b' && rest.next_if_eq(&'\\').is_some() {
                        break;
                    }
                }
            }
            ('\x1b', _) => {
                while rest.next_if(|next| matches!(next, ' '..='/')).is_some() {}
                rest.next();
            }
            ('\r', Some('\n')) => {}
            _ => plain.push(one),
        }
    }
    plain
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.shell {
            let _ = shell.kill();
            let _ = shell.wait();
        }
    }
}

/// Takes as long as a fast typist for a command.
///
/// This is no wait for anything: without it the answers would be those that a robot gets, with
/// `Active: ...; 3ms ago` and processes that are only half started.
pub fn take_time() {
    thread::sleep(TYPING);
}

/// A new terminal: this end, and the path of the one for a shell.
///
/// # Errors
///
/// If there are no more of them, see pty(7).
pub fn pair() -> Result<(OwnedFd, PathBuf)> {
    let pty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&pty)?;
    unlockpt(&pty)?;
    let path = ptsname(&pty, Vec::new())?;
    Ok((pty, PathBuf::from(path.into_string()?)))
}

/// Tells a terminal how many rows and columns it has.
///
/// # Errors
///
/// If it is none.
pub fn resize(pty: impl AsFd, (rows, columns): (u16, u16)) -> Result<()> {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(tcsetwinsize(pty, size)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_also_in_pieces() {
        let mut marks = Marks::default();
        let mut events = Vec::new();
        for byte in b"echo\x1b]133;C\x07a\x1b[1mb\x1b]133;D;12\x07$ \x1b]133;B\x07".chunks(1) {
            events.extend(marks.read(byte));
        }
        let mut text = String::new();
        events.retain(|event| match event {
            Event::Output(bytes) => {
                text += &String::from_utf8_lossy(bytes);
                false
            }
            _ => true,
        });
        assert_eq!(text, "echoa\x1b[1mb$ ");
        assert_eq!(events, [Event::Begins, Event::Status(12), Event::Ready]);
    }

    #[test]
    fn what_only_looks_like_a_mark_is_output() {
        let mut marks = Marks::default();
        let long = b"\x1b]133;this is a title and no mark";
        assert_eq!(marks.read(long), [Event::Output(long.to_vec())]);
        assert_eq!(marks.read(b"\x1b"), []);
        assert_eq!(marks.read(b"[m"), [Event::Output(b"\x1b[m".to_vec())]);
    }

    #[test]
    fn plain_text_has_no_escapes() {
        let colours = b"\x1b[0;1;32m\xe2\x97\x8f\x1b[0m a\r\n\x1b]8;;file://x\x1b\\b\x1b]0;c\x07\x1b(B<d>\x1b=";
        assert_eq!(plain(colours), "\u{25cf} a\nb<d>");
    }
}
