//! The machine that the pages are tied to, as `scripts/watch.sh` sees it, while there is a page.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::hub::Hub;

/// How long until it is tried again, if there is nothing to see.
const AGAIN: Duration = Duration::from_secs(2);

/// Which machine it is.
#[derive(Clone)]
pub enum Which {
    /// This one: looked at, and never typed into.
    Here,
    /// A lab.
    Lab {
        /// Its name.
        name: String,
        /// Its Debian release.
        suite: String,
    },
}

impl Which {
    fn describe(&self) -> Value {
        match self {
            Self::Here => json!({ "is": "here" }),
            Self::Lab { name, suite } => json!({ "is": "lab", "lab": name, "suite": suite }),
        }
    }
}

/// Looks on.
pub struct Machine {
    /// `watch.sh`, to be told something.
    watcher: Mutex<Option<File>>,
    told_to_end: AtomicBool,
}

impl Machine {
    /// Begins to look whenever there is a page. `start` starts `watch.sh` in a terminal,
    /// and `found` is told when it has begun to see something.
    pub fn watch(
        which: Which,
        hub: Arc<Hub>,
        start: impl Fn() -> Result<OwnedFd> + Send + 'static,
        found: impl Fn() + Send + 'static,
    ) -> Arc<Self> {
        let machine = Arc::new(Self {
            watcher: Mutex::new(None),
            told_to_end: AtomicBool::new(false),
        });
        let (this, its_hub) = (Arc::clone(&machine), Arc::clone(&hub));
        thread::spawn(move || {
            loop {
                hub.is("machine", &which.describe());
                hub.wait_for_page();
                let why = this.look(&which, &hub, &start, &found);
                hub.forget_machine();
                // Unless it was told to end, and a page has come since.
                if hub.has_pages() && !this.told_to_end.swap(false, Ordering::SeqCst) {
                    let mut gone = which.describe();
                    gone["gone"] = why.into();
                    hub.is("machine", &gone);
                    thread::sleep(AGAIN);
                }
            }
        });
        let this = Arc::clone(&machine);
        thread::spawn(move || {
            loop {
                its_hub.wait_for_page();
                its_hub.wait_for_no_page();
                this.told_to_end.store(true, Ordering::SeqCst);
                this.tell("end");
            }
        });
        machine
    }

    /// Has `doctor.sh` look at the machine.
    pub fn examine(&self) {
        self.tell("doctor");
    }

    fn tell(&self, word: &str) {
        if let Ok(mut watcher) = self.watcher.lock()
            && let Some(file) = watcher.as_mut()
        {
            // If it has gone, its end is noticed where it is read.
            let _ = writeln!(file, "{word}");
        }
    }

    /// Reads what `watch.sh` says until it ends, and returns what it complained of.
    fn look(
        &self,
        which: &Which,
        hub: &Hub,
        start: &impl Fn() -> Result<OwnedFd>,
        found: &impl Fn(),
    ) -> String {
        let file = match start().map(File::from) {
            Ok(file) => file,
            Err(error) => return format!("{error:#}"),
        };
        self.told_to_end.store(false, Ordering::SeqCst);
        if let (Ok(mut watcher), Ok(copy)) = (self.watcher.lock(), file.try_clone()) {
            *watcher = Some(copy);
        }
        let mut complaints = Vec::new();
        let mut said = Said::default();
        let mut lines = BufReader::new(file).lines();
        // A terminal whose other end was closed gives an error at its end, see pty(7).
        while let Some(Ok(line)) = lines.next() {
            let line = line.trim_end_matches('\r');
            if line.starts_with("machine\t") {
                found();
            }
            if !said.take(line, which, hub) {
                complaints.push(line.to_owned());
                complaints.drain(..complaints.len().saturating_sub(20));
            }
        }
        if let Ok(mut watcher) = self.watcher.lock() {
            *watcher = None;
        }
        // Of what came instead, only what is said to people: a sentence of a script, and what to do about it.
        let by_script =
            |line: &String| line.starts_with("lab.sh: ") || line.starts_with("watch.sh: ");
        let from = complaints.iter().position(by_script);
        from.map_or_else(String::new, |from| complaints[from..].join(" "))
    }
}

/// What was said and is not complete yet.
#[derive(Default)]
struct Said {
    checks: BTreeMap<String, Vec<[String; 3]>>,
    findings: Vec<[String; 3]>,
}

impl Said {
    /// Takes a line of `watch.sh`, see there. False if it is none.
    fn take(&mut self, line: &str, which: &Which, hub: &Hub) -> bool {
        let words: Vec<&str> = line.split('\t').collect();
        match words.as_slice() {
            ["machine", name, system, systemd] => {
                let mut machine = which.describe();
                machine["name"] = (*name).into();
                machine["system"] = (*system).into();
                machine["systemd"] = (*systemd).into();
                hub.forget_journal();
                hub.is("machine", &machine);
            }
            ["state", manager, active, sub, status, step] => {
                hub.set_empty(*manager == "none");
                let state = json!({ "manager": manager, "active": active, "sub": sub, "status": status, "step": step });
                hub.is("state", &state);
            }
            ["looking"] => self.checks.clear(),
            ["check", step, mark, what, hint] => {
                let check = [mark, what, hint].map(|word| (*word).to_owned());
                self.checks
                    .entry((*step).to_owned())
                    .or_default()
                    .push(check);
            }
            ["checked"] => {
                let checks = std::mem::take(&mut self.checks);
                let passes =
                    |checks: &Vec<[String; 3]>| checks.iter().all(|[mark, ..]| mark == "✓");
                let reached = checks.iter().rev().find(|(_, checks)| passes(checks));
                hub.set_reached(reached.map(|(step, _)| step.clone()));
                hub.is("checks", &json!(checks));
            }
            ["doctor", mark, what, helps] => {
                self.findings
                    .push([mark, what, helps].map(|word| (*word).to_owned()));
            }
            ["examined"] => hub.is("doctor", &json!(std::mem::take(&mut self.findings))),
            ["journal", entry] => {
                if let Ok(entry) = serde_json::from_str::<Value>(entry) {
                    hub.journal(&json!({
                        "time": entry["__REALTIME_TIMESTAMP"],
                        "who": entry["SYSLOG_IDENTIFIER"],
                        "says": entry["MESSAGE"],
                        "level": entry["PRIORITY"],
                    }));
                }
            }
            _ => return false,
        }
        true
    }
}
