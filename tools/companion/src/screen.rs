//! What a terminal shows, as rows of text that a page can draw.

use std::num::NonZeroU16;

use serde::Serialize;
use vt100::{Color, Parser};

/// So many lines can be scrolled back to.
const HISTORY: usize = 2000;

/// Home, and everything away: clear(1), and Ctrl-L.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// What clear(1) says after that: and all that was above.
const FORGET: &[u8] = b"\x1b[3J";

/// A piece of a row that looks the same from end to end: its text, and words that say how it looks.
type Piece = (String, String);

/// A terminal's screen.
pub struct Screen {
    parser: Parser,
    /// What may be the beginning of a clear screen.
    held: Vec<u8>,
}

/// What a page draws.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct View {
    /// Every row, from the top.
    pub rows: Vec<Vec<Piece>>,
    /// Row and column; none while it is hidden, or further down than what is shown.
    pub cursor: Option<(u16, u16)>,
    /// How many lines above are shown instead of the newest.
    pub back: usize,
    /// Whether the arrow keys are to be sent as a full-screen program wants them.
    pub application: bool,
}

impl Screen {
    /// An empty one.
    pub fn new((rows, columns): (u16, u16)) -> Self {
        Self {
            parser: Parser::new(at_least_one(rows), at_least_one(columns), HISTORY),
            held: Vec::new(),
        }
    }

    /// What was written to the terminal.
    ///
    /// What is cleared goes up instead, to be scrolled back to and taken along.
    pub fn write(&mut self, bytes: &[u8]) {
        let mut all = std::mem::take(&mut self.held);
        all.extend(bytes);
        let mut rest = &all[..];
        let at = |rest: &[u8], what: &[u8]| rest.windows(what.len()).position(|part| part == what);
        loop {
            match (at(rest, CLEAR), at(rest, FORGET)) {
                (Some(clear), forget) if forget.is_none_or(|forget| clear < forget) => {
                    self.parser.process(&rest[..clear]);
                    if !self.parser.screen().alternate_screen() {
                        self.scroll_up();
                    }
                    self.parser.process(CLEAR);
                    rest = &rest[clear + CLEAR.len()..];
                }
                (_, Some(forget)) => {
                    self.parser.process(&rest[..forget]);
                    rest = &rest[forget + FORGET.len()..];
                }
                _ => break,
            }
        }
        // The beginning of one of them waits for its end, unless it is something whole by itself.
        let begun = (1..CLEAR.len().min(rest.len() + 1)).rev().find(|length| {
            let end = &rest[rest.len() - length..];
            (CLEAR.starts_with(end) || FORGET.starts_with(end)) && !end.ends_with(b"H")
        });
        let (now, later) = rest.split_at(rest.len() - begun.unwrap_or(0));
        self.parser.process(now);
        self.held = later.to_vec();
    }

    /// All that stands there goes into the history.
    fn scroll_up(&mut self) {
        let screen = self.parser.screen();
        let (rows, columns) = screen.size();
        let full = screen
            .rows(0, columns.get())
            .collect::<Vec<_>>()
            .iter()
            .rposition(|row| !row.is_empty());
        let lines = full.map_or(0, |at| at + 1);
        let text = format!("\x1b[{rows};1H{}", "\n".repeat(lines));
        self.parser.process(text.as_bytes());
    }

    /// Whether what is pasted is to be marked as such.
    pub fn marks_pastes(&self) -> bool {
        self.parser.screen().bracketed_paste()
    }

    /// Makes it as high as that. What does not fit any more goes up, as in any terminal.
    pub fn resize(&mut self, (rows, columns): (u16, u16)) {
        let before = self.parser.screen().size().0.get();
        let (cursor, _) = self.parser.screen().cursor_position();
        let above = (cursor + 1).saturating_sub(rows);
        if above > 0 {
            let text = format!(
                "\x1b7\x1b[{before};1H{}\x1b8\x1b[{above}A",
                "\n".repeat(above.into())
            );
            self.parser.process(text.as_bytes());
        }
        self.parser
            .screen_mut()
            .set_size(at_least_one(rows), at_least_one(columns));
    }

    /// All that it has shown and still knows, as text.
    pub fn text(&mut self) -> String {
        let (rows, columns) = self.parser.screen().size();
        let rows = usize::from(rows.get());
        self.parser.screen_mut().set_scrollback(usize::MAX);
        let mut back = self.parser.screen().scrollback();
        let mut lines = String::new();
        loop {
            self.parser.screen_mut().set_scrollback(back);
            // Of the last but one page, only what the last has not.
            let new = if back == 0 { rows } else { back.min(rows) };
            let screen = self.parser.screen();
            for (at, row) in (0..).zip(screen.rows(0, columns.get()).take(new)) {
                lines.push_str(&row);
                // What was broken for want of room is one line.
                if !screen.row_wrapped(at) {
                    lines.push('\n');
                }
            }
            if back == 0 {
                break;
            }
            back -= new;
        }
        self.parser.screen_mut().set_scrollback(0);
        lines.truncate(lines.trim_end().len());
        lines.push('\n');
        lines
    }

