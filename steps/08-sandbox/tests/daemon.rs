//! `hellod` at its edges, without systemd. The cases are those of step 05.

#[path = "../../05-graceful-stop/tests/daemon/cases.rs"]
mod cases;

const HELLOD: &str = env!("CARGO_BIN_EXE_step-08");
