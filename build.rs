//! Makes sure that the folder with the bundled GraphiQL exists, so that the server builds on a machine without Node, and that
//! the crate is built again when the bundle or a migration changes.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=migrations");
    let dist = Path::new("web/dist");
    if let Err(error) = std::fs::create_dir_all(dist) {
        println!("cargo:warning=web/dist cannot be created ({error}); /graphiql will say how to build it");
    }
}
