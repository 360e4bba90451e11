//! Which wishes count, and where they speak against each other. Pure: the time is an argument.
//!
//! Stated beats observed, observed beats inferred. A contradiction is shown, never resolved silently.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};

use super::preference::{Preference, PreferenceAttribute as A, PreferenceBehaviour, PreferenceKind, PreferenceOperator as Op};
use super::wish::{Wish, say};
use crate::kernel::id::PreferenceId;

/// How often something must be observed before it speaks against what was said. Once may be a slip.
pub const NOTEWORTHY: i32 = 2;

crate::text_enum! {
    /// What speaks against what.
    pub enum ContradictionKind {
        /// The customer did something else than they said.
        StatedObserved = "STATED_OBSERVED",
        /// The customer said something else later.
        StatedLater = "STATED_LATER",
        /// Two wishes that no vehicle can meet together.
        Impossible = "IMPOSSIBLE",
    }
}

/// Two wishes that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What speaks against what.
    pub kind: ContradictionKind,
    /// The stated wish; of two stated ones the earlier.
    pub stated: PreferenceId,
    /// The wish that speaks against it.
    pub against: PreferenceId,
    /// For reading aloud: "Said at most $450 a month; built $520 a month twice."
    pub sentence: String,
}

/// The wishes that count now: live, newest per bound, and no observed or inferred one where a stated one speaks.
/// Sorted by attribute, operator and value, so that equal sets give equal lists.
pub fn effective(preferences: &[Preference], now: DateTime<Utc>) -> Vec<&Preference> {
    let mut live: Vec<&Preference> = preferences.iter().filter(|p| p.is_live(now)).collect();
    // Strongest first: by kind, then by time, then by how often.
    live.sort_by_key(|p| (Reverse(p.kind.rank()), Reverse(p.at), Reverse(p.occurrences), Reverse(p.id)));
    let mut chosen: Vec<&Preference> = Vec::new();
    for candidate in live {
        let beaten = chosen.iter().any(|strong| beats(strong, candidate));
        if !beaten {
            chosen.push(candidate);
        }
    }
    chosen.sort_by_key(|p| (p.wish.attribute(), p.wish.operator(), p.wish.value().to_owned(), p.id));
    chosen
}

/// Whether `strong` (already chosen, of equal or higher rank or newer) silences `weak`.
fn beats(strong: &Preference, weak: &Preference) -> bool {
    let (s, w) = (&strong.wish, &weak.wish);
    if s.attribute() != w.attribute() {
        return false;
    }
    let same_bound = s.operator() == w.operator();
    let ordered = s.number().is_some();
    if strong.kind != weak.kind {
        // What was said on the same point, or what contradicts it.
        return same_bound && s.operator() != Op::IsNot || !compatible(s, w) || (ordered && w.operator() == Op::Is);
    }
    if ordered {
        // A newer figure replaces the older one for the same bound; an exact figure replaces any older bound and the reverse.
        return same_bound || s.operator() == Op::Is || w.operator() == Op::Is || !compatible(s, w);
    }
    // Names: alternatives stand beside each other; the same again is one; "not X" later beats "X" before.
    s.key() == w.key()
}

/// Whether one vehicle can meet both.
fn compatible(a: &Wish, b: &Wish) -> bool {
    if a.attribute() != b.attribute() {
        return true;
    }
    match (a.number(), b.number()) {
        (Some(x), Some(y)) => match (a.operator(), b.operator()) {
            (Op::AtMost, Op::AtLeast | Op::Is) => y <= x,
            (Op::AtLeast, Op::AtMost | Op::Is) => y >= x,
            (Op::Is, Op::AtMost) => x <= y,
            (Op::Is, Op::AtLeast) => x >= y,
            (Op::Is, Op::Is) => x == y,
            _ => true,
        },
        _ => match (a.operator(), b.operator()) {
            (Op::Is, Op::IsNot) | (Op::IsNot, Op::Is) => a.key() != b.key(),
            // A vehicle has one make, but many features.
            (Op::Is, Op::Is) if a.attribute() != A::Feature => a.key() == b.key(),
            _ => true,
        },
    }
}

