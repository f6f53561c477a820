//! A workshop: many seats, each a lab of its own with a page of its own, and a board for the teacher.
//!
//! All of it is one server at one port, so that one rule in a firewall, or one line in a proxy, is enough:
//! `/seat-07/` is the seventh seat, and `/board/` the board.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{RawQuery, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};
use session::steps::all_steps;

use crate::guard::{self, Guard, Names};
use crate::hand::Hand;
use crate::hub::Hub;
use crate::lab::Lab;
use crate::machine::{Machine, Which};
use crate::pages::{self, Book, Reader};
use crate::seat::Seat;
use crate::socket::{self, Companion};

/// So many labs boot, or are brought to a step, at the same time.
const AT_ONCE: usize = 4;

/// How long a seat has between the word that it is brought somewhere and that.
const NOTICE: Duration = Duration::from_secs(10);

/// How soon it's seen that a seat's lab has ended, and how long another one is waited for.
const SEEN: Duration = Duration::from_secs(2);
const AWAY: Duration = Duration::from_secs(60);

/// How often the board is looked at anew.
pub const LOOK: Duration = Duration::from_millis(500);

/// All of it.
pub struct Workshop {
    pub guard: Guard,
    pub seats: Vec<Arc<Companion>>,
    pub pages: AtomicUsize,
    book: Arc<Book>,
    /// What was said last, and to which seat.
    message: Mutex<(usize, String)>,
    hand: Arc<Hand>,
    turns: Turns,
    folder: PathBuf,
}

