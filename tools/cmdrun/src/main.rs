//! An mdBook preprocessor that runs the `cmdrun` comments of a book through [mdbook-cmdrun].
//!
//! mdbook-cmdrun 0.7.3 cannot be used by mdBook directly, for two reasons. It reads a book only as
//! mdBook 0.4 writes it, with `sections` where 0.5 has `items`. And when a command fails, it puts
//! `**cmdrun error**` into the page and lets the build pass. This program reads both formats, leaves
//! each command to mdbook-cmdrun, and ends the build at the first that fails.
//!
//! [mdbook-cmdrun]: https://docs.rs/mdbook-cmdrun

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use mdbook_cmdrun::CmdRun;
use regex::{Captures, Regex};
use serde_json::Value;

fn main() -> ExitCode {
    // `cmdrun supports html`: mdBook asks first, and exit code 0 is a yes.
    if env::args().nth(1).as_deref() == Some("supports") {
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cmdrun: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Reads `[context, book]` from standard input and writes the book back, with its commands run.
fn run() -> Result<()> {
    let (context, mut book): (Value, Value) = serde_json::from_reader(io::stdin())
        .context("standard input is not what mdBook sends to a preprocessor")?;
    let root = context["root"]
        .as_str()
        .context("mdBook did not say where the book is")?;
    let source = context["config"]["book"]["src"].as_str().unwrap_or("src");

    // mdBook 0.5 calls them items, mdBook 0.4 called them sections.
    let items = ["items", "sections"]
        .into_iter()
        .find(|name| book[name].is_array())
        .context("the book has neither `items` nor `sections`: a new format of mdBook?")?;
    run_items(&mut book[items], &Path::new(root).join(source))?;

    serde_json::to_writer(io::stdout(), &book)?;
    Ok(())
}

/// Runs the commands of all chapters in a list of items, and of the chapters below them.
fn run_items(items: &mut Value, source: &Path) -> Result<()> {
    for item in items.as_array_mut().into_iter().flatten() {
        // Separators and part titles have no commands.
        let Some(chapter) = item.get_mut("Chapter") else {
            continue;
        };
        let folder = match chapter["path"]
            .as_str()
            .map(Path::new)
            .and_then(Path::parent)
        {
            Some(parent) => source.join(parent),
            None => PathBuf::from(source),
        };
        if let Some(content) = chapter["content"].as_str() {
            let content = run_content(content, &folder)
                .with_context(|| format!("in the chapter {}", chapter["name"]))?;
            chapter["content"] = content.into();
        }
        run_items(&mut chapter["sub_items"], source)?;
    }
    Ok(())
}

/// Runs each command of a chapter's text in `folder`, and puts what it prints in its place.
fn run_content(content: &str, folder: &Path) -> Result<String> {
    let folder = folder.to_str().context("the book's path is not UTF-8")?;
    // The comments that mdbook-cmdrun looks for, each with its line end if it has one.
    let comment = Regex::new(r"<!--[ ]*cmdrun (.*?)-->(\r?\n)?")?;

    let mut failed = None;
    let content = comment.replace_all(content, |found: &Captures| {
        run_comment(found, folder).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            String::new()
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(content.into_owned()),
    }
}

fn run_comment(comment: &Captures, folder: &str) -> Result<String> {
    let command = comment[1].trim();
    // Without an exit code to expect, mdbook-cmdrun takes any failure for a success.
    if !Regex::new(r"^(-\d+|--strict|--expect-return-code \d+) +\S")?.is_match(command) {
        bail!(
            "'cmdrun {command}' has to be an expected exit code and a command, as in 'cmdrun -0 date'"
        );
    }
    let output = CmdRun::run_on_content(&comment[0], folder)
        .with_context(|| format!("'cmdrun {command}' could not be run in {folder}"))?;
    match output.strip_prefix("**cmdrun error**: ") {
        Some(error) => bail!("'cmdrun {command}' failed: {}", error.trim_end()),
        None => Ok(output),
    }
}
