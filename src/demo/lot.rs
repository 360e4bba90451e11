//! The cars on a demo store's lot, written as the inventory feed that a dealer's system would send.

use std::fmt::Write as _;

use chrono::{Days, NaiveDate};

use super::catalogue::{ModelLine, model_lines};
use super::dice::Dice;

/// Vehicles on each store's lot.
pub const PER_STORE: u64 = 400;

/// Newest model year the tables know.
const NEWEST: i64 = 2026;

/// What a car is still worth of its list price, in thousandths, by age in years.
const WORTH: [i64; 10] = [930, 850, 775, 705, 640, 580, 525, 475, 430, 390];

/// Colour words as makers write them.
const COLORS: [&str; 20] = [
    "Silver Sky Metallic",
    "Silver Ice",
    "Classic Silver",
    "Super White",
    "Oxford White",
    "Pearl White",
    "Jet Black",
    "Midnight Black",
    "Obsidian",
    "Magnetic Gray",
    "Granite Gray",
    "Steel Gray Metallic",
    "Blueprint Blue",
    "Deep Blue Pearl",
    "Lunar Blue",
    "Ruby Red",
    "Barcelona Red",
    "Cavalry Green",
    "Army Green",
    "Quicksand Beige",
];
const INTERIORS: [&str; 5] = ["Black cloth", "Gray cloth", "Black leather", "Tan leather", "Ash SofTex"];

/// One car.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The model line it was built from.
    pub line: ModelLine<'static>,
    /// Vehicle identification number with a right check digit.
    pub vin: String,
    /// The store's own number.
    pub stock_number: String,
    /// `NEW`, `USED` or `CERTIFIED`.
    pub condition: &'static str,
    /// Trim.
    pub trim: &'static str,
    /// Paint.
    pub color: &'static str,
    /// Seats and trim.
    pub interior: &'static str,
    /// Odometer in miles.
    pub miles: i64,
    /// List price when new, whole dollars.
    pub msrp: i64,
    /// Dealer's invoice for a new car, whole dollars.
    pub invoice: Option<i64>,
    /// Asking price, whole dollars.
    pub price: i64,
    /// Days since it arrived.
    pub age_days: i64,
}

/// The lot of store number `store` (0, 1, 2). `letter` begins its stock numbers.
pub fn units(store: u64, letter: char) -> Vec<Unit> {
    let lines = model_lines();
    (0..PER_STORE).filter_map(|n| unit(&lines, store, letter, n)).collect()
}

fn unit(lines: &[ModelLine<'static>], store: u64, letter: char, n: u64) -> Option<Unit> {
    let mut dice = Dice::new("lot", store.wrapping_mul(10_000).wrapping_add(n));
    let new = dice.chance(35);
    let fits = |line: &&ModelLine<'static>| if new { line.model_year >= NEWEST - 1 } else { line.model_year < NEWEST };
    let choice: Vec<ModelLine<'static>> = lines.iter().filter(fits).copied().collect();
    let mut line = *dice.pick(&choice)?;
    // The car of the story: every store has a few RAV4s, and one of them is silver.
    if n < 4 {
        let rav4: Vec<ModelLine<'static>> = choice.iter().filter(|l| l.model == "RAV4").copied().collect();
        line = dice.pick(&rav4).copied().unwrap_or(line);
    }
    let trims: Vec<&'static str> = line.trims.split('|').collect();
    let level = dice.between(0, i64::try_from(trims.len()).ok()?.saturating_sub(1));
    let trim = trims.get(usize::try_from(level).ok()?).copied().unwrap_or("");
    let msrp = hundreds(line.msrp.saturating_mul(1_000 + level * 65) / 1_000);
    let age = NEWEST.saturating_sub(line.model_year);
    let miles =
        if new { dice.between(4, 62) } else { age.max(1).saturating_mul(dice.between(6_500, 14_500)).saturating_add(dice.between(0, 900)) };
    let worth = WORTH.get(usize::try_from(age).ok()?).copied().unwrap_or(350);
    let electric = if line.fuel == "ELECTRIC" { 880 } else { 1_000 };
    // Above 11,000 miles a year a car loses, below it gains: 6 cents a mile.
    let mileage = age.saturating_mul(11_000).saturating_sub(miles).saturating_mul(6) / 100;
    let price = if new {
        msrp.saturating_mul(dice.between(945, 1_000)) / 1_000
    } else {
        (msrp.saturating_mul(worth) / 1_000).saturating_mul(electric).saturating_mul(dice.between(960, 1_040)) / 1_000_000 + mileage
    };
    let certified = !new && age <= 5 && miles < 60_000 && dice.chance(25);
    let condition = if new {
        "NEW"
    } else if certified {
        "CERTIFIED"
    } else {
        "USED"
    };
    let serial = 100_000 + store.wrapping_mul(200_000).wrapping_add(n.wrapping_mul(397) % 190_000);
    let age_days = if dice.chance(12) { dice.between(91, 260) } else { dice.between(0, 90) };
    Some(Unit {
        vin: vin(&line, dice.word(&["A", "C", "D", "L", "M", "N", "S", "U", "W", "X"]), serial)?,
        stock_number: format!("{letter}{}{:05}", if new { 'N' } else { 'U' }, 10_000 + n),
        condition,
        trim,
        color: if n == 0 { "Silver Sky Metallic" } else { dice.word(&COLORS) },
        interior: dice.word(&INTERIORS),
        miles,
        msrp,
        invoice: new.then(|| hundreds(msrp.saturating_mul(945) / 1_000)),
        price: hundreds(price.max(4_500)),
        age_days,
        line,
    })
}

/// Prices end in 95, as they do on a windscreen.
fn hundreds(dollars: i64) -> i64 {
    (dollars / 100).saturating_mul(100).saturating_add(95)
}

/// Puts a VIN together and computes its check digit (49 CFR 565.15).
fn vin(line: &ModelLine<'_>, plant: &str, serial: u64) -> Option<String> {
    const YEARS: &str = "ABCDEFGHJKLMNPRSTVWXY123456789";
    let year = YEARS.chars().nth(usize::try_from(line.model_year.checked_sub(2010)?).ok()?)?;
    let with = |check: char| format!("{}{}{check}{year}{plant}{serial:06}", line.wmi, line.descriptor);
    let sum: u32 =
        with('0').chars().zip([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2_u32]).map(|(c, w)| value(c).saturating_mul(w)).sum();
    let check = match sum % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10)?,
    };
    Some(with(check))
}

