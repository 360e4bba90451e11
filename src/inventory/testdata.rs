//! Reads the shared test data when it is present. Tests that need it say that they skipped when it is not.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file of the shared data, or `None` (and a line on standard error) when it is not there.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = ["../shared/data", "../../shared/data"].iter().map(|up| root.join(up).join(name)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: {name} is not here");
    }
    found
}

/// Its bytes, unpacked.
pub(crate) fn bytes(name: &str) -> Option<Vec<u8>> {
    let raw = std::fs::read(path(name)?).unwrap();
    if Path::new(name).extension().is_none_or(|e| e != "gz") {
        return Some(raw);
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(raw.as_slice()).read_to_end(&mut plain).unwrap();
    Some(plain)
}

/// Its rows by column name.
pub(crate) fn csv(name: &str) -> Option<Vec<HashMap<String, String>>> {
    let bytes = bytes(name)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes.as_slice());
    Some(reader.deserialize().map(|row| row.unwrap()).collect())
}
