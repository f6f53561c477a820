//! What came back to a session, compared: with what is written, and with another release's.

use crate::normal;
use crate::script::Script;

/// A session that was typed, or why it could not be.
pub type Typed = Result<Session, String>;

/// A session that was typed into a lab.
pub struct Session {
    /// The text of it, with the answers that came this time.
    pub script: Script,
    /// What came back to each command, in order.
    pub answers: Vec<Answer>,
}

/// What came back to one command.
pub struct Answer {
    /// What was typed.
    pub command: String,
    /// What the file says.
    pub written: Vec<String>,
    /// What came.
    pub came: Vec<String>,
    /// The exit status; none for a command that was ended by `^C`, which some call success.
    pub status: Option<i32>,
}

impl Answer {
    /// Whether it is what is written, but for what may differ.
    pub fn is_as_written(&self) -> bool {
        normal::same(&self.command, &self.written, &self.came)
    }
}

impl Session {
    /// A diff for each answer that is not as written.
    pub fn differences(&self) -> Vec<String> {
        let different = self.answers.iter().filter(|answer| !answer.is_as_written());
        different
            .map(|answer| normal::diff(&answer.command, &answer.written, &answer.came))
            .collect()
    }
}

/// How a replay went, and of one that came back differently, how it goes once more.
///
/// By chance a hello falls between two commands. What differs in two labs is no chance.
pub fn twice(
    session: &mut Typed,
    again: impl FnOnce() -> Typed,
    compare: impl Fn(&Typed) -> Result<String, String>,
) -> Result<String, String> {
    let first = compare(session);
    let (Ok(_), Err(why)) = (&session, &first) else {
        return first;
    };
    *session = again();
    compare(session).map(|text| format!("{text}\non the second try. On the first, {why}"))
}

/// Whether every answer is as written.
pub fn with_what_is_written(session: &Typed) -> Result<String, String> {
    let session = session.as_ref()?;
    let differences = session.differences();
    if differences.is_empty() {
        return Ok(format!("{} answers, all as written", session.answers.len()));
    }
    let count = differences.len();
    Err(format!(
        "{count} answers differ\n{}",
        differences.join("\n")
    ))
}

/// Whether every command ended as it does on the reference.
pub fn with_the_reference(reference: &Typed, other: &Typed, show: bool) -> Result<String, String> {
    let other = other.as_ref()?;
    let reference = reference.as_ref().map_err(|_| "nothing to compare with")?;
    let mut wrong = String::new();
    for (here, there) in other.answers.iter().zip(&reference.answers) {
        if let (Some(is), Some(should)) = (here.status, there.status)
            && is != should
        {
            wrong += &format!("  $ {}\n", here.command);
            wrong += &format!("    ends with {is}, and on the reference with {should}\n");
            wrong += &format!("    {}\n", here.came.join("\n    "));
        }
    }
    if !wrong.is_empty() {
        return Err(format!(
            "not every command ends as on the reference\n{wrong}"
        ));
    }
    let differences = other.differences();
    let mut text = format!(
        "{} answers, all with the same status, {} in other words",
        other.answers.len(),
        differences.len()
    );
    if show {
        text += "\n";
        text += &differences.join("\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn that_answers(word: &str) -> Typed {
        let answer = Answer {
            command: "greet".to_owned(),
            written: vec!["hello".to_owned()],
            came: vec![word.to_owned()],
            status: Some(0),
        };
        Ok(Session {
            script: Script { lines: Vec::new() },
            answers: vec![answer],
        })
    }

    #[test]
    fn what_differs_once_passes_and_is_told() -> Result<(), String> {
        let again = || that_answers("hello");
        let said = twice(&mut that_answers("bye"), again, with_what_is_written)?;
        assert!(said.starts_with("1 answers, all as written\non the second try."));
        assert!(said.contains("+ bye"), "{said}");
        Ok(())
    }

    #[test]
    fn what_differs_twice_fails() {
        let again = || that_answers("good night");
        let said = twice(&mut that_answers("bye"), again, with_what_is_written);
        assert!(said.is_err_and(|why| why.contains("+ good night")));
    }

    #[test]
    fn what_passes_or_cannot_be_typed_is_not_typed_again() {
        let never = || -> Typed { unreachable!() };
        assert!(twice(&mut that_answers("hello"), never, with_what_is_written).is_ok());
        let mut broken = Err("no lab".to_owned());
        assert!(twice(&mut broken, never, with_what_is_written).is_err());
    }
}