fn value(c: char) -> u32 {
    match c {
        'A' | 'J' => 1,
        'B' | 'K' | 'S' => 2,
        'C' | 'L' | 'T' => 3,
        'D' | 'M' | 'U' => 4,
        'E' | 'N' | 'V' => 5,
        'F' | 'W' => 6,
        'G' | 'P' | 'X' => 7,
        'H' | 'Y' => 8,
        'R' | 'Z' => 9,
        _ => c.to_digit(10).unwrap_or(0),
    }
}

/// The lot as a feed in CSV. `month_ago` writes it as it was a month earlier: the cars that were there, with the prices of then.
pub fn feed(units: &[Unit], today: NaiveDate, month_ago: bool) -> String {
    let mut out = String::from(
        "stock_number,vin,condition,year,make,model,trim,body,drivetrain,fuel,transmission,engine,cylinders,doors,seats,exterior_color,\
         interior_color,mileage,msrp,invoice,price,date_in_stock,mpg_city,mpg_highway,description\n",
    );
    for (n, unit) in units.iter().enumerate().filter(|(_, unit)| !month_ago || unit.age_days >= 30) {
        // Every third older car has become cheaper since.
        let then = if month_ago && n % 3 == 0 { hundreds(unit.price.saturating_mul(1_035) / 1_000) } else { unit.price };
        let received = today.checked_sub_days(Days::new(u64::try_from(unit.age_days).unwrap_or(0))).unwrap_or(today);
        let l = &unit.line;
        let invoice = unit.invoice.map(|d| d.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{then},{received},{},{},\"{}\"",
            unit.stock_number,
            unit.vin,
            unit.condition,
            l.model_year,
            l.make,
            l.model,
            unit.trim,
            l.body_style,
            l.drivetrain,
            l.fuel,
            l.transmission,
            l.engine,
            l.cylinders,
            l.doors,
            l.seats,
            unit.color,
            unit.interior,
            unit.miles,
            unit.msrp,
            invoice,
            l.mpg_city,
            l.mpg_highway,
            description(unit),
        );
    }
    out
}

fn description(unit: &Unit) -> String {
    let l = &unit.line;
    match unit.condition {
        "NEW" => format!("New {} {} {} {} in {}, {}.", l.model_year, l.make, l.model, unit.trim, unit.color, unit.interior),
        "CERTIFIED" => format!("Certified {} {} {} with warranty, inspected in our workshop.", l.make, l.model, unit.trim),
        _ => format!("Used {} {} {}, {} miles, serviced and ready to drive.", l.make, l.model, unit.trim, unit.miles),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all() -> Vec<Unit> {
        [(0, 'A'), (1, 'R'), (2, 'S')].into_iter().flat_map(|(store, letter)| units(store, letter)).collect()
    }

    #[test]
    fn there_are_1200_different_cars_and_always_the_same() {
        let cars = all();
        assert_eq!(cars.len(), 1_200);
        assert_eq!(cars.iter().map(|u| u.vin.as_str()).collect::<HashSet<_>>().len(), 1_200);
        assert_eq!(cars.iter().map(|u| u.stock_number.as_str()).collect::<HashSet<_>>().len(), 1_200);
        assert_eq!(cars, all());
    }

    #[test]
    fn every_vin_has_a_right_check_digit() {
        // An independent formulation: the check digit must be the remainder of the sum that leaves position 9 out.
        for car in all() {
            let digits: Vec<char> = car.vin.chars().collect();
            assert_eq!(digits.len(), 17);
            let weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
            let sum: u32 = (0..17).map(|i| value(digits[i]) * weights[i]).sum();
            let want = if sum % 11 == 10 { 'X' } else { char::from_digit(sum % 11, 10).unwrap() };
            assert_eq!(digits[8], want, "{}", car.vin);
        }
    }

    #[test]
    fn prices_and_mileages_are_plausible() {
        for car in all() {
            assert!((4_000..110_000).contains(&car.price), "{car:?}");
            assert!(car.condition != "NEW" || car.miles < 100, "{car:?}");
            assert!(car.condition != "NEW" || car.price <= car.msrp, "{car:?}");
            assert!((0..160_000).contains(&car.miles), "{car:?}");
        }
        assert!(all().iter().any(|u| u.line.model == "RAV4" && u.color.starts_with("Silver")));
    }

    #[test]
    fn the_feed_of_a_month_ago_is_smaller_and_dearer() {
        let cars = units(0, 'A');
        let today = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let (now, then) = (feed(&cars, today, false), feed(&cars, today, true));
        assert_eq!(now.lines().count(), 401);
        assert!(then.lines().count() > 150 && then.lines().count() < 401);
        assert!(now.lines().skip(1).all(|line| line.contains("2026-")), "a car older than the year");
    }
}
