//! The customers of the demo: fictional people and what they want.

use super::dice::Dice;
use super::group::DemoStore;
use super::lot::Unit;

/// Customers of all stores together.
pub const CUSTOMERS: u64 = 400;

const GIVEN: [&str; 40] = [
    "Ada", "Amara", "Andre", "Beatriz", "Bo", "Camille", "Carlos", "Chidi", "Dalia", "Devon", "Elise", "Farah", "Felix", "Gwen", "Hana",
    "Hugo", "Imani", "Ivo", "Jada", "Jonas", "Kaia", "Kenji", "Leila", "Luca", "Mei", "Milo", "Nadia", "Nils", "Odette", "Omar", "Petra",
    "Quinn", "Rosa", "Samir", "Tessa", "Tuan", "Una", "Victor", "Wanda", "Yusuf",
];
const FAMILY: [&str; 40] = [
    "Alder",
    "Amsel",
    "Baptiste",
    "Bellweather",
    "Brandt",
    "Calloway",
    "Castellano",
    "Dahl",
    "Delacroix",
    "Eastwick",
    "Ferro",
    "Galloway",
    "Hathersage",
    "Holm",
    "Ibarra",
    "Jansen",
    "Kapoor",
    "Kowal",
    "Lachance",
    "Lindgren",
    "Marlowe",
    "Mbeki",
    "Navarro",
    "Nkemelu",
    "Oakhurst",
    "Okonjo",
    "Pemberton",
    "Quiroga",
    "Rask",
    "Romero",
    "Sandoval",
    "Sorensen",
    "Tanaka",
    "Thackeray",
    "Ueda",
    "Vance",
    "Wexler",
    "Yamada",
    "Zielinski",
    "Zamora",
];
const CHANNELS: [&str; 4] = ["Harbor web site", "CarFinder", "AutoMarket", "Harbor app"];
const NOTES: [&str; 8] = [
    "Is it still available? I can come by on Saturday.",
    "Looking for something for the family, need room for two child seats.",
    "Long commute, fuel economy matters most to me.",
    "My lease ends next month.",
    "Can you give me your best price including all fees?",
    "I would like to trade in my old car.",
    "Interested in tire and wheel cover, the roads here are terrible.",
    "Please send me the monthly payment with little money down.",
];

/// A customer and the wish their lead carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Number within the group, from 0.
    pub number: u64,
    /// Given name.
    pub given: &'static str,
    /// Family name.
    pub family: &'static str,
    /// Mail address under `example.com`.
    pub email: String,
    /// Telephone in E.164, of the fictional range.
    pub phone: String,
    /// ZIP code.
    pub postal_code: &'static str,
    /// The car on the lot that caught their eye.
    pub car: usize,
    /// Most they want to pay a month, whole dollars.
    pub monthly_max: Option<i64>,
    /// Most they want to pay, whole dollars.
    pub price_max: i64,
    /// The colour they asked for.
    pub color: Option<&'static str>,
    /// What they wrote.
    pub note: &'static str,
    /// Where the lead comes from.
    pub channel: &'static str,
    /// Days since the lead came.
    pub days_ago: i64,
    /// A car they would trade in: year, make, model, miles.
    pub trade: Option<(i64, &'static str, &'static str, i64)>,
    /// How many times the web site saw them build a payment above their monthly wish.
    pub built_above: i64,
    /// Cars they looked at on the web site.
    pub views: i64,
}

/// The customers of store number `store` of `stores`, looking at `lot`.
pub fn people(store: u64, stores: u64, at: &DemoStore, lot: &[Unit]) -> Vec<Person> {
    (0..CUSTOMERS).filter(|n| n.checked_rem(stores) == Some(store)).filter_map(|n| person(n, stores, at, lot)).collect()
}

fn person(number: u64, stores: u64, at: &DemoStore, lot: &[Unit]) -> Option<Person> {
    let mut dice = Dice::new("people", number);
    let given = dice.word(&GIVEN);
    let family = dice.word(&FAMILY);
    // 100 fictional numbers per area code; every 40th customer shares the telephone of the one before, as couples do.
    let own = number.checked_div(stores)?;
    let seat = if own > 0 && own.is_multiple_of(40) { own.saturating_sub(1) } else { own };
    let area = at.area_codes.get(usize::try_from(seat / 100).ok()?)?;
    let car = usize::try_from(dice.between(0, i64::try_from(lot.len()).ok()?.saturating_sub(1))).ok()?;
    let price = lot.get(car)?.price;
    let monthly = dice.chance(55).then(|| (price / 60).saturating_mul(dice.between(85, 115)) / 100 / 10 * 10);
    let trade = dice.chance(30).then(|| {
        let cars = [
            ("Honda", "Civic"),
            ("Ford", "Focus"),
            ("Toyota", "Corolla"),
            ("Nissan", "Rogue"),
            ("Chevrolet", "Cruze"),
            ("Subaru", "Forester"),
        ];
        let (make, model) = dice.pick(&cars).copied().unwrap_or(("Honda", "Civic"));
        (dice.between(2012, 2020), make, model, dice.between(48, 150).saturating_mul(1_000))
    });
    Some(Person {
        number,
        given,
        family,
        email: format!("{}.{}{number}@example.com", given.to_lowercase(), family.to_lowercase()),
        phone: format!("+1{area}55501{:02}", seat % 100),
        postal_code: dice.word(&at.customer_zips),
        car,
        monthly_max: monthly,
        price_max: (price.saturating_mul(dice.between(95, 112)) / 100 / 500).saturating_mul(500),
        color: dice.chance(60).then(|| dice.word(&["Silver", "White", "Black", "Gray", "Blue", "Red"])),
        note: dice.word(&NOTES),
        channel: dice.word(&CHANNELS),
        days_ago: if dice.chance(15) { 0 } else { dice.between(0, 45) },
        trade,
        built_above: if monthly.is_some() && dice.chance(25) { dice.between(1, 3) } else { 0 },
        views: dice.between(0, 5),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::group::STORES;
    use super::super::lot;
    use super::*;
    use crate::kernel::contact::{EmailAddress, PhoneNumber};

    fn all() -> Vec<Person> {
        (0..3).zip(STORES).flat_map(|(n, at)| people(n, 3, &at, &lot::units(n, at.letter))).collect()
    }

    #[test]
    fn there_are_400_reachable_and_fictional_people() {
        let people = all();
        assert_eq!(people.len(), 400);
        assert_eq!(people.iter().map(|p| p.email.as_str()).collect::<HashSet<_>>().len(), 400);
        for person in &people {
            assert!(EmailAddress::parse(&person.email).is_ok() && person.email.ends_with("@example.com"), "{}", person.email);
            assert!(PhoneNumber::parse(&person.phone).is_ok() && person.phone[5..].starts_with("55501"), "{}", person.phone);
        }
    }

    #[test]
    fn a_few_couples_share_a_telephone_and_nobody_else_does() {
        let people = all();
        let phones: HashSet<_> = people.iter().map(|p| p.phone.as_str()).collect();
        assert_eq!(people.len() - phones.len(), 9);
    }
}
