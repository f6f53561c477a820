//! What runs in terminals: on this machine, or, with the rights of root, in a lab.
//!
//! `sudo` asks once: it starts `lab.sh serve`, which from then on starts what this program names, in terminals that
//! belong to this program. When this program ends, however, its terminals do, and with them what runs there.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use session::steps::repository;
use session::terminal;

/// Starts what is named to it.
pub struct Hand {
    asks: Mutex<Box<dyn Write + Send>>,
    _child: Option<Child>,
}

impl Hand {
    /// Boots the lab, with root's rights, which `sudo` may ask a password for.
    ///
    /// # Errors
    ///
    /// If it does not boot; why is on standard error already.
    pub fn of_lab(name: &str, suite: &str) -> Result<Self> {
        let mut child = Command::new(repository().join("scripts/lab.sh"))
            .args(["serve", "--name", name, "--suite", suite])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run scripts/lab.sh")?;
        let (Some(asks), Some(says)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("scripts/lab.sh cannot be talked to");
        };
        let mut said = String::new();
        BufReader::new(says).read_line(&mut said)?;
        if said.trim() != "ready" {
            bail!("there is no lab to tie the page to; why is above");
        }
        Ok(Self {
            asks: Mutex::new(Box::new(asks)),
            _child: Some(child),
        })
    }

    /// For any lab, none of which is booted by this: `lab.sh serve --all` reads what this writes into the pipe, which
    /// is made here.
    ///
    /// # Errors
    ///
    /// If there can be no such pipe.
    pub fn of_workshop(pipe: &Path) -> Result<Self> {
        let _ = std::fs::remove_file(pipe);
        Command::new("mkfifo")
            .arg("--mode=600")
            .arg(pipe)
            .status()
            .context("cannot run mkfifo")?;
        // Waits until the other end is opened, too, see fifo(7).
        let asks = std::fs::File::options().write(true).open(pipe);
        let asks = asks.with_context(|| format!("cannot open {}", pipe.display()))?;
        Ok(Self {
            asks: Mutex::new(Box::new(asks)),
            _child: None,
        })
    }

    /// Starts an action of `lab.sh` in a new terminal, and gives this end of it.
    ///
    /// # Errors
    ///
    /// If there is no terminal to be had, or nobody to ask any more.
    pub fn start(&self, action: &str) -> Result<OwnedFd> {
        let (pty, path) = terminal::pair()?;
        terminal::resize(&pty, terminal::SIZE)?;
        let mut asks = self.asks.lock().map_err(|_| anyhow::anyhow!("a bug"))?;
        // In a workshop, another one may be put at the other end of the pipe, which then is this one's too.
        writeln!(asks, "{} {action}", path.display()).context(
            "lab.sh: What starts the labs has ended. Begin again: scripts/workshop.sh up",
        )?;
        Ok(pty)
    }
}

/// Starts a program of this machine in a new terminal, and gives this end of it.
///
/// # Errors
///
/// If it cannot be started.
pub fn start_here(program: &Path) -> Result<OwnedFd> {
    let (pty, path) = terminal::pair()?;
    let open = || std::fs::File::options().read(true).write(true).open(&path);
    let mut child = Command::new("setsid")
        .args(["--ctty", "--"])
        .arg(program)
        .stdin(open()?)
        .stdout(open()?)
        .stderr(open()?)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    // Somebody has to look when it ends, or it would stay as a zombie.
    std::thread::spawn(move || child.wait());
    Ok(pty)
}