/// Lets a few at a time do something.
struct Turns {
    free: Mutex<usize>,
    freed: Condvar,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turns {
    fn take<T>(&self, work: impl FnOnce() -> T) -> T {
        let free = self
            .freed
            .wait_while(lock(&self.free), |free| *free == 0)
            .map(|mut free| *free -= 1);
        drop(free);
        let result = work();
        *lock(&self.free) += 1;
        self.freed.notify_one();
        result
    }
}

/// The name of a seat, which is its path and its lab's name.
fn name(number: usize) -> String {
    format!("seat-{number:02}")
}

/// The words that let people in, by name: kept in a file, since they stand on cards.
fn words(folder: &Path, seats: usize) -> Result<BTreeMap<String, String>> {
    let file = folder.join("words");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let known = text.lines().filter_map(|line| line.split_once(' '));
    let mut words: BTreeMap<_, _> = known
        .map(|(name, word)| (name.to_owned(), word.to_owned()))
        .collect();
    for name in std::iter::once("board".to_owned()).chain((1..=seats).map(name)) {
        if let Entry::Vacant(seat) = words.entry(name) {
            seat.insert(guard::word()?);
        }
    }
    let text = words.iter().fold(String::new(), |mut text, (name, word)| {
        let _ = writeln!(text, "{name} {word}");
        text
    });
    write_whole(&file, &text)?;
    Ok(words)
}

/// Whole or not at all, and for nobody else's eyes.
fn write_whole(file: &Path, text: &str) -> Result<()> {
    let new = file.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut open = OpenOptions::new();
    open.write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// What a workshop is to be.
pub struct Wanted<'a> {
    /// Where its words and its state are kept.
    pub folder: &'a Path,
    pub seats: usize,
    pub suite: &'a str,
    pub names: &'a Names,
    pub book: &'a Path,
}

/// Boots the seats, one after the other, and goes on while they boot.
///
/// # Errors
///
/// If there is nobody to boot them, or no place to keep the words.
pub fn open(wanted: &Wanted) -> Result<(Arc<Workshop>, Router)> {
    let words = words(wanted.folder, wanted.seats)?;
    let word = |name: &str| words.get(name).cloned().unwrap_or_default();
    let hand = Arc::new(Hand::of_workshop(&wanted.folder.join("hand"))?);
    let book = Arc::new(Book::new(wanted.book, Reader::Seat));
    let guard = Guard::new(wanted.names, "/board", word("board"));
    let workshop = Arc::new_cyclic(|workshop: &std::sync::Weak<Workshop>| {
        let seats = (1..=wanted.seats).map(|number| {
            let hub = Arc::new(Hub::new());
            let name = name(number);
            let seat = Seat::new(number, Arc::clone(&hub));
            let hears = Arc::clone(&seat);
            let lab = Lab::new(
                &name,
                wanted.suite,
                false,
                Arc::clone(&hand),
                Arc::clone(&hub),
                Some(hears),
            );
            let which = Which::Lab {
                name: name.clone(),
                suite: wanted.suite.to_owned(),
            };
            // It is looked at always: a seat that dies is to be started again.
            hub.count_page(1);
            let (workshop, its_lab) = (workshop.clone(), Arc::clone(&lab));
            let machine = Machine::watch(
                which,
                Arc::clone(&hub),
                move || {
                    let workshop = workshop.upgrade().context("the workshop has ended")?;
                    workshop.boot(number)?;
                    let watch = format!(
                        "run --name {} -- scripts/watch.sh --sudo",
                        self::name(number)
                    );
                    workshop.hand.start(&watch)
                },
                move || its_lab.open(),
            );
            Arc::new(Companion {
                guard: Guard::new(wanted.names, &format!("/{name}"), word(&name)),
                hub,
                machine,
                labs: BTreeMap::from([(wanted.suite.to_owned(), Arc::clone(&lab))]),
                lab: Some(lab),
                pages: AtomicUsize::new(0),
                seat: Some(seat),
            })
        });
        Workshop {
            guard,
            seats: seats.collect(),
            pages: AtomicUsize::new(0),
            book: Arc::clone(&book),
            message: Mutex::default(),
            hand: Arc::clone(&hand),
            turns: Turns {
                free: Mutex::new(AT_ONCE),
                freed: Condvar::new(),
            },
            folder: wanted.folder.to_owned(),
        }
    });
    let mut router = Router::new()
        .route("/", get(|| async { pages::front(false) }))
        .route("/live/board.css", get(pages::board_style))
        .route("/enter", get(enter));
    for companion in &workshop.seats {
        let seat = book_of(companion, &book);
        router = nest(router, &companion.guard.base, seat);
    }
    router = nest(
        router,
        "/board",
        pages::board(Arc::clone(&workshop), wanted.book),
    );
    let looks = Arc::clone(&workshop);
    thread::spawn(move || looks.note_down());
    Ok((workshop, router))
}

/// Below a path, which whoever types it may end without a slash.
fn nest(router: Router, base: &str, below: Router) -> Router {
    let place = format!("{base}/");
    let to = place.clone();
    router
        .nest(&place, below)
        .route(base, get(move || async move { Redirect::to(&to) }))
}

/// The book, tied to one machine.
pub fn book_of(companion: &Arc<Companion>, book: &Arc<Book>) -> Router {
    let guard = Arc::clone(companion);
    Router::new()
        .route("/live", get(socket::open))
        .route("/session.txt", get(socket::take_along))
        .with_state(Arc::clone(companion))
        .merge(pages::router(Arc::clone(book)))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let guard = Arc::clone(&guard);
            async move { guard.guard.let_in(request, next).await }
        }))
}

/// From the first page to the seat, with what stands on the card.
async fn enter(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        let found = query.split('&').find_map(|pair| {
            let (field, value) = pair.split_once('=')?;
            (field == name).then(|| value.to_lowercase())
        });
        found.unwrap_or_default()
    };
    let word: String = field("word")
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    // "4", or "Seat 4" as it stands there.
    let seat = field("seat");
    let number = seat.rsplit(|one: char| !one.is_ascii_digit());
    let place = match number.map(str::parse::<usize>).find_map(Result::ok) {
        Some(number) => name(number),
        None => "board".to_owned(),
    };
    Redirect::to(&format!("/{place}/?token={word}")).into_response()
}

