//! Labs, through `scripts/lab.sh`.

use std::process::{self, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

use anyhow::{Context, Result, bail};

use session::steps::repository;
use session::terminal::Terminal;

/// The labs that are up.
static UP: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// So many may be up side by side. The kernel lets root have 128 inotify instances, mostly, and a lab
/// with somebody logged in takes ten.
const AT_ONCE: usize = 12;

/// Set at the end: no lab boots any more.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Told when a lab has gone down.
static ROOM: Condvar = Condvar::new();

/// A lab that goes down with this value.
pub struct Lab {
    name: String,
}

impl Lab {
    /// Boots a lab of a Debian release for a step, once there is room for it. Its name is of this
    /// process alone, so that two runs do not meet.
    pub fn up(suite: &str, step: &str) -> Result<Self> {
        let number = step.split('-').next().unwrap_or(step);
        let name = format!("session-{suite}-{number}-{}", process::id());
        if let Ok(mut up) = UP.lock().and_then(|up| {
            ROOM.wait_while(up, |up| {
                up.len() >= AT_ONCE || CLOSED.load(Ordering::SeqCst)
            })
        }) {
            up.push(name.clone());
        }
        let lab = Self { name };
        let output = lab
            .script("up")
            .args(["--suite", suite])
            .output()
            .context("cannot run scripts/lab.sh")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(lab)
    }

    /// Logs in as learner.
    pub fn shell(&self) -> Result<Terminal> {
        let script = repository().join("scripts/lab.sh");
        Terminal::start(&script, &["shell", "--name", &self.name])
            .context("cannot log in to the lab")
    }

    fn script(&self, action: &str) -> Command {
        let mut command = Command::new(repository().join("scripts/lab.sh"));
        command.args([action, "--name", &self.name]);
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = self.script("down").status() {
            eprintln!("session: the lab {} is still up: {error}", self.name);
        }
        if let Ok(mut up) = UP.lock() {
            up.retain(|name| *name != self.name);
            ROOM.notify_one();
        }
    }
}

/// Ends every lab of this process.
pub fn end_all() {
    CLOSED.store(true, Ordering::SeqCst);
    let names = UP.lock().map(|up| up.clone()).unwrap_or_default();
    for name in names {
        drop(Lab { name });
    }
}
