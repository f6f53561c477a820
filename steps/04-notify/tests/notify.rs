//! What `hellod` tells its manager, without systemd: a socket of our own, or none.

use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

/// A `hellod` that is killed with this value.
struct Hellod(Child);

impl Drop for Hellod {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hellod() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_step-04"));
    command
        .env_remove("NOTIFY_SOCKET")
        .env_remove("HELLOD_EVERY")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

#[test]
fn tells_the_manager_everything_in_order() -> Outcome {
    let folder = tempfile::TempDir::new()?;
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket)?;
    manager.set_read_timeout(Some(Duration::from_secs(20)))?;
    let _hellod = Hellod(hellod().env("NOTIFY_SOCKET", &socket).spawn()?);
    for expected in [
        "STATUS=Learning phrase 1 of 3: hello\n",
        "STATUS=Learning phrase 2 of 3: good morning\n",
        "STATUS=Learning phrase 3 of 3: good night\n",
        "READY=1\nSTATUS=Greeting every 5s\n",
    ] {
        let mut buffer = [0; 512];
        // A child that ends can interrupt it, handler or not, since it has a time limit: signal(7).
        let length = loop {
            match manager.recv(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received?,
            }
        };
        assert_eq!(std::str::from_utf8(&buffer[..length])?, expected);
    }
    Ok(())
}

/// The lines that it logs until the first greeting.
fn lines_until_hello(mut command: Command) -> Result<Vec<String>, Box<dyn Error>> {
    let mut hellod = Hellod(command.spawn()?);
    let stderr = hellod.0.stderr.take().ok_or("no stderr")?;
    let mut lines = Vec::new();
    for line in BufReader::new(stderr).lines() {
        lines.push(line?);
        if lines.last().is_some_and(|line| line == "Hello from hellod") {
            return Ok(lines);
        }
    }
    Err(format!("ended after {lines:?}").into())
}

#[test]
fn runs_without_a_manager() -> Outcome {
    assert_eq!(lines_until_hello(hellod())?.len(), 5);
    Ok(())
}

#[test]
fn runs_when_the_manager_cannot_be_told() -> Outcome {
    let mut command = hellod();
    command.env("NOTIFY_SOCKET", "/nonexistent/notify");
    let lines = lines_until_hello(command)?;
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("Cannot notify the manager")),
        "{lines:?}"
    );
    Ok(())
}
