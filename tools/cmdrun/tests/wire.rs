//! The adapter as mdBook calls it: JSON in, JSON out, an exit code.

use std::error::Error;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

type Outcome = Result<(), Box<dyn Error>>;

/// A book with one chapter, and one below it, in the format that calls its items `items`.
fn book(items: &str, content: &str, nested: &str) -> Value {
    json!({ items: [
        { "PartTitle": "Part" },
        "Separator",
        { "Chapter": {
            "name": "Outer", "content": content, "path": "outer.md", "sub_items": [
                { "Chapter": { "name": "Inner", "content": nested, "path": "deep/inner.md", "sub_items": [] } }
            ]
        } }
    ] })
}

fn cmdrun(book: &Value) -> Result<Output, Box<dyn Error>> {
    let root = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("a book");
    std::fs::create_dir_all(root.join("src/deep"))?;
    let context =
        json!({ "root": root, "config": { "book": { "src": "src" } }, "renderer": "html" });
    let mut child = Command::new(env!("CARGO_BIN_EXE_cmdrun"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    stdin.write_all(json!([context, book]).to_string().as_bytes())?;
    drop(stdin);
    Ok(child.wait_with_output()?)
}

fn contents(output: &Output, items: &str) -> Result<(String, String), Box<dyn Error>> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let book: Value = serde_json::from_slice(&output.stdout)?;
    let outer = &book[items][2]["Chapter"];
    let inner = &outer["sub_items"][0]["Chapter"];
    Ok((
        outer["content"].as_str().unwrap_or_default().to_owned(),
        inner["content"].as_str().unwrap_or_default().to_owned(),
    ))
}

/// What the adapter says when it fails.
fn complaint(content: &str, nested: &str) -> Result<String, Box<dyn Error>> {
    let output = cmdrun(&book("items", content, nested))?;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output.stdout.is_empty(),
        "a failed book must not be written"
    );
    Ok(String::from_utf8(output.stderr)?)
}

#[test]
fn reads_both_formats_and_nested_chapters() -> Outcome {
    for items in ["items", "sections"] {
        let output = cmdrun(&book(
            items,
            "<!-- cmdrun -0 echo one -->\nend",
            "a <!-- cmdrun -0 basename \"$PWD\" --> b",
        ))?;
        let (outer, inner) = contents(&output, items)?;
        assert_eq!(outer, "one\nend", "{items}");
        assert_eq!(
            inner, "a deep b",
            "{items}: each command runs in its chapter's folder"
        );
    }
    Ok(())
}

#[test]
fn leaves_a_book_without_commands_alone() -> Outcome {
    let text = "# Title\n\n<!-- a comment -->\n\n```console\n$ ls\n```\n";
    let (outer, inner) = contents(&cmdrun(&book("items", text, ""))?, "items")?;
    assert_eq!((outer.as_str(), inner.as_str()), (text, ""));
    Ok(())
}

#[test]
fn accepts_the_exit_code_that_is_expected() -> Outcome {
    let (outer, _) = contents(
        &cmdrun(&book(
            "items",
            "<!-- cmdrun -1 echo differs; exit 1 -->\n",
            "",
        ))?,
        "items",
    )?;
    assert_eq!(outer, "differs\n");
    Ok(())
}

#[test]
fn names_the_chapter_and_the_command_that_failed() -> Outcome {
    let said = complaint("fine", "<!-- cmdrun -0 echo why >&2; exit 3 -->\n")?;
    for part in ["Inner", "echo why", "3 instead of 0"] {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
    assert!(complaint("<!-- cmdrun -0 no-such-command -->", "")?.contains("no-such-command"));
    assert!(complaint("<!-- cmdrun -0 kill -9 $$ -->", "")?.contains("kill -9"));
    Ok(())
}

#[test]
fn refuses_a_command_that_expects_no_exit_code() -> Outcome {
    let said = complaint("<!-- cmdrun echo one -->\n", "")?;
    assert!(said.contains("'cmdrun echo one' has to be"), "{said:?}");
    assert!(complaint("<!-- cmdrun -x echo one -->\n", "")?.contains("-x echo one"));
    Ok(())
}

#[test]
fn refuses_no_command() -> Outcome {
    assert!(complaint("<!-- cmdrun -0 -->\n", "")?.contains("'cmdrun -0' has to be"));
    assert!(complaint("<!-- cmdrun -->\n", "")?.contains("'cmdrun ' has to be"));
    Ok(())
}

#[test]
fn says_so_when_it_is_not_called_by_mdbook() -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cmdrun"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    assert_eq!(child.wait()?.code(), Some(1));
    let supports = Command::new(env!("CARGO_BIN_EXE_cmdrun"))
        .args(["supports", "html"])
        .status()?;
    assert!(supports.success());
    Ok(())
}
