//! The companion: serves the built book, and ties its pages to one machine.
//!
//! It looks at that machine with `scripts/watch.sh`, and if it is a lab, plays the blocks of the chapters in it and
//! lends its terminal to the page. It is started by `scripts/serve.sh`; how page, companion and lab talk is in
//! `CONTRIBUTING.md`.

mod board;
mod guard;
mod hand;
mod hub;
mod lab;
mod machine;
mod pages;
mod screen;
mod seat;
mod socket;
mod workshop;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::extract::Request;
use axum::middleware::{self, Next};
use serde_json::Value;
use session::steps::repository;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::net::TcpListener;

use guard::{Guard, Names};
use hand::Hand;
use hub::Hub;
use lab::Lab;
use machine::{Machine, Which};
use pages::{Book, Reader};
use socket::Companion;

/// The releases that the book was tried on; the first is the one whose answers it shows.
const RELEASES: [&str; 3] = ["trixie", "bookworm", "forky"];

const USAGE: &str = "\
Usage: companion [--host HOST] [--port PORT] [--lab NAME [--suite SUITE]] [--watch MDBOOK] [--open]
       companion [--host HOST] [--port PORT] [--public ADDRESS] --workshop FOLDER --seats COUNT [--suite SUITE]

Started by scripts/serve.sh and scripts/workshop.sh, which say what these mean. --watch has this mdbook build the
book when it changes; FOLDER is where the words that let people in are kept.
";

/// What is asked for on the command line.
struct Wanted {
    host: String,
    port: u16,
    lab: Option<String>,
    suite: String,
    mdbook: Option<PathBuf>,
    open: bool,
    workshop: Option<PathBuf>,
    seats: usize,
    public: Option<String>,
}

fn main() -> ExitCode {
    let wanted = match wanted(env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("companion: {error:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // Two are enough for pages; who waits for a lab has a thread of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    match runtime
        .context("no threads to be had")
        .and_then(|runtime| runtime.block_on(run(&wanted)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let script = if wanted.workshop.is_some() {
                "workshop.sh"
            } else {
                "serve.sh"
            };
            eprintln!("{script}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted> {
    let mut wanted = Wanted {
        host: "localhost".to_owned(),
        port: 3000,
        lab: None,
        suite: RELEASES[0].to_owned(),
        mdbook: None,
        open: false,
        workshop: None,
        seats: 0,
        public: None,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} what?"))
        };
        match argument.as_str() {
            "--host" => wanted.host = value()?,
            "--port" => wanted.port = value()?.parse().context("a port is a number")?,
            "--lab" => wanted.lab = Some(value()?),
            "--suite" => wanted.suite = value()?,
            "--watch" => wanted.mdbook = Some(value()?.into()),
            "--open" => wanted.open = true,
            "--workshop" => wanted.workshop = Some(value()?.into()),
            "--seats" => wanted.seats = value()?.parse().context("a count is a number")?,
            "--public" => wanted.public = Some(value()?),
            other => bail!("there is no {other} here"),
        }
    }
    // Those of the other releases have theirs in their names, and lab.sh takes 31 letters.
    if wanted.lab.as_ref().is_some_and(|name| name.len() > 22) {
        bail!("the name of a lab that is served has 22 letters at most");
    }
    if wanted.workshop.is_some() && !(1..=99).contains(&wanted.seats) {
        bail!("a workshop has 1 to 99 seats");
    }
    if ["0.0.0.0", "::"].contains(&wanted.host.as_str()) {
        bail!(
            "name the address that browsers will use, not {}",
            wanted.host
        );
    }
    Ok(wanted)
}

async fn run(wanted: &Wanted) -> Result<()> {
    let Wanted { host, port, .. } = wanted;
    // First, so that nothing boots if the port is taken.
    let listener = TcpListener::bind((host.as_str(), *port)).await.with_context(|| {
        format!("cannot listen on {host}:{port}. Does another serve.sh run? End it, or take another port with -p")
    })?;
    let port = listener.local_addr()?.port();
    let names = Names::new(host, port, wanted.public.as_deref());
    end_when_told();
    let book = repository().join("target/book");
    let (router, address) = if let Some(folder) = &wanted.workshop {
        let (workshop, router) = workshop::open(&workshop::Wanted {
            folder,
            seats: wanted.seats,
            suite: &wanted.suite,
            names: &names,
            book: &book,
        })?;
        (router, workshop.guard.address())
    } else {
        let companion = Arc::new(tie(wanted, &names)?);
        if let Some(mdbook) = &wanted.mdbook {
            build_when_changed(mdbook, &book, &companion.hub)?;
        }
        let router = workshop::book_of(&companion, &Arc::new(Book::new(&book, Reader::Alone)));
        (router, companion.guard.address())
    };

    let way_in = repository().join(format!("target/companion-{port}.html"));
    guard::write_way_in(&way_in, &address)?;
    println!("Serving on {address}");
    if wanted.open {
        // Not the address itself: everybody on this machine can read a command line.
        let opened = Command::new("xdg-open").arg(&way_in).spawn();
        if opened.is_err() {
            eprintln!(
                "serve.sh: there is no xdg-open to open a browser with; open the address above."
            );
        }
    }

    let router = router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let names = names.clone();
        async move { names.let_in(request, next).await }
    }));
    axum::serve(listener, router).await?;
    Ok(())
}

