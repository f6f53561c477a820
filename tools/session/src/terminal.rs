//! A shell in a terminal, typed into as a person would, and read until its prompt comes back.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pty_process::Size;
use pty_process::blocking::{Command, open};

/// Rows and columns, so that systemctl wraps and shortens as it does on the page.
const SIZE: (u16, u16) = (50, 120);

/// Stands in the prompt and in no output: the end of an answer. Then comes the status, and the end.
const ANSWERED: u8 = 0x1f;
const MARK: u8 = 0x1e;

/// How long a person takes to type a command, at the least.
const TYPING: Duration = Duration::from_millis(600);

/// How long a login may take: after a reboot, the managers have to come up first.
const LOGIN: Duration = Duration::from_secs(180);

/// How an answer ended.
pub enum Ended {
    /// With the prompt: what came, and the command's exit status.
    Prompt(Vec<String>, i32),
    /// With the shell: it was left, or the machine went down.
    Shell(Vec<String>),
}

/// A shell in a terminal.
pub struct Terminal {
    shell: Child,
    keyboard: std::fs::File,
    screen: Receiver<Vec<u8>>,
    /// What has come and was not yet part of an answer.
    unread: Vec<u8>,
}

impl Terminal {
    /// Starts a command that is, or becomes, a bash, and waits for its prompt.
    pub fn start(command: Command) -> Result<Self> {
        let (pty, pts) = open()?;
        pty.resize(Size::new(SIZE.0, SIZE.1))?;
        let shell = command.spawn(pts)?;

        let keyboard = std::fs::File::from(OwnedFd::from(pty));
        let mut output = keyboard.try_clone()?;
        let (send, screen) = mpsc::channel();
        // Reading blocks and has no time limit of its own, so a thread does it.
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if send.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });

        let unread = Vec::new();
        let mut terminal = Self {
            shell,
            keyboard,
            screen,
            unread,
        };
        // What is typed before the login shell listens may be thrown away.
        let limit = Instant::now() + LOGIN;
        while !terminal.unread.ends_with(b"$ ") {
            if !terminal.more(limit)? {
                bail!("no shell: {}", terminal.so_far());
            }
        }
        terminal.unread.clear();
        // No echo and no line editor, so that only answers come back; and a terminal without colours,
        // pager and cursor, because the page has none of them either. Emoji it has.
        terminal.type_line(
            r"stty -echo; TERM=dumb SYSTEMD_EMOJI=1 PS1=$'\x1f$?\x1e' exec bash --noediting --norc -i",
        )?;
        match terminal.answer(LOGIN)? {
            Ended::Prompt(..) => Ok(terminal),
            Ended::Shell(lines) => bail!("no shell: {}", lines.join("\n")),
        }
    }

    /// Types a line and Enter, and takes as long for it as a fast typist.
    ///
    /// This is no wait for anything: without it the answers would be those that a robot gets, with
    /// `Active: ...; 3ms ago` and processes that are only half started.
    pub fn type_slowly(&mut self, line: &str) -> Result<()> {
        thread::sleep(TYPING);
        self.type_line(line)
    }

    /// Types a line and Enter.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        self.keyboard
            .write_all(format!("{line}\n").as_bytes())
            .context("cannot type into the shell")
    }

    /// Types Ctrl-C.
    pub fn interrupt(&mut self) -> Result<()> {
        self.keyboard
            .write_all(b"\x03")
            .context("cannot type into the shell")
    }

    /// Waits until the prompt is back, and returns the lines above it.
    pub fn answer(&mut self, patience: Duration) -> Result<Ended> {
        let limit = Instant::now() + patience;
        loop {
            if let Some(at) = self.unread.iter().position(|&byte| byte == MARK) {
                let rest = self.unread.split_off(at + 1);
                self.unread.pop();
                let status = self.status()?;
                return Ok(Ended::Prompt(self.take(rest), status));
            }
            if !self.more(limit)? {
                return Ok(Ended::Shell(self.take(Vec::new())));
            }
        }
    }

    /// Waits until the shell has ended. What it still says depends on how it is torn down.
    pub fn end(&mut self, patience: Duration) -> Result<()> {
        while let Ended::Prompt(..) = self.answer(patience)? {}
        Ok(())
    }

    /// Waits for a number of lines from a command that does not end by itself.
    pub fn lines(&mut self, count: usize, patience: Duration) -> Result<Vec<String>> {
        let limit = Instant::now() + patience;
        loop {
            let mut ends = self
                .unread
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n');
            if let Some((end, _)) = ends.nth(count - 1) {
                let rest = self.unread.split_off(end + 1);
                return Ok(self.take(rest));
            }
            if self.unread.contains(&MARK) {
                bail!("this ended by itself, after:\n{}", self.so_far());
            }
            if !self.more(limit)? {
                bail!("the shell ended, after:\n{}", self.so_far());
            }
        }
    }

    /// Takes the status off the end of what has come.
    fn status(&mut self) -> Result<i32> {
        let at = self.unread.iter().rposition(|&byte| byte == ANSWERED);
        let digits = at.map(|at| self.unread.split_off(at)).unwrap_or_default();
        let digits = String::from_utf8_lossy(&digits).into_owned();
        let digits = digits.trim_start_matches(char::from(ANSWERED));
        digits
            .parse()
            .with_context(|| format!("no exit status in the prompt, but '{digits}'"))
    }

    /// Waits for more output. False if there will be none.
    fn more(&mut self, limit: Instant) -> Result<bool> {
        match self
            .screen
            .recv_timeout(limit.saturating_duration_since(Instant::now()))
        {
            Ok(bytes) => {
                self.unread.extend(bytes);
                Ok(true)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(false),
            Err(RecvTimeoutError::Timeout) => {
                bail!("did not come back in time; so far:\n{}", self.so_far())
            }
        }
    }
}

impl Terminal {
    /// The lines that were unread, without what is invisible at their ends. Leaves `rest` unread.
    fn take(&mut self, rest: Vec<u8>) -> Vec<String> {
        let text = self.so_far();
        self.unread = rest;
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
