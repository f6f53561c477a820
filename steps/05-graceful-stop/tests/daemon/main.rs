//! `hellod` at its edges, without systemd. Later steps run the same cases on their own program.

mod cases;

const HELLOD: &str = env!("CARGO_BIN_EXE_step-05");