impl Workshop {
    /// Boots the lab of a seat, unless it is up, and says so if it was another one.
    fn boot(&self, number: usize) -> Result<()> {
        let name = name(number);
        let seat = &self.seats[number - 1];
        let (Some(its), Some(lab)) = (&seat.seat, &seat.lab) else {
            return Ok(());
        };
        let said = self.turns.take(|| {
            let pty = self
                .hand
                .start(&format!("up --name {name} --suite {}", lab.suite()))?;
            Ok::<_, anyhow::Error>(read_all(pty))
        })?;
        if !said.contains(&format!("'{name}' is up")) {
            // As one line, from the sentence on: it is shown beside the seat's number.
            let said = said.replace('\n', " ");
            let from = said.find("lab.sh: ").unwrap_or_default();
            anyhow::bail!("{}", said[from..].trim());
        }
        if said.contains("is up already") {
            return Ok(());
        }
        let reset = self.folder.join(format!("reset-{name}"));
        if fs::remove_file(&reset).is_ok() {
            its.begin_anew();
            its.note("This seat was made anew.");
        } else if let Some(step) = seat.hub.had_reached() {
            its.note("Your lab ended, and was started again. What you had changed in it is gone.");
            let brought = self.run(&name, &format!("scripts/bring.sh {step}"));
            if brought.is_ok() {
                its.note(&format!(
                    "Your lab ended, and was started again at step {}. What you had changed in it is gone.",
                    number_of(&step)
                ));
            }
        } else if seat.hub.was_seen() {
            its.note("Your lab ended, and was started again. What you had changed in it is gone.");
        }
        Ok(())
    }

    /// Runs something in a seat, where its owner does not see it, and returns what it said if it did not work.
    fn run(&self, name: &str, command: &str) -> Result<String> {
        let pty = self
            .hand
            .start(&format!("run --name {name} -- {command}"))?;
        let said = read_all(pty);
        if said.lines().any(|line| line == "done") {
            Ok(said)
        } else {
            anyhow::bail!("{}", said.lines().last().unwrap_or("nothing came back"))
        }
    }

    fn numbered(&self, seat: usize) -> Option<&Arc<Companion>> {
        self.seats.get(seat.checked_sub(1)?)
    }

    /// The seat of this number; all of them, if it is 0.
    pub fn chosen(&self, seat: usize) -> Vec<Arc<Companion>> {
        if seat == 0 {
            self.seats.clone()
        } else {
            self.numbered(seat).cloned().into_iter().collect()
        }
    }

    /// Brings seats to a step: says so, waits, and does it. What was changed there is set aside.
    pub fn bring(self: &Arc<Self>, seat: usize, step: &str) {
        for companion in self.chosen(seat) {
            let Some(its) = companion.seat.clone() else {
                continue;
            };
            let (this, step) = (Arc::clone(self), step.to_owned());
            thread::spawn(move || {
                let to = number_of(&step);
                its.note(&format!(
                    "Your teacher brings this seat to step {to} in {} seconds. What you have changed is set aside, not lost.",
                    NOTICE.as_secs()
                ));
                thread::sleep(NOTICE);
                let name = name(its.number);
                let bring = || {
                    this.turns
                        .take(|| this.run(&name, &format!("scripts/bring.sh {step}")))
                };
                let mut done = bring();
                // Its lab may have ended in the midst of it; it is started again by itself.
                let hub = &companion.hub;
                if done.is_err() && hub.wait_until_up(false, SEEN) && hub.wait_until_up(true, AWAY)
                {
                    done = bring();
                }
                its.note(&match done {
                    Ok(said) => {
                        its.is_brought_to(&step);
                        let kept = said.lines().find_map(|line| line.strip_prefix("kept "));
                        let kept = kept.map_or(String::new(), |folder| {
                            format!(" What you had changed is in {folder}.")
                        });
                        format!("This seat is at step {to}.{kept}")
                    }
                    Err(error) => format!("This seat could not be brought to step {to}: {error}"),
                });
            });
        }
    }

    /// Says something to a seat, or to all.
    pub fn say(&self, seat: usize, message: &str) {
        *lock(&self.message) = (seat, message.to_owned());
        for companion in self.chosen(seat) {
            if let Some(its) = &companion.seat {
                its.say(message, seat != 0);
            }
        }
    }

