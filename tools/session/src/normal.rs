//! What may differ from one run of a session to the next, and what may not.

use std::sync::LazyLock;

use regex::Regex;
use similar::{ChangeTag, TextDiff};

/// What is replaced before two answers are compared: a pattern, and what stands in its place.
static VARIES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // -o verbose: [s=0325...;i=66;...]
        (r"\.\d{6} UTC \[s=[^]]*\]", " UTC [<cursor>]"),
        // Sun 2026-11-15 10:20:30 UTC, and Nov 15 10:20:30 at the start of a line of the journal.
        (
            r"\b[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]+",
            "<time>",
        ),
        (r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d", "<time>"),
        (r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d\b", "<time>"),
        // 1min 20s ago; Duration: 5.012s
        (r"; [0-9a-z. ]+ (ago|left)", "; <duration> $1"),
        (r"Duration: [0-9a-z. ]+", "Duration: <duration>"),
        (r"Startup finished in .*", "Startup finished in <duration>"),
        (r"(runtime|consumed): [0-9a-z. ]+", "$1: <duration>"),
        // hellod[123], Main PID: 123, └─123 /home/..., MainPID=123, process 123
        (r"\[\d+\]", "[<pid>]"),
        (r"(PID: ?|PID=|Process: |process |Job: )\d+", "$1<pid>"),
        (r"([├└]─) *\d+ ", "$1<pid> "),
        (r"(main process |PID )\d+", "$1<pid>"),
        // bash: line 1:   123 Bad system call
        (r"(: line \d+:) +\d+ ", "$1 <pid> "),
        (r"; invocation ID: .*", ""),
        (r"^\d+ ", "<pid> "),
        // The columns of ps
        (r"^( *\d+){1,2} /", "<pid> /"),
        // time: 0m0.012s
        (r"\d+m[\d.]+s$", "<duration>"),
        // Invocations, boots and machines.
        (r"\b[0-9a-f]{32}\b", "<id>"),
        // What Debian and the reader's Rust are at today.
        (r"systemd (\d+) \([^)]*\)", "systemd $1 (<package>)"),
        (r"Rust \d+\.\d+\.\d+,", "Rust <version>,"),
        // cargo says how long it took.
        (r"target\(s\) in [0-9.]+s", "target(s) in <duration>"),
    ]
    .into_iter()
    .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with)))
    .collect()
});

/// Lines that depend on what the host lets the lab measure, or on how long something took.
static ACCOUNTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^ +(CPU|Memory|Tasks|IO|IP): |: Consumed .* (CPU|memory)|^ +Compiling |counted (and|or) limited").ok()
});

/// An answer without what may differ. A line that comes several times in a row counts once: how many
/// hellos there are depends on when one looks.
fn normal(answer: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = answer
        .iter()
        .filter(|line| {
            !ACCOUNTING
                .as_ref()
                .is_some_and(|accounting| accounting.is_match(line))
        })
        .map(|line| {
            VARIES.iter().fold(line.clone(), |line, (pattern, with)| {
                pattern.replace_all(&line, *with).into_owned()
            })
        })
        .collect();
    lines.dedup();
    lines
}

/// What the manager says in the journal: with its name before it, or without, as `-o cat` has it.
static MANAGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r" systemd\[<pid>\]: |^(Starting|Started|Stopping|Stopped|Failed to start) |^\S+\.service: ").ok()
});

/// Whether two answers are the same but for what may differ.
///
/// The manager and every service write to the journal over sockets of their own. What of one moment
/// the journal reads first is chance. So in what shows it, the lines of the manager may stand up to two
/// places from where they are written, since a service says no more at a start or a stop, and of all
/// others neighbours may have changed places.
pub fn same(command: &str, one: &[String], other: &[String]) -> bool {
    let (one, other) = (normal(one), normal(other));
    let shows_journal = ["journalctl", "status", "apply.sh"]
        .iter()
        .any(|word| command.contains(word));
    one == other || shows_journal && same_but_for_the_manager(&one, &other)
}

fn same_but_for_the_manager(one: &[String], other: &[String]) -> bool {
    let ((managed, rest), (other_managed, other_rest)) = (by_writer(one), by_writer(other));
    let near = |((at, line), (other_at, other_line)): (&(usize, &String), &(usize, &String))| {
        line == other_line && at.abs_diff(*other_at) <= 2
    };
    same_but_for_neighbours(&rest, &other_rest)
        && managed.len() == other_managed.len()
        && managed.iter().zip(&other_managed).all(near)
}

fn same_but_for_neighbours(one: &[&String], other: &[&String]) -> bool {
    match (one, other) {
        ([], []) => true,
        ([a, one @ ..], [b, other @ ..]) if a == b => same_but_for_neighbours(one, other),
        ([a, b, one @ ..], [c, d, other @ ..]) if a == d && b == c => {
            same_but_for_neighbours(one, other)
        }
        _ => false,
    }
}

/// The lines of the manager, each with its place, and all others.
fn by_writer(lines: &[String]) -> (Vec<(usize, &String)>, Vec<&String>) {
    let (managed, mut rest): (Vec<_>, Vec<_>) = lines
        .iter()
        .enumerate()
        .partition(|(_, line)| MANAGER.as_ref().is_some_and(|says| says.is_match(line)));
    // The manager may have spoken between two hellos.
    rest.dedup_by_key(|(_, line)| *line);
    (managed, rest.into_iter().map(|(_, line)| line).collect())
}

