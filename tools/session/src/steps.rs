//! The steps of the book, and where their sessions are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository that this program was built in, or, if its folder has moved since, that it lies in.
pub fn repository() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let around = program
        .ancestors()
        .find(|folder| folder.join("scripts/lab.sh").exists());
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    around.or(built).unwrap_or(Path::new(".")).to_owned()
}

/// All folders in `steps/`, in order.
///
/// # Errors
///
/// If there is no such folder, or it cannot be read.
pub fn all_steps() -> Result<Vec<String>> {
    let folder = repository().join("steps");
    let read = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let mut steps = Vec::new();
    for entry in read {
        steps.extend(entry?.file_name().into_string().ok());
    }
    steps.sort();
    Ok(steps)
}

/// The step before this one; none before the first.
///
/// # Errors
///
/// As [`all_steps`].
pub fn step_before(step: &str) -> Result<Option<String>> {
    let all = all_steps()?;
    let at = all.iter().position(|one| one == step).unwrap_or(0);
    Ok(at.checked_sub(1).map(|before| all[before].clone()))
}

/// Where the session of a step is.
pub fn session_of(step: &str) -> PathBuf {
    let folder = repository().join("steps").join(step);
    folder.join("session.console")
}

/// The folder of an exercise, such as 5.1; none if there is no such exercise.
pub fn exercise(number: &str) -> Option<PathBuf> {
    let (chapter, one) = number.split_once('.')?;
    let is_digit = |word: &str| word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digit(chapter) || !is_digit(one) {
        return None;
    }
    let steps = all_steps().ok()?;
    let step = steps
        .iter()
        .find(|step| step.starts_with(&format!("0{chapter}-")))?;
    let folder = repository()
        .join("steps")
        .join(step)
        .join("exercises")
        .join(one);
    folder.is_dir().then_some(folder)
}
