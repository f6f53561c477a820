//! What the unit file can tell `hellod`, in environment variables.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// The time between two greetings, unless `HELLOD_EVERY` says otherwise.
const EVERY: Duration = Duration::from_secs(5);

/// The time between two greetings, from the environment variable `HELLOD_EVERY`.
///
/// # Errors
///
/// A value that makes no sense is a mistake in the unit file, and guessing would hide it.
pub fn interval() -> Result<Duration, String> {
    let Some(text) = env::var_os("HELLOD_EVERY") else {
        return Ok(EVERY);
    };
    let text = text.to_string_lossy();
    seconds(&text).ok_or_else(|| format!("HELLOD_EVERY={text} is not a number of seconds"))
}

/// Where visitors write their names: in the folder that the manager has made for this service, or,
/// without `RuntimeDirectory=`, in your runtime directory, `$XDG_RUNTIME_DIR`.
///
/// # Errors
///
/// If there is neither. `/tmp` is no way out: anybody could put something of that name there first.
pub fn pipe_path() -> Result<PathBuf, String> {
    let folder = env::var_os("RUNTIME_DIRECTORY")
        .or_else(|| env::var_os("XDG_RUNTIME_DIR"))
        .ok_or("Neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set")?;
    Ok(PathBuf::from(folder).join("hellod.pipe"))
}

/// Reads a whole number of seconds, at least 1.
fn seconds(text: &str) -> Option<Duration> {
    // u32: more than a century, and no time that a clock could not reach.
    let seconds: u32 = text.parse().ok().filter(|&seconds| seconds > 0)?;
    Some(Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_seconds_only() {
        assert_eq!(seconds("5"), Some(Duration::from_secs(5)));
        for bad in ["", "0", "-1", "1.5", "5s", "soon", "18446744073709551615"] {
            assert_eq!(seconds(bad), None, "{bad:?}");
        }
    }
}
