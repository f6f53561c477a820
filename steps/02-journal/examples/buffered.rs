//! What not to do: a service whose messages wait in a buffer. One hello a second.

use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::Duration;

fn main() -> io::Result<()> {
    // 8 KiB, and a hello has 18 bytes: nothing leaves for over seven minutes.
    let mut out = BufWriter::new(io::stdout());
    loop {
        writeln!(out, "Hello from hellod")?;
        thread::sleep(Duration::from_secs(1));
    }
}
