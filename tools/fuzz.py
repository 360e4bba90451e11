#!/usr/bin/env python3
"""Fuzzes the engine's whole quote input, guided by coverage, with the pinned stable toolchain.

    tools/fuzz.py SECONDS [libFuzzer's options]

libFuzzer comes with the crate libfuzzer-sys and needs a C++ compiler; what it looks at is put in by LLVM's pass of coverage, which
stable rustc runs too. No sanitizer: the engine has no unsafe code, and its debug assertions and overflow checks are on. Built is
the engine alone (engine-alone.py). It begins with quotes as they were stored (tests/replays), with the shared cases
(tests/data) as whole quotes, and with what earlier runs kept (target/fuzz/corpus)."""

import copy
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = ROOT / "target/fuzz"
HOST = "x86_64-unknown-linux-gnu" if os.uname().machine == "x86_64" else "aarch64-unknown-linux-gnu"
COVERAGE = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
]


def cents(money: str) -> int:
    return round(float(money) * 100)


def seeds() -> dict[str, dict]:
    """Whole quote inputs by name."""
    found = {}
    for path in sorted((ROOT / "tests/replays").glob("*/*.json")):
        stored = json.loads(path.read_text())
        if stored["kind"] != "INSURANCE":
            found[f"{path.parent.name}-{path.stem}"] = stored["inputs"]
    latest = max((ROOT / "tests/replays").iterdir())
    contract, lease = (json.loads((latest / f"{name}.json").read_text())["inputs"] for name in ("contract", "lease"))
    plain = {"cash_down": 0, "trade_ins": [], "deferred_down": [], "manufacturer_rebate": 0, "fees": [], "fee_waivers": [], "purse": None}
    for case in json.loads((ROOT / "tests/data/finance_variations.json").read_text())["cases"]:
        asked, kind = case["inputs"], case["kind"]
        quote = copy.deepcopy(lease if kind.startswith("lease") else contract) | copy.deepcopy(plain)
        principal = asked.get("principal") or asked.get("price") or asked.get("amount_with_fee")
        if principal:
            quote["price"] = cents(principal)
        if "term_months" in asked:
            quote["term_months"] = asked["term_months"]
        if "days_to_first_payment" in asked:
            quote["first_payment_days"] = asked["days_to_first_payment"]
        if "apr_percent" in asked and isinstance(asked["apr_percent"], str):
            quote["program"]["buy_rate"] = asked["apr_percent"]
        if "prepaid_finance_charge" in asked:
            quote["program"]["acquisition_fee"] = cents(asked["prepaid_finance_charge"])
        if "money_factor" in asked:
            quote["program"]["money_factor"] = asked["money_factor"]
        if "rate_percent" in asked:
            quote["tax_rule"]["state_rate"] = asked["rate_percent"]
        if "trade_in" in asked:
            quote["trade_ins"] = [copy.deepcopy(contract["trade_ins"][0]) | {"allowance": cents(asked["trade_in"]), "payoff": 0}]
        if kind == "level_payment" or kind.endswith("schedule_cents"):
            quote["schedule"], quote["program"]["accrual"] = "MONTHLY", "THIRTY_360"
        found[case["id"]] = quote
    return found


def main() -> int:
    seconds, options = sys.argv[1] if len(sys.argv) > 1 else "60", sys.argv[2:]
    engine, corpus, artifacts = HOME / "engine", HOME / "corpus", HOME / "artifacts"
    for folder in (HOME / "seeds", corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    for name, quote in seeds().items():
        (HOME / "seeds" / f"{name}.json").write_text(json.dumps(quote, separators=(",", ":"), sort_keys=True))
    subprocess.run([ROOT / "tools/engine-alone.py", engine], check=True)
    # With a target named, build scripts are left without the coverage.
    environment = os.environ | {"RUSTFLAGS": " ".join(COVERAGE), "CARGO_TARGET_DIR": str(HOME / "built")}
    subprocess.run(["cargo", "build", "--quiet", "--release", "--target", HOST], cwd=engine / "fuzz", env=environment, check=True)
    limits = [f"-max_total_time={seconds}", "-max_len=16384", "-timeout=5", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=1"]
    target = HOME / "built" / HOST / "release/quote"
    ran = subprocess.run([target, *limits, f"-artifact_prefix={artifacts}/", *options, corpus, HOME / "seeds"])
    if ran.returncode != 0:
        print(f"an input is in {artifacts}; again: {target} FILE", file=sys.stderr)
    return ran.returncode


sys.exit(main())
