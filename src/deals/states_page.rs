//! The table of states as a page for people: `docs/DEAL-STATES.md`, printed by `deskless docs deal-states`.

use std::fmt::Write as _;

use super::states::{DealState, DealVerb, Guard, TRANSITIONS, Target, Transition};

const HEAD: &str = "\
<!-- Printed by `deskless docs deal-states` from src/deals/states.rs. Do not edit: run `make docs`. -->

# The states of a deal

A deal goes from the first figure to the closed books in one direction, and falls back to `WORKSHEET` whenever a figure changes:
what was shown or agreed is then no longer what stands. Every step asks for the version of the deal it was made on and is written
to its history. *Seller* is whoever sells in the deal's store: a salesperson, a manager, a group administrator. The last days of a
spot delivery and of a return are rows (`delivery_laws` in the rule files, `store.spot_delivery_days`).

";

/// The whole page, as committed.
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("## Steps\n\nRows with the same step and state are alternatives: the first whose conditions hold is taken.\n\n");
    out.push_str("| from | step | done with | what must hold | to | who |\n|---|---|---|---|---|---|\n");
    for row in TRANSITIONS {
        let _ = writeln!(out, "{}", step(row));
    }
    out.push_str("\n## Conditions\n\n| condition | meaning | checked today |\n|---|---|---|\n");
    for guard in Guard::ALL {
        let _ = writeln!(out, "| `{guard}` | {} | {} |", guard.meaning(), if guard.enforced() { "yes" } else { "not yet" });
    }
    out.push_str("\n## States\n\n| state | meaning | may still be signed | said as |\n|---|---|---|---|\n");
    for state in DealState::ALL {
        let open = if state.is_open() { "yes" } else { "no" };
        let _ = writeln!(out, "| `{state}` | {} | {open} | {} |", state.meaning(), state.spoken());
    }
    out.push_str("\n## Words\n\n| step | meaning |\n|---|---|\n");
    for verb in DealVerb::ALL {
        let _ = writeln!(out, "| `{verb}` | {} |", verb.meaning());
    }
    out
}

fn step(row: &Transition) -> String {
    let to = match row.to {
        Target::To(state) => format!("`{state}`"),
        Target::Stays => "stays".to_owned(),
    };
    let with = match (row.verb.mutation(), row.verb.who()) {
        (Some(name), _) => format!("`{name}`"),
        (None, Some(_)) => "by itself".to_owned(),
        (None, None) => "not offered yet".to_owned(),
    };
    format!("| {} | `{}` | {with} | {} | {to} | {} |", names(row.from), row.verb, names(row.guards), row.verb.who().unwrap_or("–"))
}

fn names(all: &[impl std::fmt::Display]) -> String {
    if all.is_empty() { "–".to_owned() } else { all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" ") }
}
