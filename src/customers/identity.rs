//! Is this somebody we know? Decided by fixed rules, so that the same facts always give the same answer.
//!
//! - An e-mail proven on both sides is the same person, whatever the name.
//! - The same e-mail or id, and a name that agrees or is missing: the same person.
//! - The same phone, and given and family name agree on both sides: the same person. Couples and families share phones, so a
//!   phone alone never is enough.
//! - Anything else that is shared makes a suggestion for people.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::model::{ContactKind, IncomingPerson, LinkReason};
use super::person::{NameMatch, Person};
use crate::kernel::id::CustomerId;

/// A customer who shares a contact detail with the incoming person.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Who.
    pub customer: CustomerId,
    /// Their name.
    pub person: Person,
    /// What is shared.
    pub kind: ContactKind,
    /// Both sides have proven the detail.
    pub proven: bool,
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The same person as this customer.
    Same(CustomerId, LinkReason),
    /// Somebody new, with the customers it may be.
    New(Vec<(CustomerId, LinkReason)>),
}

/// Applies the rules. The order of `candidates` does not matter.
pub fn decide(incoming: &IncomingPerson, candidates: &[Candidate]) -> Decision {
    let mut best: Option<(Strength, CustomerId, LinkReason)> = None;
    let mut shared: BTreeMap<CustomerId, LinkReason> = BTreeMap::new();
    for candidate in candidates {
        let name = incoming.person.compare_name(&candidate.person);
        let reason = reason(candidate.kind);
        shared.entry(candidate.customer).and_modify(|r| *r = (*r).min(reason)).or_insert(reason);
        let Some(basis) = basis(candidate, name) else { continue };
        let strength = Strength { basis, name, older: Reverse(candidate.customer) };
        if best.as_ref().is_none_or(|(found, ..)| strength > *found) {
            best = Some((strength, candidate.customer, reason));
        }
    }
    match best {
        Some((_, customer, reason)) => Decision::Same(customer, reason),
        None => Decision::New(shared.into_iter().collect()),
    }
}

/// Stronger grounds first, then the better name, then the older record.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Strength {
    basis: u8,
    name: NameMatch,
    older: Reverse<CustomerId>,
}

fn basis(candidate: &Candidate, name: NameMatch) -> Option<u8> {
    match (candidate.kind, candidate.proven, name) {
        (ContactKind::Email, true, _) => Some(4),
        (ContactKind::ExternalId, _, name) if name > NameMatch::Different => Some(3),
        (ContactKind::Email, false, name) if name > NameMatch::Different => Some(2),
        (ContactKind::Phone, _, NameMatch::Same | NameMatch::Compatible) => Some(1),
        _ => None,
    }
}

const fn reason(kind: ContactKind) -> LinkReason {
    match kind {
        ContactKind::Email => LinkReason::SameEmail,
        ContactKind::Phone => LinkReason::SamePhone,
        ContactKind::ExternalId => LinkReason::SameExternalId,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(name: &str) -> Person {
        Person::from_full_name(name)
    }
    fn incoming(name: &str) -> IncomingPerson {
        IncomingPerson { person: person(name), ..IncomingPerson::default() }
    }
    fn known(id: u128, name: &str, kind: ContactKind, proven: bool) -> Candidate {
        Candidate { customer: CustomerId(Uuid::from_u128(id)), person: person(name), kind, proven }
    }
    fn id(id: u128) -> CustomerId {
        CustomerId(Uuid::from_u128(id))
    }

    #[test]
    fn couples_who_share_a_phone_are_two_people() {
        let decision = decide(&incoming("Jane Smith"), &[known(1, "John Smith", ContactKind::Phone, false)]);
        assert_eq!(decision, Decision::New(vec![(id(1), LinkReason::SamePhone)]));
    }

    #[test]
    fn a_phone_without_a_full_name_only_suggests() {
        for name in ["", "John"] {
            let decision = decide(&incoming(name), &[known(1, "John Smith", ContactKind::Phone, false)]);
            assert_eq!(decision, Decision::New(vec![(id(1), LinkReason::SamePhone)]), "{name}");
        }
    }

    #[test]
    fn the_same_phone_and_name_is_one_person() {
        let decision = decide(&incoming("JOHN SMITH"), &[known(1, "John Smith", ContactKind::Phone, false)]);
        assert_eq!(decision, Decision::Same(id(1), LinkReason::SamePhone));
    }

    #[test]
    fn a_proven_email_decides_and_an_unproven_one_needs_the_name() {
        let other_name = |proven| decide(&incoming("Jane Smith"), &[known(1, "John Smith", ContactKind::Email, proven)]);
        assert_eq!(other_name(true), Decision::Same(id(1), LinkReason::SameEmail));
        assert_eq!(other_name(false), Decision::New(vec![(id(1), LinkReason::SameEmail)]));
        let nameless = decide(&incoming(""), &[known(1, "John Smith", ContactKind::Email, false)]);
        assert_eq!(nameless, Decision::Same(id(1), LinkReason::SameEmail));
    }

    #[test]
    fn among_several_the_strongest_then_the_oldest_wins_in_any_order() {
        let mut all = vec![
            known(3, "Jane Smith", ContactKind::Phone, false),
            known(2, "Jane Smith", ContactKind::Email, false),
            known(1, "J. Smith", ContactKind::Email, false),
            known(4, "Jane Smith", ContactKind::Email, false),
        ];
        for _ in 0..all.len() {
            all.rotate_left(1);
            assert_eq!(decide(&incoming("Jane Smith"), &all), Decision::Same(id(2), LinkReason::SameEmail));
        }
    }

    #[test]
    fn nobody_known_is_new() {
        assert_eq!(decide(&incoming("Jane Smith"), &[]), Decision::New(vec![]));
    }
}