/// Everything that does not go together, in a fixed order.
pub fn contradictions(preferences: &[Preference], now: DateTime<Utc>) -> Vec<Contradiction> {
    let live: Vec<&Preference> = preferences.iter().filter(|p| p.is_live(now)).collect();
    let mut found = Vec::new();
    stated_against_observed(&live, &effective(preferences, now), &mut found);
    stated_against_later(&live, now, &mut found);
    found.sort_by_key(|c| (c.kind, c.stated, c.against));
    found
}

fn stated_against_observed(live: &[&Preference], counting: &[&Preference], found: &mut Vec<Contradiction>) {
    let mut attributes: BTreeMap<A, Vec<&Preference>> = BTreeMap::new();
    for p in counting.iter().filter(|p| p.kind == PreferenceKind::Stated) {
        attributes.entry(p.wish.attribute()).or_default().push(p);
    }
    for (attribute, stated) in attributes {
        let observed = live.iter().filter(|p| p.kind == PreferenceKind::Observed && p.wish.attribute() == attribute);
        // One line per stated bound and thing done: "built $520 to $540 a month 3 times".
        let mut groups: BTreeMap<(usize, Option<PreferenceBehaviour>), Vec<&Preference>> = BTreeMap::new();
        for seen in observed {
            if let Some(at) = contradicted(&stated, &seen.wish) {
                groups.entry((at, seen.behaviour)).or_default().push(seen);
            }
        }
        for ((at, behaviour), mut group) in groups {
            let times: i32 = group.iter().map(|p| p.occurrences).fold(0, i32::saturating_add);
            if times < NOTEWORTHY {
                continue;
            }
            let Some(said) = stated.get(at) else { continue };
            group.sort_by_key(|p| (Reverse(p.occurrences), Reverse(p.at), p.id));
            let Some(strongest) = group.first() else { continue };
            let verb = behaviour.map_or("showed interest in", PreferenceBehaviour::verb);
            let sentence = format!("Said {}; {verb} {} {}.", said_all(&stated, said), seen_values(attribute, &group), count_word(times));
            found.push(Contradiction { kind: ContradictionKind::StatedObserved, stated: said.id, against: strongest.id, sentence });
        }
    }
}

/// Whether what somebody did speaks against what they said. Two bounds of one kind can be met together, but who said "at most $450"
/// and builds for $520 goes beyond what they said.
fn speaks_against(stated: &Wish, seen: &Wish) -> bool {
    let beyond = match (stated.operator(), seen.operator(), stated.number(), seen.number()) {
        (Op::AtMost, Op::AtMost, Some(said), Some(done)) => done > said,
        (Op::AtLeast, Op::AtLeast, Some(said), Some(done)) => done < said,
        _ => false,
    };
    beyond || !compatible(stated, seen)
}

/// The stated wish that `seen` speaks against, if any. Alternatives ("Toyota or Honda") are contradicted only together.
fn contradicted(stated: &[&Preference], seen: &Wish) -> Option<usize> {
    let alternatives = || stated.iter().enumerate().filter(|(_, p)| p.wish.operator() == Op::Is && p.wish.number().is_none());
    let outside = alternatives().next().is_some() && seen.operator() == Op::Is && alternatives().all(|(_, p)| !compatible(&p.wish, seen));
    if outside {
        return alternatives().map(|(at, _)| at).next();
    }
    let is_alternative = |p: &Preference| p.wish.operator() == Op::Is && p.wish.number().is_none() && seen.operator() == Op::Is;
    stated.iter().position(|p| !is_alternative(p) && speaks_against(&p.wish, seen))
}

fn said_all(stated: &[&Preference], said: &Preference) -> String {
    if said.wish.operator() != Op::Is || said.wish.number().is_some() {
        return said.wish.describe();
    }
    let mut all: Vec<&&Preference> = stated.iter().filter(|p| p.wish.operator() == Op::Is).collect();
    all.sort_by_key(|p| (p.at, p.id));
    all.iter().map(|p| p.wish.describe()).collect::<Vec<_>>().join(" or ")
}

