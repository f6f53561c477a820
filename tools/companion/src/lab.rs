//! A lab's shell: the reader types into it, and the blocks of the chapters are played in it.
//!
//! One thread owns the shell, so that there is one run at a time. Everybody else leaves a wish.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use session::compare::Answer;
use session::normal;
use session::play::{self, Audience};
use session::script::{End, Line, Part, Script};
use session::steps::{all_steps, exercise, repository, session_of, step_before};
use session::terminal::{self, BEGINS, ENDS, READY, TYPED, Terminal};
use tokio::sync::watch;

use crate::hand::Hand;
use crate::hub::Hub;
use crate::screen::{Screen, View};
use crate::seat::Seat;

/// Every answer of the book was printed at this width.
const COLUMNS: u16 = terminal::SIZE.1;

/// So much of what a command says is shown while it says it.
const SHOWN: usize = 1 << 16;

/// How long a command may take to end that was interrupted.
const AFTER_INTERRUPT: Duration = Duration::from_secs(20);

/// How long a prompt may take to come anew.
const AFTER_CTRL_C: Duration = Duration::from_secs(3);

/// What is to be played.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Job {
    /// A block of a chapter: `# ANCHOR: part` in the session of the step.
    Part {
        /// A folder in `steps/`.
        step: String,
        /// The anchor's name.
        part: String,
        /// What to do if the lab is elsewhere.
        #[serde(default)]
        how: How,
    },
    /// The check of an exercise.
    Exercise {
        /// 5.1, say.
        number: String,
    },
}

/// How to come to where a block begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Say so, if the lab is elsewhere.
    #[default]
    Ask,
    /// Bring it to the chapter's beginning, and play all that stands before.
    Bring,
    /// Play what stands between here and there.
    Before,
    /// Play it where the lab is.
    Anyway,
}

enum Wish {
    Open,
    Ended,
    Play(Job),
}

/// A lab's shell, to whoever is not its thread.
pub struct Lab {
    name: String,
    suite: String,
    hub: Arc<Hub>,
    seat: Option<Arc<Seat>>,
    wishes: Mutex<Sender<Wish>>,
    shell: Mutex<Option<Shell>>,
    screen: Mutex<Screen>,
    changes: watch::Sender<()>,
    /// While what happens is no business of the reader's.
    hidden: AtomicBool,
    playing: AtomicBool,
    stop: AtomicBool,
}

/// The reader's end of the terminal.
struct Shell {
    /// For its size; what is typed goes through `keys`.
    pty: File,
    /// A program that reads nothing makes whoever types into it wait, so a thread does that.
    keys: SyncSender<Vec<u8>>,
    /// Whether it waits for a command.
    at_prompt: Box<dyn Fn() -> bool + Send>,
}

