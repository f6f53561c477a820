//! A seat of a workshop: what its owner and the teacher tell each other, and where the room stumbles.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session::normal;
use session::script::{End, Line, Script};
use session::steps::{all_steps, session_of};
use session::terminal::{self, Event, Marks};

use crate::hub::Hub;

/// How often it is noted that somebody works: the board shows minutes.
const WORKS: u64 = 30;

/// So much of an answer is compared; none in the book is longer.
const LONGEST: usize = 1 << 16;

/// What somebody holds up.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Flag {
    Stuck,
    Question,
    Done,
}

impl Flag {
    fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Question => "question",
            Self::Done => "done",
        }
    }
}

/// Whether the teacher may type.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Typing {
    #[default]
    No,
    /// The teacher has asked.
    Asked,
    /// The owner has agreed.
    Agreed,
    /// The owner has said no.
    Refused,
}

impl Typing {
    fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Asked => "asked",
            Self::Agreed => "agreed",
            Self::Refused => "refused",
        }
    }
}

/// One seat.
pub struct Seat {
    /// From 1 on.
    pub number: usize,
    hub: Arc<Hub>,
    now: Mutex<Now>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Now {
    flag: Option<(Flag, u64)>,
    /// What the question is, if its owner has said so.
    question: String,
    /// When its owner last typed or ran something, in seconds since 1970.
    worked: u64,
    typing: Typing,
    /// How many teachers look at the terminal.
    looks: usize,
    /// What the teacher says, and whether to this seat alone.
    message: String,
    alone: bool,
    /// When that was, in seconds since 1970.
    said: u64,
    /// What happens to this seat, and since when, in seconds since 1970.
    note: String,
    noted: u64,
    /// The chapter that its owner reads.
    chapter: String,
    /// The highest step that it has been at.
    highest: String,
    /// Commands of the book, by chapter, that have come out otherwise here, and how.
    differs: BTreeMap<(String, String), Difference>,
}

/// The first line at which an answer is not as printed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Counted from 1, in what is printed below the command.
    pub line: usize,
    /// What is printed there; nothing, if the answer goes on where the book has ended.
    printed: String,
    /// What came instead; nothing, if it ended too early.
    came: String,
}

/// What the shell says.
#[derive(Default)]
struct Heard {
    marks: Marks,
    command: String,
    answer: Vec<u8>,
    runs: bool,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seconds since 1970.
pub fn clock() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

impl Seat {
    /// With nothing said yet.
    pub fn new(number: usize, hub: Arc<Hub>) -> Arc<Self> {
        let seat = Arc::new(Self {
            number,
            hub,
            now: Mutex::default(),
            heard: Mutex::default(),
        });
        seat.change(|_| {});
        seat
    }

    /// Changes what is so, and tells its pages.
    fn change(&self, change: impl FnOnce(&mut Now)) {
        let mut now = lock(&self.now);
        change(&mut now);
        let value = json!({
            "number": self.number,
            "flag": now.flag.map(|(flag, _)| flag.name()),
            "question": now.question,
            "typing": now.typing.name(),
            "looks": now.looks > 0,
            "message": now.message,
            "alone": now.alone,
            "said": now.said,
            "note": now.note,
            "noted": now.noted,
        });
        self.hub.is("seat", &value);
    }

    /// Its owner holds something up, or nothing any more.
    pub fn hold_up(&self, flag: Option<Flag>) {
        self.change(|now| {
            now.flag = flag.map(|flag| (flag, clock()));
            now.question.clear();
        });
    }

    /// Its owner asks something.
    pub fn ask(&self, question: &str) {
        self.change(|now| {
            now.flag = Some((Flag::Question, clock()));
            now.question = question.chars().take(300).collect();
        });
    }

    /// Its owner types or runs something.
    pub fn works(&self) {
        let mut now = lock(&self.now);
        let time = clock();
        if time >= now.worked + WORKS {
            now.worked = time;
        }
    }

    /// The teacher wants to type, or no longer.
    pub fn ask_to_type(&self, asks: bool) {
        self.change(|now| {
            now.typing = match (asks, now.typing) {
                (true, Typing::No | Typing::Refused) => Typing::Asked,
                (true, typing) => typing,
                (false, _) => Typing::No,
            }
        });
    }

    /// What its owner says to that. Nobody types who has not asked.
    pub fn let_type(&self, agrees: bool) {
        self.change(|now| {
            now.typing = match (agrees, now.typing) {
                (true, Typing::Asked) => Typing::Agreed,
                (false, Typing::Asked) => Typing::Refused,
                (false, Typing::Agreed) => Typing::No,
                (_, typing) => typing,
            }
        });
    }

    /// Whether the teacher may type.
    pub fn may_be_typed_into(&self) -> bool {
        lock(&self.now).typing == Typing::Agreed
    }