fn seen_values(attribute: A, group: &[&Preference]) -> String {
    let numbers: Vec<i64> = group.iter().filter_map(|p| p.wish.number()).collect();
    match (numbers.iter().min(), numbers.iter().max()) {
        (Some(low), Some(high)) if low != high => {
            let low = say(attribute, Some(*low), "");
            let bare = low.split(' ').next().unwrap_or("").to_owned();
            format!("{bare} to {}", say(attribute, Some(*high), ""))
        }
        _ => {
            let mut values: Vec<String> = group.iter().map(|p| p.wish.say_value()).collect();
            values.dedup();
            values.join(", ")
        }
    }
}

fn count_word(times: i32) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// "2 Nov"; with the year where it is not the present one.
fn day_of(at: DateTime<Utc>, now: DateTime<Utc>) -> impl std::fmt::Display {
    at.format(if at.year() == now.year() { "%-d %b" } else { "%-d %b %Y" })
}

fn stated_against_later(live: &[&Preference], now: DateTime<Utc>, found: &mut Vec<Contradiction>) {
    let mut stated: Vec<&&Preference> = live.iter().filter(|p| p.kind == PreferenceKind::Stated).collect();
    stated.sort_by_key(|p| (p.at, p.id));
    for (at, later) in stated.iter().enumerate() {
        // The newest earlier wish that the later one changes; older ones were shown against that one.
        let earlier = stated.iter().take(at).rev().find(|p| changes(&p.wish, &later.wish));
        if let Some(earlier) = earlier {
            let impossible = earlier.wish.operator() != later.wish.operator() && earlier.wish.number().is_some();
            let kind = if impossible { ContradictionKind::Impossible } else { ContradictionKind::StatedLater };
            let sentence = format!(
                "Said {} on {}; said {} on {}.",
                earlier.wish.describe(),
                day_of(earlier.at, now),
                later.wish.describe(),
                day_of(later.at, now)
            );
            found.push(Contradiction { kind, stated: earlier.id, against: later.id, sentence });
        }
    }
}

