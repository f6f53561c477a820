//! The terminal sessions of the chapters: what is typed, how it is typed, and what may differ in what comes back.
//!
//! Two programs stand on this. `session` records the sessions and replays them, each in a lab of its own;
//! the companion of the served book plays their parts in the reader's lab.

pub mod compare;
pub mod normal;
pub mod play;
pub mod script;
pub mod steps;
pub mod terminal;