    /// One more teacher looks, or one less; who does not look does not type.
    pub fn look(&self, one: isize) {
        self.change(|now| {
            now.looks = now.looks.saturating_add_signed(one);
            if now.looks == 0 {
                now.typing = Typing::No;
            }
        });
    }

    /// What the teacher says, to all or to this seat alone.
    pub fn say(&self, message: &str, alone: bool) {
        self.change(|now| {
            message.clone_into(&mut now.message);
            now.alone = alone;
            now.said = clock();
        });
    }

    /// What happens to this seat.
    pub fn note(&self, note: &str) {
        self.change(|now| {
            note.clone_into(&mut now.note);
            now.noted = clock();
        });
    }

    /// It is brought to a step: what comes after that is still to be done.
    pub fn is_brought_to(&self, step: &str) {
        step.clone_into(&mut lock(&self.now).highest);
    }

    /// The chapter that is read.
    pub fn reads(&self, step: &str) {
        step.clone_into(&mut lock(&self.now).chapter);
    }

    /// Somebody else sits down here.
    pub fn begin_anew(&self) {
        self.change(|now| {
            *now = Now {
                looks: now.looks,
                message: std::mem::take(&mut now.message),
                alone: now.alone,
                said: now.said,
                ..Now::default()
            };
        });
    }

    /// For the board.
    pub fn describe(&self) -> Value {
        let now = lock(&self.now);
        json!({
            "flag": now.flag.map(|(flag, _)| flag.name()),
            "since": now.flag.map(|(_, since)| since),
            "question": now.question,
            "worked": (now.worked > 0).then_some(now.worked),
            "typing": now.typing.name(),
            "chapter": now.chapter,
            "note": now.note,
        })
    }

    /// Commands of the book that have come out otherwise here, by chapter. Who has come through a chapter has stumbled
    /// there no longer, also when trying something that takes the seat back.
    pub fn differs(&self, reached: Option<String>) -> BTreeMap<(String, String), Difference> {
        let mut now = lock(&self.now);
        now.highest = reached
            .unwrap_or_default()
            .max(std::mem::take(&mut now.highest));
        let Now {
            differs, highest, ..
        } = &mut *now;
        differs.retain(|(step, _), _| *step > *highest);
        differs.clone()
    }

    // --- what is typed -------------------------------------------------------------------------------------

    /// What the shell has written, with its marks. Where a command of the book was typed, by whomever, its answer is
    /// compared with what the book has printed.
    pub fn hear(&self, bytes: &[u8]) {
        let mut heard = lock(&self.heard);
        for event in heard.marks.read(bytes) {
            match event {
                Event::Typed(line) => heard.command = without_number(&line),
                Event::Begins => {
                    heard.answer.clear();
                    heard.runs = true;
                }
                Event::Output(bytes) if heard.runs && heard.answer.len() < LONGEST => {
                    heard.answer.extend(bytes);
                }
                Event::Status(_) if std::mem::take(&mut heard.runs) => {
                    let answer = std::mem::take(&mut heard.answer);
                    let command = std::mem::take(&mut heard.command);
                    if answer.len() < LONGEST {
                        self.compare(&command, &answer);
                    }
                }
                _ => {}
            }
        }
    }

