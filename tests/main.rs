//! One binary for all tests that need a database or the program: they share its start-up.
mod embedded;