    /// Shows solutions to the class, or withholds them.
    pub fn show_solutions(&self, shown: bool) {
        if self.book.withheld.swap(!shown, Ordering::SeqCst) == shown {
            self.tell_all("built");
        }
    }

    /// Tells each seat that something has happened.
    pub fn tell_all(&self, what: &str) {
        for companion in &self.seats {
            companion.hub.happens(what, &Value::Null);
        }
    }

    /// What the board shows.
    pub fn describe(&self) -> Value {
        // By chapter, command and line; what was printed there, and what has come on the first of these seats.
        let mut differs = BTreeMap::new();
        let seats: Vec<_> = self
            .seats
            .iter()
            .filter_map(|companion| {
                let its = companion.seat.as_ref()?;
                for ((step, command), difference) in its.differs(companion.hub.reached()) {
                    let at = (step, command, difference.line);
                    let (_, seats) = differs
                        .entry(at)
                        .or_insert_with(|| (difference, Vec::new()));
                    seats.push(its.number);
                }
                let mut seat = companion.hub.describe();
                seat["number"] = its.number.into();
                seat["here"] = (companion.pages.load(Ordering::SeqCst) > 0).into();
                if let (Some(seat), Value::Object(said)) = (seat.as_object_mut(), its.describe()) {
                    seat.extend(said);
                }
                Some(seat)
            })
            .collect();
        let mut differs: Vec<_> = differs
            .into_iter()
            .map(|((step, command, _), (first, seats))| {
                json!({ "step": step, "command": command, "first": first, "seats": seats })
            })
            .collect();
        differs.sort_by_key(|one| std::cmp::Reverse(one["seats"].as_array().map_or(0, Vec::len)));
        let message = lock(&self.message).clone();
        json!({
            "seats": seats,
            "differs": differs,
            "steps": all_steps().unwrap_or_default(),
            "solutions": !self.book.withheld.load(Ordering::SeqCst),
            "message": { "seat": message.0, "text": message.1 },
        })
    }

    /// Writes down what is so, for `workshop.sh status`, whenever it has changed.
    fn note_down(&self) {
        let mut before = String::new();
        let mut told = 0;
        loop {
            let now = self.describe();
            let seats = now["seats"].as_array().cloned().unwrap_or_default();
            let is_up = |seat: &&Value| seat["up"].as_bool().unwrap_or_default();
            let up = seats.iter().filter(is_up).count();
            if up != told {
                println!("{up} of {} seats are up", seats.len());
                told = up;
            }
            let text = seats.iter().fold(String::new(), |mut text, seat| {
                let word = |key: &str| seat[key].as_str().unwrap_or_default().to_owned();
                let step = seat["step"].as_str().map_or("no step", number_of);
                let _ = writeln!(
                    text,
                    "seat {:>2}  {:<9} {:<8} {:<9} {}",
                    seat["number"].as_u64().unwrap_or_default(),
                    if is_up(&seat) { "up" } else { "down" },
                    step,
                    word("flag"),
                    if is_up(&seat) {
                        word("note")
                    } else {
                        word("gone")
                    }
                );
                text
            });
            if text != before && write_whole(&self.folder.join("status"), &text).is_ok() {
                before = text;
            }
            thread::sleep(LOOK);
        }
    }
}

/// 05 of 05-graceful-stop.
fn number_of(step: &str) -> &str {
    step.split('-').next().unwrap_or(step)
}

/// The last lines that come out of a terminal, until nothing does.
fn read_all(pty: OwnedFd) -> String {
    let mut last = VecDeque::new();
    // A terminal whose other end was closed gives an error at its end, see pty(7).
    for line in BufReader::new(fs::File::from(pty)).lines() {
        let Ok(line) = line else { break };
        last.push_back(line.trim_end_matches('\r').to_owned());
        if last.len() > 100 {
            last.pop_front();
        }
    }
    Vec::from(last).join("\n")
}