    /// What it shows, so many lines further up.
    pub fn view(&mut self, back: usize) -> View {
        self.parser.screen_mut().set_scrollback(back);
        let screen = self.parser.screen();
        let back = screen.scrollback();
        let (rows, columns) = screen.size();
        let view = View {
            rows: (0..rows.get())
                .map(|row| pieces(screen, row, columns.get()))
                .collect(),
            cursor: (back == 0 && !screen.hide_cursor()).then(|| screen.cursor_position()),
            back,
            application: screen.application_cursor(),
        };
        self.parser.screen_mut().set_scrollback(0);
        view
    }
}

fn at_least_one(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

fn pieces(screen: &vt100::Screen, row: u16, columns: u16) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column) else {
            break;
        };
        if cell.is_wide_continuation() {
            continue;
        }
        let looks = looks(cell);
        let text = if cell.has_contents() {
            cell.contents()
        } else {
            " "
        };
        match pieces.last_mut() {
            Some((before, same)) if *same == looks => before.push_str(text),
            _ => pieces.push((text.to_owned(), looks)),
        }
    }
    // What is empty up to the end needs not be drawn.
    if let Some((text, looks)) = pieces.last_mut()
        && looks.is_empty()
    {
        text.truncate(text.trim_end().len());
        if text.is_empty() {
            pieces.pop();
        }
    }
    pieces
}

fn looks(cell: &vt100::Cell) -> String {
    let (mut front, mut back) = (cell.fgcolor(), cell.bgcolor());
    let mut words = Vec::new();
    if cell.inverse() {
        std::mem::swap(&mut front, &mut back);
        words.push("inverse".to_owned());
    }
    for (is_so, word) in [
        (cell.bold(), "bold"),
        (cell.dim(), "dim"),
        (cell.italic(), "italic"),
        (cell.underline(), "underline"),
    ] {
        if is_so {
            words.push(word.to_owned());
        }
    }
    words.extend(color("f", front));
    words.extend(color("b", back));
    words.join(" ")
}

/// `f1` for one of the sixteen that a theme has, `f#rrggbb` for all others.
fn color(which: &str, color: Color) -> Option<String> {
    match color {
        Color::Default => None,
        Color::Idx(number @ 0..=15) => Some(format!("{which}{number}")),
        Color::Idx(number @ 16..=231) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let number = number - 16;
            let (red, green, blue) = (number / 36, number / 6 % 6, number % 6);
            Some(hex(which, level(red), level(green), level(blue)))
        }
        Color::Idx(number) => {
            let grey = 8 + 10 * (number - 232);
            Some(hex(which, grey, grey, grey))
        }
        Color::Rgb(red, green, blue) => Some(hex(which, red, green, blue)),
    }
}

fn hex(which: &str, red: u8, green: u8, blue: u8) -> String {
    format!("{which}#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_text_are_apart() {
        let mut screen = Screen::new((2, 20));
        screen.write(b"a\x1b[1;32mb<b>\x1b[0m c\x1b[38;5;196md\x1b[7me");
        let row = &screen.view(0).rows[0];
        let row: Vec<_> = row
            .iter()
            .map(|(text, looks)| (text.as_str(), looks.as_str()))
            .collect();
        assert_eq!(
            row,
            [
                ("a", ""),
                ("b<b>", "bold f2"),
                (" c", ""),
                ("d", "f#ff0000"),
                ("e", "inverse b#ff0000")
            ]
        );
    }

    #[test]
    fn what_was_cleared_is_kept() {
        let mut screen = Screen::new((5, 10));
        screen.write(b"a\r\n$ clear\r\n");
        let cleared = b"\x1b[H\x1b[2J\x1b[3Jb\r\n\x1b[?1049h\x1b[H\x1b[2Jeditor\x1b[?1049l";
        // In pieces, as it may come.
        cleared.chunks(4).for_each(|piece| screen.write(piece));
        assert_eq!(screen.view(0).rows[0], [("b".to_owned(), String::new())]);
        assert_eq!(screen.text(), "a\n$ clear\nb\n");
    }

    #[test]
    fn what_was_shown_is_text() {
        let mut screen = Screen::new((3, 10));
        let all: Vec<_> = (1..=20).map(|line| line.to_string()).collect();
        screen.write(all.join("\r\n").as_bytes());
        assert_eq!(screen.text(), all.join("\n") + "\n");
    }

    #[test]
    fn a_line_that_was_broken_for_want_of_room_is_one_line_of_the_text() {
        let mut screen = Screen::new((4, 10));
        screen.write(b"fourteen chars\r\nten chars!\r\nend");
        assert_eq!(screen.text(), "fourteen chars\nten chars!\nend\n");
    }

    #[test]
    fn what_a_smaller_screen_has_no_room_for_goes_up() {
        let mut screen = Screen::new((4, 10));
        screen.write(b"1\r\n2\r\n3\r\n4");
        screen.resize((2, 10));
        let text = |view: View| -> Vec<String> {
            view.rows
                .iter()
                .map(|row| row.iter().map(|(text, _)| text.as_str()).collect())
                .collect()
        };
        assert_eq!(text(screen.view(0)), ["3", "4"]);
        assert_eq!(screen.view(0).cursor, Some((1, 1)));
        assert_eq!(text(screen.view(2)), ["1", "2"]);
    }
}
