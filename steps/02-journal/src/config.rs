//! What the unit file can tell `hellod`, in environment variables.

use std::env;
use std::time::Duration;

use crate::journal::{Level, log};

/// The time between two greetings, unless `HELLOD_EVERY` says otherwise.
const EVERY: Duration = Duration::from_secs(5);

/// The time between two greetings, from the environment variable `HELLOD_EVERY`.
///
/// A value that makes no sense is worth a warning, and not worth staying away for.
pub fn interval() -> Duration {
    let Some(text) = env::var_os("HELLOD_EVERY") else {
        return EVERY;
    };
    let text = text.to_string_lossy();
    seconds(&text).unwrap_or_else(|| {
        log(
            Level::Warning,
            format_args!("HELLOD_EVERY={text} is not a number of seconds, using {EVERY:?}"),
        );
        EVERY
    })
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