/// Has mdBook build the book whenever it changes, and tells the pages.
fn build_when_changed(mdbook: &Path, book: &Path, hub: &Arc<Hub>) -> Result<()> {
    // Its end is tied to ours, however that comes: setpriv(1).
    Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "--"])
        .arg(mdbook)
        .arg("watch")
        .current_dir(repository())
        .spawn()
        .context("cannot run mdbook watch")?;
    let (book, hub) = (book.to_owned(), Arc::clone(hub));
    std::thread::spawn(move || tell_when_built(&book, &hub));
    Ok(())
}

/// Ties the pages to a lab, or to this machine.
fn tie(wanted: &Wanted, names: &Names) -> Result<Companion> {
    let hub = Arc::new(Hub::new());
    let mut labs = BTreeMap::new();
    let (machine, lab) = if let Some(name) = &wanted.lab {
        let hand = Arc::new(Hand::of_lab(name, &wanted.suite)?);
        for suite in RELEASES {
            let ours = suite != wanted.suite;
            let its_name = if ours {
                format!("{name}-{suite}")
            } else {
                name.clone()
            };
            let lab = Lab::new(
                &its_name,
                suite,
                ours,
                Arc::clone(&hand),
                Arc::clone(&hub),
                None,
            );
            labs.insert(suite.to_owned(), lab);
        }
        let lab = labs.get(&wanted.suite).cloned();
        let name = name.clone();
        let action = format!("run --name {name} -- scripts/watch.sh --sudo");
        let its_lab = lab.clone();
        let machine = Machine::watch(
            Which::Lab {
                name,
                suite: wanted.suite.clone(),
            },
            Arc::clone(&hub),
            move || hand.start(&action),
            move || its_lab.iter().for_each(|lab| lab.open()),
        );
        (machine, lab)
    } else {
        let watch = repository().join("scripts/watch.sh");
        let start = move || hand::start_here(&watch);
        (
            Machine::watch(Which::Here, Arc::clone(&hub), start, || {}),
            None,
        )
    };
    Ok(Companion {
        guard: Guard::new(names, "", guard::random()?),
        hub,
        machine,
        labs,
        lab,
        pages: AtomicUsize::new(0),
        seat: None,
    })
}

/// Open pages would keep a server from its end for ever, so it does not wait for them.
fn end_when_told() {
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            std::process::exit(128 + signal);
        }
    });
}

/// Tells the pages when mdBook has built the book anew: its last page is new, and stays so.
fn tell_when_built(book: &Path, hub: &Hub) {
    let built = || {
        std::fs::metadata(book.join("print.html"))
            .and_then(|file| file.modified())
            .ok()
    };
    let (mut told, mut seen) = (built(), built());
    loop {
        hub.wait_for_page();
        std::thread::sleep(Duration::from_millis(500));
        let now = built();
        if now.is_some() && now == seen && now != told {
            told = now;
            hub.happens("built", &Value::Null);
        }
        seen = now;
    }
}