/// Where in a chapter the lab is.
struct Place {
    step: String,
    line: usize,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lab {
    /// A lab of this name, which boots when it is needed if it is `ours` to boot.
    /// What the shell says and shows is heard by the `seat`, if it is one's.
    pub fn new(
        name: &str,
        suite: &str,
        ours: bool,
        hand: Arc<Hand>,
        hub: Arc<Hub>,
        seat: Option<Arc<Seat>>,
    ) -> Arc<Self> {
        let (wishes, wished) = mpsc::channel();
        let lab = Arc::new(Self {
            name: name.to_owned(),
            suite: suite.to_owned(),
            hub,
            seat,
            wishes: Mutex::new(wishes),
            shell: Mutex::new(None),
            screen: Mutex::new(Screen::new((20, COLUMNS))),
            changes: watch::Sender::new(()),
            hidden: AtomicBool::new(false),
            playing: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let owner = Owner {
            lab: Arc::clone(&lab),
            hand,
            ours,
            terminal: None,
            place: None,
        };
        thread::spawn(move || owner.work(&wished));
        lab
    }

    /// Its Debian release.
    pub fn suite(&self) -> &str {
        &self.suite
    }

    /// What the terminal has shown, as text.
    pub fn text(&self) -> String {
        lock(&self.screen).text()
    }

    fn wish(&self, wish: Wish) {
        let _ = lock(&self.wishes).send(wish);
    }

    /// Somebody looks at the terminal.
    pub fn open(&self) {
        self.wish(Wish::Open);
    }

    /// What is played next. False if something is being played.
    pub fn play(&self, job: Job) -> bool {
        let free = !self.playing.swap(true, Ordering::SeqCst);
        if free {
            self.stop.store(false, Ordering::SeqCst);
            self.wish(Wish::Play(job));
        }
        free
    }

    /// Ends what is played, as Ctrl-C does.
    pub fn stop(&self) {
        if self.playing.load(Ordering::SeqCst) {
            self.stop.store(true, Ordering::SeqCst);
            // At the prompt it would only throw away what is about to be typed there.
            let runs = lock(&self.shell)
                .as_ref()
                .is_some_and(|shell| !(shell.at_prompt)());
            if runs {
                self.write(b"\x03");
            }
        }
    }

    /// What the reader types. While something is played, only Ctrl-C.
    pub fn type_keys(&self, keys: &str) {
        if !self.playing.load(Ordering::SeqCst) {
            self.write(keys.as_bytes());
        } else if keys == "\x03" {
            self.stop();
        }
    }

    /// What the reader pastes.
    pub fn paste(&self, text: &str) {
        // An escape in it could end the marks.
        let text = text
            .replace('\x1b', "")
            .replace("\r\n", "\r")
            .replace('\n', "\r");
        if lock(&self.screen).marks_pastes() {
            self.type_keys(&format!("\x1b[200~{text}\x1b[201~"));
        } else {
            self.type_keys(&text);
        }
    }

    fn write(&self, bytes: &[u8]) {
        if let Some(shell) = lock(&self.shell).as_mut() {
            // What nobody reads is lost, as is what goes to one that has ended and is about to be replaced.
            let _ = shell.keys.try_send(bytes.to_vec());
        }
    }

    /// Gives the terminal so many rows.
    pub fn resize(&self, rows: u16) {
        let size = (rows.clamp(4, 100), COLUMNS);
        lock(&self.screen).resize(size);
        if let Some(shell) = lock(&self.shell).as_ref() {
            let _ = terminal::resize(&shell.pty, size);
        }
        self.changes.send_replace(());
    }

    /// What the terminal shows.
    pub fn view(&self, back: usize) -> View {
        lock(&self.screen).view(back)
    }

    /// Told when the terminal shows something else.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn see(&self, bytes: &[u8]) {
        if !self.hidden.load(Ordering::SeqCst) {
            lock(&self.screen).write(bytes);
            if let Some(seat) = &self.seat {
                seat.hear(bytes);
            }
            self.changes.send_replace(());
        }
    }
}

/// The thread that owns the shell.
struct Owner {
    lab: Arc<Lab>,
    hand: Arc<Hand>,
    ours: bool,
    terminal: Option<Terminal>,
    place: Option<Place>,
}

impl Owner {
    fn work(mut self, wished: &Receiver<Wish>) {
        for wish in wished {
            match wish {
                Wish::Open => {
                    if self.terminal.is_none() {
                        self.log_in_or_say();
                    }
                }
                Wish::Ended => {
                    // Not the one that was replaced meanwhile.
                    if self
                        .terminal
                        .as_mut()
                        .is_some_and(|terminal| terminal.has_ended())
                    {
                        self.terminal = None;
                        self.place = None;
                        *lock(&self.lab.shell) = None;
                        if self.lab.hub.has_pages() {
                            self.lab.see(
                                b"\r\n\x1b[2m[the shell has ended; logging in again]\x1b[0m\r\n",
                            );
                            self.log_in_or_say();
                        }
                    }
                }
                Wish::Play(job) => {
                    self.play(&job);
                }
            }
        }
    }

    fn log_in_or_say(&mut self) {
        if let Err(error) = self.log_in() {
            self.lab.hidden.store(false, Ordering::SeqCst);
            let why = format!("{error:#}").replace('\n', "\r\n");
            self.lab
                .see(format!("\r\n\x1b[2m[{why}]\x1b[0m\r\n").as_bytes());
        }
    }

    /// Logs in to the lab, after it has come back if it is about to.
    fn log_in(&mut self) -> Result<()> {
        if self.ours {
            self.boot()?;
        }
        let name = &self.lab.name;
        let pty = self.hand.start(&format!("shell --name {name}"))?;
        self.take(pty)
    }

    fn take(&mut self, pty: OwnedFd) -> Result<()> {
        let lab = Arc::clone(&self.lab);
        lab.hidden.store(true, Ordering::SeqCst);
        let mut terminal = Terminal::over(pty, move |bytes| {
            if bytes.is_empty() {
                lab.wish(Wish::Ended);
            } else {
                lab.see(bytes);
            }
        })?;
        // Marks for us, and a terminal of our kind; a space before it, so that the history does not have it.
        let typed = if self.lab.seat.is_some() { TYPED } else { "" };
        terminal.log_in(&format!(
            " export TERM=xterm-256color SYSTEMD_EMOJI=1; unset PROMPT_COMMAND; PS0=$'{typed}{BEGINS}' PROMPT_COMMAND='printf \"{}\" $?' PS1=\"$PS1\\[{READY}\\]\"",
            ENDS.replace("$?", "%s")
        ))?;
        terminal.listen(false);
        let (pty, mut keyboard) = (terminal.keyboard()?, terminal.keyboard()?);
        let at_prompt = Box::new(terminal.prompt_watch());
        let (keys, typed) = mpsc::sync_channel::<Vec<u8>>(64);
        thread::spawn(move || {
            for bytes in typed {
                if keyboard.write_all(&bytes).is_err() {
                    return;
                }
            }
        });
        // Shows the prompt, on a clear screen.
        let _ = keys.try_send(vec![0x0c]);
        self.terminal = Some(terminal);
        self.lab.hidden.store(false, Ordering::SeqCst);
        *lock(&self.lab.shell) = Some(Shell {
            pty,
            keys,
            at_prompt,
        });
        let rows = self.lab.view(0).rows.len();
        self.lab.resize(u16::try_from(rows).unwrap_or(20));
        Ok(())
    }

    /// Boots a lab of our own, unless it is up.
    fn boot(&self) -> Result<()> {
        let Lab { name, suite, .. } = &*self.lab;
        let pty = self
            .hand
            .start(&format!("up --name {name} --suite {suite}"))?;
        let mut said = String::new();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(File::from(pty)));
        while let Some(Ok(line)) = lines.next() {
            self.lab.see(format!("{line}\r\n").as_bytes());
            said += &(line + "\n");
        }
        if said.contains(" is up: ") || said.contains(" is up already") {
            return Ok(());
        }
        bail!("{}", said.trim())
    }

    // --- playing -----------------------------------------------------------------------------------------

    fn play(&mut self, job: &Job) {
        let block = match job {
            Job::Part { step, part, .. } => format!("{} {step} {part}", self.lab.suite),
            Job::Exercise { number } => format!("{} exercise {number}", self.lab.suite),
        };
        self.lab.hub.forget_run(&block);
        let mut stage = Stage {
            lab: Arc::clone(&self.lab),
            block,
            doing: "plays",
            of: 0,
            done: 0,
            shown: 0,
            same: true,
        };
        stage.tell(json!({ "begins": true }));
        let result = match job {
            Job::Part { step, part, how } => self.play_part(step, part, *how, &mut stage),
            Job::Exercise { number } => self.play_exercise(number, &mut stage),
        };
        let ended = match result {
            Ok(ended) => ended,
            Err(_) if !stage.goes_on() => json!({ "ends": "stopped" }),
            Err(error) => json!({ "ends": "failed", "why": format!("{error:#}") }),
        };
        // Before it is told: whoever hears of it may want the next at once.
        self.lab.playing.store(false, Ordering::SeqCst);
        stage.tell(ended);
        if self.terminal.is_none() && !self.ours {
            self.log_in_or_say();
        }
    }

    /// A shell whose prompt is there.
    fn ready(&mut self) -> Result<()> {
        if self.terminal.is_none() {
            self.log_in()?;
        }
        let terminal = self.terminal.as_mut().context("no shell")?;
        if !terminal.is_at_prompt() {
            bail!(
                "something runs in the terminal: end it first, with Ctrl-C or as it wants to be ended"
            );
        }
        // What stands there half-typed goes, also what waits for its end in another line.
        self.lab.hidden.store(true, Ordering::SeqCst);
        terminal.listen(true);
        terminal.interrupt()?;
        let ended = terminal.answer(AFTER_CTRL_C, |_| {});
        terminal.listen(false);
        self.lab.hidden.store(false, Ordering::SeqCst);
        match ended {
            // A shell that was just drawing its prompt may not say anew that it is there.
            Err(_) if terminal.is_at_prompt() => Ok(()),
            ended => play::prompt(ended?).map(|_| ()),
        }
    }

    /// Commands see a terminal as the recordings have had it, or else one as a reader wants it. Nobody sees that.
    ///
    /// The shell itself keeps its line editor, so TERM is another one for as long as a command runs.
    fn record(&mut self, on: bool) -> Result<()> {
        let Some(terminal) = self.terminal.as_mut() else {
            return Ok(());
        };
        self.lab.hidden.store(true, Ordering::SeqCst);
        terminal.listen(true);
        terminal.type_line(if on {
            " PROMPT_COMMAND[1]=TERM=xterm-256color; trap 'TERM=dumb' DEBUG"
        } else {
            " trap - DEBUG; unset 'PROMPT_COMMAND[1]'; TERM=xterm-256color"
        })?;
        let answer = terminal.answer(AFTER_INTERRUPT, |_| {});
        terminal.listen(on);
        self.lab.hidden.store(false, Ordering::SeqCst);
        play::prompt(answer?).map(|_| ())
    }

    fn play_lines(&mut self, lines: &[Line], stage: &mut Stage) -> Result<Vec<Answer>> {
        stage.of = lines
            .iter()
            .filter(|line| !matches!(line, Line::Note(_)))
            .count();
        stage.done = 0;
        self.record(true)?;
        // The place of the terminal, since a login makes another one.
        let mut terminal = self.terminal.take().context("no shell")?;
        let log_in = |terminal: &mut Terminal| {
            self.log_in()?;
            self.record(true)?;
            *terminal = self.terminal.take().context("no shell")?;
            Ok(())
        };
        let answers = play::play(lines, &mut terminal, log_in, stage);
        if !terminal.has_ended() && !terminal.is_at_prompt() {
            // What was waited for in vain goes, or nothing more can be played.
            terminal.interrupt()?;
            let _ = terminal.answer(AFTER_INTERRUPT, |_| {});
        }
        // Or else what comes from now on would wait for somebody who does not listen.
        terminal.listen(false);
        let ended = terminal.has_ended();
        self.terminal = (!ended).then_some(terminal);
        if ended {
            self.place = None;
            *lock(&self.lab.shell) = None;
        } else if self.terminal.as_ref().is_some_and(Terminal::is_at_prompt)
            && self.record(false).is_err()
        {
            // Somebody has stopped it in the moment in which a command began, so that is what was typed into.
            if let Some(terminal) = self.terminal.as_mut() {
                terminal.listen(true);
                terminal.interrupt()?;
                let _ = terminal.answer(AFTER_INTERRUPT, |_| {});
                terminal.listen(false);
            }
            self.record(false)?;
        }
        answers
    }

    fn play_part(&mut self, step: &str, part: &str, how: How, stage: &mut Stage) -> Result<Value> {
        let script = std::fs::read_to_string(session_of(step)).context("it has no session")?;
        let script = Script::parse(&script)?;
        let parts = script.parts();
        let this = parts
            .iter()
            .find(|one| one.name == part)
            .context("there is no such block")?;
        self.ready()?;
        let start = this.lines.start;
        let shown = shown(step, &parts);
        let place = self.place.as_ref().filter(|place| place.step == step);
        let here = match place {
            Some(place) => Some(place.line),
            None => {
                self.lab.hub.wait_for_checks();
                self.is_before(step).then_some(0)
            }
        };
        let here = here.filter(|line| *line <= start);
        // What the chapter does not show is no reason to ask.
        let is_next = |line: &usize| {
            !shown
                .iter()
                .any(|one| (*line..start).contains(&one.lines.start))
        };
        if !(how == How::Ask && here.is_none_or(|line| !is_next(&line)) && !self.ours) {
            self.place = None;
        }
        let from = match (how, here) {
            (How::Anyway, _) => start,
            (How::Before, Some(line)) => line,
            (How::Ask, Some(line)) if is_next(&line) => line,
            // Nobody works in a lab of ours, so nobody has to be asked.
            (How::Ask, _) if !self.ours => {
                return Ok(json!({ "ends": "elsewhere", "before": here.is_some() }));
            }
            _ => {
                self.bring_to(step, stage)?;
                0
            }
        };
        self.place = None;
        stage.doing = "before";
        let before = &script.lines[from..start];
        self.play_lines(before, stage)?;
        if !stage.goes_on() {
            return Ok(json!({ "ends": "stopped" }));
        }
        stage.doing = "plays";
        let lines = &script.lines[this.lines.clone()];
        stage.tell(json!({ "at": "beginning" }));
        self.play_lines(lines, stage)?;
        if !stage.goes_on() {
            return Ok(json!({ "ends": "stopped" }));
        }
        self.place = Some(Place {
            step: step.to_owned(),
            line: this.lines.end,
        });
        Ok(json!({ "ends": "done", "same": stage.same }))
    }

    /// Whether the machine is where this step's chapter begins.
    fn is_before(&self, step: &str) -> bool {
        !self.ours
            && match step_before(step).unwrap_or_default() {
                Some(before) => self.lab.hub.reached() == Some(before),
                None => self.lab.hub.is_empty(),
            }
    }

    fn bring_to(&mut self, step: &str, stage: &mut Stage) -> Result<()> {
        let text = match step_before(step)? {
            Some(before) => format!("scripts/apply.sh {before}"),
            None => "scripts/reset.sh".to_owned(),
        };
        stage.doing = "brings";
        let line = Line::Command {
            text: text.clone(),
            answer: Vec::new(),
            end: End::Prompt,
        };
        let answers = self.play_lines(&[line], stage)?;
        match answers.first().and_then(|answer| answer.status) {
            Some(0) => Ok(()),
            _ if !stage.goes_on() => bail!("stopped"),
            _ => bail!("{text} did not work; what it said is in the terminal"),
        }
    }

    fn play_exercise(&mut self, number: &str, stage: &mut Stage) -> Result<Value> {
        self.ready()?;
        self.place = None;
        let line = Line::Command {
            text: format!("scripts/exercise.sh {number}"),
            answer: Vec::new(),
            end: End::Prompt,
        };
        stage.doing = "exercise";
        let answers = self.play_lines(&[line], stage)?;
        if !stage.goes_on() {
            return Ok(json!({ "ends": "stopped" }));
        }
        let answer = answers.first().context("no answer")?;
        Ok(json!({ "ends": "done", "passes": answer.status == Some(0), "said": answer.came }))
    }
}

/// Whether there is such a thing in the book.
///
/// # Errors
///
/// If not, what there is not.
pub fn must_exist(job: &Job) -> Result<()> {
    match job {
        Job::Part { step, part, .. } => {
            if !all_steps()?.iter().any(|one| one == step) {
                bail!("there is no such step");
            }
            let script = std::fs::read_to_string(session_of(step)).context("it has no session")?;
            let parts = Script::parse(&script)?.parts();
            if !parts.iter().any(|one| one.name == *part) {
                bail!("there is no such block");
            }
        }
        Job::Exercise { number } => {
            if exercise(number).is_none() {
                bail!("there is no such exercise");
            }
        }
    }
    Ok(())
}

/// The parts that the chapter shows.
pub fn shown(step: &str, parts: &[Part]) -> Vec<Part> {
    let chapter = repository().join("src").join(format!("{step}.md"));
    let chapter = std::fs::read_to_string(chapter).unwrap_or_default();
    let includes =
        |part: &&Part| chapter.contains(&format!("{step}/session.console:{}}}}}", part.name));
    parts.iter().filter(includes).cloned().collect()
}

/// Tells the pages what is played.
struct Stage {
    lab: Arc<Lab>,
    block: String,
    doing: &'static str,
    of: usize,
    done: usize,
    shown: usize,
    same: bool,
}

impl Stage {
    fn of_block(&self, value: &Value) -> Value {
        let mut value = value.clone();
        value["block"] = self.block.clone().into();
        value
    }

