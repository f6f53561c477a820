//! The signals that ask for an end, as something that `poll` can wait for.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, atomic::AtomicBool};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::{backend::SignalDelivery, exfiltrator::SignalOnly};
use signal_hook::low_level::emulate_default_handler;

/// SIGTERM is what the manager sends, and SIGINT is Ctrl-C, see signal(7).
const ENDING: [i32; 2] = [SIGTERM, SIGINT];

/// Those that have arrived. A signal handler may do almost nothing, see signal-safety(7): this one
/// writes a byte into a socket, and `poll` waits at the socket's other end.
pub struct Signals(SignalDelivery<UnixStream, SignalOnly>);

impl Signals {
    /// From here on, the signals end nothing by themselves. Fails like sigaction(2) and socketpair(2).
    pub fn new() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        SignalDelivery::with_pipe(read, write, SignalOnly, ENDING).map(Self)
    }

    /// The next one that has arrived, if any. Does not wait.
    pub fn next(&mut self) -> Option<i32> {
        self.0.pending().next()
    }

    /// From here on, the next one ends the process at once, as it does where nobody handles it. So
    /// does one that has come already. Fails like sigaction(2).
    pub fn let_next_end(&mut self) -> io::Result<()> {
        for signal in ENDING {
            register_conditional_default(signal, Arc::new(AtomicBool::new(true)))?;
        }
        self.next().map_or(Ok(()), emulate_default_handler)
    }

    /// Waits for a signal, or for something to read there, but not longer than this. Returns whether
    /// there is something to read. See poll(2).
    pub fn wait(&self, there: Option<BorrowedFd>, longest: Duration) -> bool {
        let mut all = vec![PollFd::new(self.0.get_read(), PollFlags::IN)];
        all.extend(there.map(|there| PollFd::from_borrowed_fd(there, PollFlags::IN)));
        // It fails if a signal comes before it has looked; whoever waits looks at the signals next.
        let _ = poll(&mut all, Timespec::try_from(longest).ok().as_ref());
        all.get(1).is_some_and(|there| !there.revents().is_empty())
    }
}
