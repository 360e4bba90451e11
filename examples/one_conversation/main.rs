//! x
mod client;
fn main() {}
