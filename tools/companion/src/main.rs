//! The companion: serves the built book, and ties its pages to one machine.
//!
//! It looks at that machine with `scripts/watch.sh`, and if it is a lab, plays the blocks of the chapters in it and
//! lends its terminal to the page. It is started by `scripts/serve.sh`; how page, companion and lab talk is in
//! `CONTRIBUTING.md`.

mod guard;
mod hand;
mod hub;
mod lab;
mod machine;
mod pages;
mod screen;
mod socket;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::routing::get;
use serde_json::Value;
use session::steps::repository;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::net::TcpListener;

use guard::Guard;
use hand::Hand;
use hub::Hub;
use lab::Lab;
use machine::{Machine, Which};
use socket::Companion;

/// The releases that the book was tried on; the first is the one whose answers it shows.
const RELEASES: [&str; 3] = ["trixie", "bookworm", "forky"];

const USAGE: &str = "\
Usage: companion [--host HOST] [--port PORT] [--lab NAME [--suite SUITE]] [--watch MDBOOK] [--open]

Started by scripts/serve.sh, which says what these mean. --watch has this mdbook build the book when it changes.
";

/// What is asked for on the command line.
struct Wanted {
    host: String,
    port: u16,
    lab: Option<String>,
    suite: String,
    mdbook: Option<PathBuf>,
    open: bool,
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
            eprintln!("serve.sh: {error:#}");
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
            other => bail!("there is no {other} here"),
        }
    }
    // Those of the other releases have theirs in their names, and lab.sh takes 31 letters.
    if wanted.lab.as_ref().is_some_and(|name| name.len() > 22) {
        bail!("the name of a lab that is served has 22 letters at most");
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
    let companion = Arc::new(tie(wanted, port)?);
    end_when_told();

    let book = repository().join("target/book");
    if let Some(mdbook) = &wanted.mdbook {
        // Its end is tied to ours, however that comes: setpriv(1).
        Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(mdbook)
            .arg("watch")
            .current_dir(repository())
            .spawn()
            .context("cannot run mdbook watch")?;
        let (book, hub) = (book.clone(), Arc::clone(&companion.hub));
        std::thread::spawn(move || tell_when_built(&book, &hub));
    }

    let address = companion.guard.address(host, port);
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

    let guard = Arc::clone(&companion);
    let app = Router::new()
        .route("/live", get(socket::open))
        .with_state(companion)
        .fallback_service(pages::router(book))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let guard = Arc::clone(&guard);
            async move { guard.guard.let_in(request, next).await }
        }));
    axum::serve(listener, app).await?;
    Ok(())
}

/// Ties the pages to a lab, or to this machine.
fn tie(wanted: &Wanted, port: u16) -> Result<Companion> {
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
            let lab = Lab::new(&its_name, suite, ours, Arc::clone(&hand), Arc::clone(&hub));
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
        guard: Guard::new(&wanted.host, port)?,
        hub,
        machine,
        labs,
        lab,
        pages: AtomicUsize::new(0),
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
