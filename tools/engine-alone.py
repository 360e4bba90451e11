#!/usr/bin/env python3
"""Writes the engine (finance and insurance without database and API) as a crate of its own, with its tests and its bench.

    tools/engine-alone.py DIRECTORY
    cd DIRECTORY && cargo test && cargo bench
    cd DIRECTORY && cargo mutants -f 'src/finance/apr/*.rs' -f 'src/finance/tax/*.rs'
    tools/fuzz.py 60

The whole product takes minutes to build and the engine seconds: what rebuilds hundreds of times (cargo-mutants) or wants an
optimised build quickly (the bench, the fuzz target of the whole quote input) runs there. The copy is made by cutting out what touches SQL and GraphQL; a line that
cannot be cut makes the copy fail to compile, never to behave otherwise."""

import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KERNEL = ["id", "money", "rate", "rounding", "text", "token"]
# Modules that need the database or the API.
OUTSIDE = {"store", "seed", "exchange", "graphql"}
TESTS = ["finance_book", "finance_engine", "finance_rows", "finance_laws", "finance_bytes", "finance_domain", "finance_oracles", "insurance_engine"]

MANIFEST = """[package]
name = "deskless"
version = "0.0.0"
edition = "2024"
autotests = false

[workspace]

[dependencies]
chrono = { version = "0.4", default-features = false, features = ["serde", "std"] }
rust_decimal = { version = "1", default-features = false, features = ["std", "serde"] }
serde = { version = "1", features = ["derive", "rc"] }
serde_json = "1"
thiserror = "2"
unicode-normalization = "0.1"
uuid = { version = "1", features = ["serde"] }

[dev-dependencies]
criterion = { version = "0.8", default-features = false, features = ["cargo_bench_support"] }
proptest = { version = "1", default-features = false, features = ["std"] }

[[test]]
name = "engine"
path = "tests/main.rs"

[[bench]]
name = "finance"
harness = false

[profile.test]
opt-level = 1
"""

# The fuzz target, as fuzz/Cargo.toml has it, on the engine alone.
FUZZ = """[package]
name = "deskless-fuzz"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
chrono = { version = "0.4", default-features = false }
deskless = { path = ".." }
libfuzzer-sys = "0.4"
serde = "1"
serde_json = "1"
uuid = "1"

[[bin]]
name = "quote"
path = "fuzz_targets/quote.rs"
"""

# Ids are random; no figure depends on them.
SEAL = "pub mod seal { pub fn fill_random(_: &mut [u8]) {} }\n"


def without_sql(text: str) -> str:
    """Cuts derives and impl blocks of sqlx and async-graphql."""
    text = re.sub(r", ::(?:async_graphql::Enum|sqlx::Type)|, sqlx::Type", "", text)
    text = re.sub(r"#\[sqlx\(transparent\)\]|#\[graphql\(name = \$text\)\]", "", text)
    return re.sub(r"^( *)impl(?:<[^>]*>)? (?:::)?sqlx::.*?^\1\}\n", "", text, flags=re.S | re.M)


def without_outside(text: str) -> str:
    """Cuts the declarations of modules that are not copied, and what they give away."""
    for name in OUTSIDE:
        text = re.sub(rf"^(?:pub(?:\([^)]*\))? )?mod {name};\n", "", text, flags=re.M)
        text = re.sub(rf"^(?:pub(?:\([^)]*\))? )?use (?:super::)?{name}(?:::.*?)?;\n", "", text, flags=re.S | re.M)
    return text


def main() -> None:
    target = pathlib.Path(sys.argv[1])
    source = target / "src"
    for part in (source, target / "tests", target / "benches", target / "fuzz"):
        shutil.rmtree(part, ignore_errors=True)
    (source / "kernel").mkdir(parents=True)
    for name in KERNEL:
        (source / "kernel" / f"{name}.rs").write_text(without_sql((ROOT / "src/kernel" / f"{name}.rs").read_text()))
    (source / "kernel" / "mod.rs").write_text("".join(f"pub mod {name};\n" for name in KERNEL) + SEAL)
    (source / "lib.rs").write_text("pub mod kernel;\npub mod finance;\npub mod insurance;\n")
    for part in ("finance", "insurance"):
        for path in sorted((ROOT / "src" / part).rglob("*.rs")):
            relative = path.relative_to(ROOT / "src")
            if OUTSIDE & {pathlib.Path(p).stem for p in relative.parts}:
                continue
            text = without_outside(without_sql(path.read_text()))
            if relative.name == "rules.rs":
                # The service that keeps the snapshot fresh.
                text = re.sub(r"^/// [^\n]*\n(?:#\[[^\n]*\n|///[^\n]*\n)*pub struct Rules \{.*", "", text, flags=re.S | re.M)
                text = re.sub(r"^use (?:crate::db|tokio|std::time)[^\n]*\n", "", text, flags=re.M)
            if relative.as_posix() == "finance/mod.rs":
                text = text.replace("RuleRows, Rules}", "RuleRows}")
            (source / relative).parent.mkdir(parents=True, exist_ok=True)
            (source / relative).write_text(text)
    for folder in ("tests", "benches", "fuzz/fuzz_targets"):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name in TESTS:
        shutil.copy(ROOT / "tests" / f"{name}.rs", target / "tests")
    for folder in ("data", "replays"):
        shutil.copytree(ROOT / "tests" / folder, target / "tests" / folder)
    shutil.copytree(ROOT / "seeds", target / "seeds", dirs_exist_ok=True)
    shutil.copy(ROOT / "benches/finance.rs", target / "benches")
    shutil.copytree(ROOT / "fuzz/bodies", target / "fuzz/bodies")
    shutil.copy(ROOT / "fuzz/fuzz_targets/quote.rs", target / "fuzz/fuzz_targets")
    (target / "fuzz/Cargo.toml").write_text(FUZZ)
    shutil.copy(ROOT / "fuzz/Cargo.lock", target / "fuzz")
    (target / "tests/main.rs").write_text("".join(f"mod {name};\n" for name in TESTS))
    (target / "Cargo.toml").write_text(MANIFEST)
    shutil.copy(ROOT / "Cargo.lock", target)


main()