    fn compare(&self, command: &str, answer: &[u8]) {
        if has_pager(answer) {
            return; // what it shows depends on how high the terminal is
        }
        let text = terminal::plain(answer);
        let mut came: Vec<_> = text
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        // What `less` has cleared of the last line before it went.
        while came.last().is_some_and(String::is_empty) {
            came.pop();
        }
        let chapter = lock(&self.now).chapter.clone();
        let Some(difference) = compared(&chapter, command, &came) else {
            return;
        };
        let mut now = lock(&self.now);
        let place = (chapter, command.to_owned());
        match difference {
            Some(difference) => now.differs.insert(place, difference),
            None => now.differs.remove(&place),
        };
    }
}

/// The history has a number before each line.
fn without_number(line: &str) -> String {
    line.trim_start()
        .trim_start_matches(|one: char| one.is_ascii_digit())
        .trim()
        .to_owned()
}

/// `less` has waited, with words in reverse below what it shows, or something has filled the whole screen.
fn has_pager(answer: &[u8]) -> bool {
    [&b"\x1b[?1049h"[..], b"\x1b[7m"]
        .iter()
        .any(|sign| answer.windows(sign.len()).any(|part| part == *sign))
}

/// Where the answer leaves what the chapter has printed below this command, if it does; none if the chapter has not
/// the command. If it is printed more than once, one of those is enough.
fn compared(step: &str, command: &str, came: &[String]) -> Option<Option<Difference>> {
    // It comes from a page, and becomes a path.
    if !all_steps().ok()?.iter().any(|one| one == step) {
        return None;
    }
    let script = Script::parse(&std::fs::read_to_string(session_of(step)).ok()?).ok()?;
    let differences: Vec<_> = script
        .lines
        .iter()
        .filter_map(|line| match line {
            // What Ctrl-C has ended is as long as somebody's patience.
            Line::Command {
                text,
                answer,
                end: End::Prompt,
            } if text == command => Some(answer),
            _ => None,
        })
        .map(|printed| {
            let same = normal::same(command, printed, came)
                || normal::older(command, printed, came).is_some();
            if same { None } else { leaves(printed, came) }
        })
        .collect();
    if differences.contains(&None) {
        return Some(None);
    }
    // The one that it follows for longest is the one that was meant.
    let nearest = differences.into_iter().flatten();
    nearest.max_by_key(|difference| difference.line).map(Some)
}

/// Where what came leaves what is printed, if it does. How wide a column is, is no difference.
fn leaves(printed: &[String], came: &[String]) -> Option<Difference> {
    let changes = normal::changes(printed, came);
    let of = |wanted: char| -> Vec<String> {
        changes
            .iter()
            .filter(|(sign, _)| *sign == ' ' || *sign == wanted)
            .map(|(_, text)| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    let (printed, came) = (of('-'), of('+'));
    let line = (0..printed.len().max(came.len())).find(|at| printed.get(*at) != came.get(*at))?;
    let text = |lines: &[String]| {
        lines
            .get(line)
            .map_or_else(String::new, |text| text.chars().take(200).collect())
    };
    Some(Difference {
        line: line + 1,
        printed: text(&printed),
        came: text(&came),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn nobody_types_without_consent() {
        let seat = Seat::new(1, Arc::new(Hub::new()));
        seat.let_type(true);
        assert!(!seat.may_be_typed_into(), "agreed to what nobody asked");
        seat.look(1);
        seat.ask_to_type(true);
        assert!(!seat.may_be_typed_into(), "asked alone");
        seat.let_type(true);
        assert!(seat.may_be_typed_into());
        seat.look(-1);
        assert!(!seat.may_be_typed_into(), "went away");
        seat.look(1);
        seat.ask_to_type(true);
        seat.let_type(true);
        seat.let_type(false);
        assert!(!seat.may_be_typed_into(), "taken back");
        seat.ask_to_type(true);
        seat.let_type(false);
        assert_eq!(seat.describe()["typing"], "refused");
        seat.let_type(true);
        assert!(
            !seat.may_be_typed_into(),
            "said no, and was not asked again"
        );
    }

    #[test]
    fn what_differs_is_told_until_it_does_not() -> anyhow::Result<()> {
        let seat = Seat::new(1, Arc::new(Hub::new()));
        seat.reads("01-hello-loop");
        let typed = |command: &str, answer: &str| {
            let text = format!(
                "\x1b]133;E;   7  {command}\x07\x1b]133;C\x07{answer}\r\n\x1b]133;D;0\x07\x1b]133;B\x07"
            );
            // In pieces, as it may come.
            text.as_bytes().chunks(5).for_each(|piece| seat.hear(piece));
        };
        let script = Script::parse(&std::fs::read_to_string(session_of("01-hello-loop"))?)?;
        let (command, printed) = script
            .lines
            .iter()
            .find_map(|line| match line {
                Line::Command {
                    text,
                    answer,
                    end: End::Prompt,
                } if answer.len() == 1 => Some((text.clone(), answer[0].clone())),
                _ => None,
            })
            .context("no command has one line below it")?;
        typed("echo hello", "nonsense");
        assert!(seat.differs(None).is_empty());
        typed(&command, "nonsense");
        let differs = seat.differs(None);
        let place = ("01-hello-loop".to_owned(), command.clone());
        let difference = differs.get(&place).context("it is not told")?;
        assert_eq!((difference.line, &*difference.came), (1, "nonsense"));
        typed(&command, &printed);
        assert!(seat.differs(None).is_empty());
        Ok(())
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let at = |printed, came| leaves(&lines(printed), &lines(came));
        let is = |line, printed: &str, came: &str| Difference {
            line,
            printed: printed.into(),
            came: came.into(),
        };
        assert_eq!(at("a\nb\nc", "a\nx\nc"), Some(is(2, "b", "x")));
        assert_eq!(at("a\nb", "a"), Some(is(2, "b", "")));
        assert_eq!(at("a", "a\nb"), Some(is(2, "", "b")));
        assert_eq!(at("", "no such unit"), Some(is(1, "", "no such unit")));
        // What less may put before the first line, and a column as wide as what stands in it.
        assert_eq!(at("NAME  STATE\na  on", "\rNAME    STATE\na    on"), None);
    }
}