fn changes(earlier: &Wish, later: &Wish) -> bool {
    if earlier.attribute() != later.attribute() {
        return false;
    }
    match (earlier.number(), later.number()) {
        (Some(x), Some(y)) => (earlier.operator() == later.operator() && x != y) || !compatible(earlier, later),
        // Two names are alternatives; only "X" against "not X" is a change.
        _ => earlier.operator() != later.operator() && earlier.key() == later.key(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::preference::PreferenceImportance;
    use crate::kernel::id::{CustomerId, StoreId};
    use chrono::{Duration, TimeZone};
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn day(n: i64) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 1, 10, 0, 0).unwrap() + Duration::days(n)
    }

    fn wish(id: u128, a: A, op: Op, raw: &str, kind: PreferenceKind, on: i64) -> Preference {
        Preference {
            id: PreferenceId(Uuid::from_u128(id)),
            customer_id: CustomerId(Uuid::nil()),
            store_id: StoreId(Uuid::nil()),
            wish: Wish::parse(a, op, raw).unwrap(),
            importance: PreferenceImportance::Should,
            kind,
            channel: "STORE".into(),
            behaviour: None,
            occurrences: 1,
            confidence: Decimal::ONE,
            source_event_id: None,
            source_lead_id: None,
            heard_by: None,
            heard_by_name: None,
            consent_id: None,
            at: day(on),
            expires_at: None,
            withdrawn_at: None,
        }
    }
    fn seen(id: u128, a: A, raw: &str, behaviour: PreferenceBehaviour, times: i32) -> Preference {
        Preference { behaviour: Some(behaviour), occurrences: times, ..wish(id, a, Op::Is, raw, PreferenceKind::Observed, 2) }
    }
    fn said(id: u128, a: A, op: Op, raw: &str, on: i64) -> Preference {
        wish(id, a, op, raw, PreferenceKind::Stated, on)
    }
    fn sentences(all: &[Preference]) -> Vec<String> {
        contradictions(all, day(9)).into_iter().map(|c| c.sentence).collect()
    }
    fn counting(all: &[Preference]) -> Vec<u128> {
        effective(all, day(9)).iter().map(|p| p.id.0.as_u128()).collect()
    }

    #[test]
    fn said_one_payment_and_built_another() {
        let all = [said(1, A::MonthlyPayment, Op::AtMost, "450", 1), seen(2, A::MonthlyPayment, "520", PreferenceBehaviour::Built, 2)];
        let found = contradictions(&all, day(9));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].sentence, "Said at most $450 a month; built $520 a month twice.");
        assert_eq!((found[0].stated, found[0].against), (all[0].id, all[1].id));
        assert_eq!(counting(&all), [1]);
    }

    /// Channels tell a payment that was built and a price that was searched as "at most".
    #[test]
    fn bounds_beyond_what_was_said_are_contradictions() {
        let at_most = |id, a, raw: &str, did, times| {
            let seen = Preference { wish: Wish::parse(a, Op::AtMost, raw).unwrap(), ..seen(id, a, raw, did, times) };
            [said(1, a, Op::AtMost, "450", 1), seen]
        };
        let (built, searched) = (PreferenceBehaviour::Built, PreferenceBehaviour::Searched);
        assert_eq!(sentences(&at_most(2, A::MonthlyPayment, "520", built, 2)), ["Said at most $450 a month; built $520 a month twice."]);
        assert_eq!(sentences(&at_most(2, A::Price, "450.01", searched, 3)), ["Said at most $450; searched for $450.01 3 times."]);
        assert!(sentences(&at_most(2, A::MonthlyPayment, "450", built, 9)).is_empty());
        assert!(sentences(&at_most(2, A::MonthlyPayment, "380", built, 9)).is_empty());
        // The other way round: newer cars asked for than looked at.
        let year = |done: &str| {
            let seen =
                Preference { wish: Wish::parse(A::ModelYear, Op::AtLeast, done).unwrap(), ..seen(2, A::ModelYear, done, searched, 2) };
            sentences(&[said(1, A::ModelYear, Op::AtLeast, "2020", 1), seen])
        };
        assert_eq!(year("2018"), ["Said 2020 or newer; searched for 2018 twice."]);
        assert!(year("2021").is_empty());
    }

    #[test]
    fn a_day_of_another_year_says_the_year() {
        let all = [said(1, A::Price, Op::AtMost, "30k", -400), said(2, A::Price, Op::AtMost, "25k", 3)];
        assert_eq!(sentences(&all), ["Said at most $30,000 on 27 Sep 2025; said at most $25,000 on 4 Nov."]);
    }

    #[test]
    fn once_is_no_contradiction_and_within_the_bound_neither() {
        assert!(
            sentences(&[
                said(1, A::MonthlyPayment, Op::AtMost, "450", 1),
                seen(2, A::MonthlyPayment, "520", PreferenceBehaviour::Built, 1)
            ])
            .is_empty()
        );
        assert!(
            sentences(&[
                said(1, A::MonthlyPayment, Op::AtMost, "450", 1),
                seen(2, A::MonthlyPayment, "430", PreferenceBehaviour::Built, 9)
            ])
            .is_empty()
        );
    }

    #[test]
    fn several_figures_are_gathered_into_one_sentence() {
        let all = [
            said(1, A::MonthlyPayment, Op::AtMost, "450", 1),
            seen(2, A::MonthlyPayment, "520", PreferenceBehaviour::Built, 1),
            seen(3, A::MonthlyPayment, "540", PreferenceBehaviour::Built, 2),
            seen(4, A::MonthlyPayment, "400", PreferenceBehaviour::Built, 1),
        ];
        assert_eq!(sentences(&all), ["Said at most $450 a month; built $520 to $540 a month 3 times."]);
    }

    #[test]
    fn alternatives_are_contradicted_only_together() {
        let mut all = vec![
            said(1, A::Make, Op::Is, "Toyota", 1),
            said(2, A::Make, Op::Is, "Honda", 1),
            seen(3, A::Make, "Honda", PreferenceBehaviour::Viewed, 5),
        ];
        assert!(sentences(&all).is_empty());
        all.push(seen(4, A::Make, "Ford", PreferenceBehaviour::Saved, 3));
        assert_eq!(sentences(&all), ["Said Toyota or Honda; saved Ford 3 times."]);
    }

    #[test]
    fn said_no_and_looked_anyway() {
        let all = [said(1, A::BodyStyle, Op::IsNot, "pickup", 1), seen(2, A::BodyStyle, "pickup", PreferenceBehaviour::Viewed, 4)];
        assert_eq!(sentences(&all), ["Said not a pickup; looked at a pickup 4 times."]);
        assert_eq!(counting(&all), [1]);
    }

    #[test]
    fn said_another_figure_later() {
        let all = [said(1, A::Price, Op::AtMost, "30k", 1), said(2, A::Price, Op::AtMost, "25k", 3)];
        assert_eq!(sentences(&all), ["Said at most $30,000 on 2 Nov; said at most $25,000 on 4 Nov."]);
        assert_eq!(counting(&all), [2]);
        let range = [said(1, A::Price, Op::AtMost, "20k", 1), said(2, A::Price, Op::AtLeast, "25k", 3)];
        assert_eq!(contradictions(&range, day(9))[0].kind, ContradictionKind::Impossible);
        assert_eq!(counting(&range), [2]);
    }

    #[test]
    fn withdrawn_and_expired_wishes_do_not_count() {
        let mut gone = said(1, A::Price, Op::AtMost, "30k", 1);
        gone.withdrawn_at = Some(day(2));
        let mut over = said(2, A::Price, Op::AtMost, "20k", 1);
        over.expires_at = Some(day(9));
        let all = [gone, over, said(3, A::Price, Op::AtMost, "25k", 3)];
        assert_eq!(counting(&all), [3]);
        assert!(sentences(&all).is_empty());
    }

    #[test]
    fn observed_counts_where_nothing_was_said_and_inferred_where_nothing_was_observed() {
        let inferred = wish(5, A::Make, Op::Is, "Kia", PreferenceKind::Inferred, 8);
        let all = [
            said(1, A::Price, Op::AtMost, "30k", 1),
            seen(2, A::BodyStyle, "SUV", PreferenceBehaviour::Viewed, 5),
            seen(3, A::Make, "Ford", PreferenceBehaviour::Viewed, 1),
            inferred,
        ];
        assert_eq!(counting(&all), [3, 2, 1]);
    }

    fn any_preference() -> impl Strategy<Value = Preference> {
        let numbers =
            (prop_oneof![Just(A::Price), Just(A::MonthlyPayment)], prop_oneof![Just(Op::AtMost), Just(Op::AtLeast), Just(Op::Is)], 1..9u32)
                .prop_map(|(a, op, n)| (a, op, (n * 100).to_string()));
        let names = (prop_oneof![Just(Op::Is), Just(Op::IsNot)], prop_oneof![Just("Ford"), Just("Kia"), Just("BMW")])
            .prop_map(|(op, v)| (A::Make, op, v.to_owned()));
        (prop_oneof![numbers, names], 0..3usize, 1..4i32, 0..8i64, any::<u32>()).prop_map(|((a, op, v), kind, times, on, id)| {
            let kind = PreferenceKind::ALL[kind];
            let behaviour = (kind != PreferenceKind::Stated).then_some(PreferenceBehaviour::Viewed);
            Preference { occurrences: times, behaviour, ..wish(u128::from(id), a, op, &v, kind, on) }
        })
    }

    proptest! {
        #[test]
        fn order_of_rows_does_not_matter(mut all in proptest::collection::vec(any_preference(), 0..12), seed in any::<u64>()) {
            all.sort_by_key(|p| p.id);
            all.dedup_by_key(|p| p.id);
            let mut shuffled = all.clone();
            let n = shuffled.len();
            for i in 1..n {
                let j = usize::try_from(seed.rotate_left(u32::try_from(i).unwrap()) % u64::try_from(i + 1).unwrap()).unwrap();
                shuffled.swap(i, j);
            }
            prop_assert_eq!(counting(&all), counting(&shuffled));
            prop_assert_eq!(contradictions(&all, day(9)), contradictions(&shuffled, day(9)));
        }

        #[test]
        fn stated_is_never_silenced_by_less(all in proptest::collection::vec(any_preference(), 0..12)) {
            let stated: Vec<Preference> = all.iter().filter(|p| p.kind == PreferenceKind::Stated).cloned().collect();
            let alone: BTreeSet<PreferenceId> = effective(&stated, day(9)).iter().map(|p| p.id).collect();
            let within: BTreeSet<PreferenceId> = effective(&all, day(9)).iter().filter(|p| p.kind == PreferenceKind::Stated).map(|p| p.id).collect();
            prop_assert_eq!(alone, within);
        }
    }
}