    fn tell(&self, value: Value) {
        self.lab.hub.run(&self.block, &self.of_block(&value));
    }
}

impl Audience for Stage {
    fn goes_on(&self) -> bool {
        !self.lab.stop.load(Ordering::SeqCst)
    }

    fn typed(&mut self, _line: usize, text: &str) {
        self.done += 1;
        self.shown = 0;
        match self.doing {
            "plays" | "brings" => self.tell(json!({ "typed": text })),
            doing => self.lab.hub.happens(
                "run",
                &self.of_block(
                    &json!({ "doing": doing, "text": text, "done": self.done, "of": self.of }),
                ),
            ),
        }
    }

    fn heard(&mut self, _line: usize, bytes: &[u8]) {
        if ["plays", "brings"].contains(&self.doing) && self.shown < SHOWN {
            self.shown += bytes.len();
            let text = terminal::plain(bytes).replace('\r', "");
            self.lab
                .hub
                .happens("run", &self.of_block(&json!({ "heard": text })));
        }
    }

    fn answered(&mut self, _line: usize, answer: &Answer) {
        if self.doing == "brings" {
            self.tell(json!({ "answered": answer.came, "brought": answer.status == Some(0) }));
        }
        if self.doing != "plays" || !self.goes_on() {
            return;
        }
        let mut came = answer.came.clone();
        if came.len() > 1000 {
            came.truncate(1000);
            came.push("[and more]".to_owned());
        }
        let as_printed = answer.is_as_written();
        let older = normal::older(&answer.command, &answer.written, &answer.came);
        let mut value = json!({ "answered": came, "same": as_printed, "older": older });
        if !as_printed && older.is_none() {
            self.same = false;
            value["changes"] = json!(normal::changes(&answer.written, &came));
        }
        self.tell(value);
    }
}