/// How many older lines stand above what is written, in the answer of a journal that was there before.
pub fn older(command: &str, written: &[String], came: &[String]) -> Option<usize> {
    if !command.contains("journalctl") {
        return None;
    }
    let (written, came) = (normal(written), normal(came));
    let above = came.len().checked_sub(written.len())?;
    (above > 0 && !written.is_empty() && came.ends_with(&written)).then_some(above)
}

/// What stays, went and came, line by line: ' ', '-' and '+'.
pub fn changes(written: &[String], came: &[String]) -> Vec<(char, String)> {
    let (written, came) = (normal(written), normal(came));
    let (written, came): (Vec<&str>, Vec<&str>) = (
        written.iter().map(String::as_str).collect(),
        came.iter().map(String::as_str).collect(),
    );
    TextDiff::from_slices(&written, &came)
        .iter_all_changes()
        .map(|change| {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            (sign, change.value().to_owned())
        })
        .collect()
}

/// What differs, below the command that was answered.
pub fn diff(command: &str, written: &[String], came: &[String]) -> String {
    let mut text = format!("  $ {command}\n");
    for (sign, line) in changes(written, came) {
        text.push_str(&format!("{sign} {line}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_differs_from_run_to_run_is_the_same() {
        let same_lines = [
            (
                "Active: active (running) since Fri 2026-11-20 18:56:07 UTC; 27ms ago",
                "Active: active (running) since Sat 2026-11-21 01:02:03 CET; 1min 3s ago",
            ),
            (
                "Nov 20 18:56:07 lab hellod[118]: Hello",
                "Dec  1 08:06:07 lab hellod[7]: Hello",
            ),
            ("   Main PID: 118 (hellod)", "   Main PID: 9 (hellod)"),
            (
                "   └─118 /home/learner/.local/bin/hellod",
                "   └─9 /home/learner/.local/bin/hellod",
            ),
            (
                " Invocation: f9e74524b1d64824b69dadc3b953ee84",
                " Invocation: 00e74524b1d64824b69dadc3b953ee84",
            ),
            ("MainPID=12", "MainPID=1234"),
            (
                "bash: line 1:   123 Bad system call",
                "bash: line 1:  1234 Bad system call",
            ),
            (
                "systemd 257 (257.13-1~deb13u1)",
                "systemd 257 (257.14-1~deb13u1)",
            ),
            ("✓ Rust 1.95.0, and 1.88", "✓ Rust 1.99.1, and 1.88"),
            ("Hello\nHello\nHello", "Hello"),
            ("a\n   CPU: 6ms\nb", "a\n   Memory: 1.2M (peak: 2M)\nb"),
        ];
        for (one, other) in same_lines {
            assert!(
                same("id", &lines(one), &lines(other)),
                "{one:?} and {other:?}"
            );
        }
    }

    #[test]
    fn everything_else_is_not() {
        let other_lines = [
            (
                "Active: active (running)",
                "Active: failed (Result: signal)",
            ),
            ("Greeting every 5s", "Greeting every 6s"),
            ("systemd 257 (257.13)", "systemd 262 (262-1)"),
            ("status=9/KILL", "status=15/TERM"),
            ("restart counter is at 1.", "restart counter is at 2."),
            ("Hello\nBye\nHello", "Hello\nBye"),
            ("", "a line"),
        ];
        for (one, other) in other_lines {
            assert!(
                !same("id", &lines(one), &lines(other)),
                "{one:?} and {other:?}"
            );
        }
    }

    #[test]
    fn what_is_of_one_moment_may_be_in_another_order_in_the_journal_only() {
        let written = lines("Stopping x\nBye\nGone\nStopped x");
        for came in [
            "Bye\nStopping x\nGone\nStopped x",
            "Bye\nGone\nStopping x\nStopped x",
            "Stopping x\nStopped x\nBye\nGone",
        ] {
            assert!(same("journalctl -u x", &written, &lines(came)), "{came}");
            assert!(!same("ls", &written, &lines(came)), "{came}");
        }
        for came in [
            "Stopped x\nStopping x\nBye\nGone",
            "Stopping x\nBye\nStopped x",
            "Stopping x\nBye\nGone\nStopping x",
        ] {
            assert!(!same("journalctl -u x", &written, &lines(came)), "{came}");
        }
        let too_far = lines("Started x\na\nb\nc");
        assert!(!same("journalctl", &too_far, &lines("a\nb\nc\nStarted x")));
        assert!(same("journalctl", &lines("a\nb\nc"), &lines("b\na\nc")));
        assert!(!same("journalctl", &lines("a\nb\nc"), &lines("b\nc\na")));
        let with_names = lines("lab hellod[1]: a\nlab systemd[2]: b");
        let moved = lines("lab systemd[2]: b\nlab hellod[1]: a");
        assert!(same("systemctl status", &with_names, &moved));
    }

    #[test]
    fn a_difference_is_shown_below_its_command() {
        let shown = diff("systemctl status", &lines("same\nold"), &lines("same\nnew"));
        assert_eq!(shown, "  $ systemctl status\n  same\n- old\n+ new\n");
    }

    #[test]
    fn what_the_journal_had_before_is_told_apart() {
        let written = lines("Started x\na");
        assert_eq!(
            older("journalctl -u x", &written, &lines("old\nStarted x\na")),
            Some(1)
        );
        assert_eq!(older("journalctl -u x", &written, &written), None);
        assert_eq!(older("journalctl -u x", &written, &lines("old\na")), None);
        assert_eq!(
            older("systemctl status x", &written, &lines("old\nStarted x\na")),
            None
        );
    }

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(VARIES.len(), 21);
        assert!(ACCOUNTING.is_some() && MANAGER.is_some());
    }
}
