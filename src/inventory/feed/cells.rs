//! The cells of a record by the fact they hold, and the lines of the report about those that cannot be read.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use chrono::{Datelike, Days, NaiveDate};

use super::condition;
use super::dates;
use super::layout::Field;
use super::normalise::{self as n, Senseless};
use super::photos::{self, PHOTOS_MAX};
use super::records::Record;
use super::row::{Report, RowReader};
use super::source::text_of;
use crate::inventory::model::{VehicleCondition, VehicleStatus};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::text;

/// Most characters of a report's value.
pub(super) const EXCERPT: usize = 200;
/// Nothing on a lot came earlier.
const FIRST_YEAR: i32 = 1980;
/// Most days on a lot.
const AGE_MAX: i64 = 20_000;

/// Most characters kept of a vehicle's texts.
const TEXTS: [(Field, usize); 8] = [
    (Field::StockNumber, STOCK_NUMBER_MAX),
    (Field::Make, MAKE_MAX),
    (Field::Model, NAME_MAX),
    (Field::Trim, NAME_MAX),
    (Field::Engine, ENGINE_MAX),
    (Field::ExteriorColor, COLOR_MAX),
    (Field::InteriorColor, COLOR_MAX),
    (Field::Description, DESCRIPTION_MAX),
];
pub(super) const STOCK_NUMBER_MAX: usize = 64;
pub(super) const MAKE_MAX: usize = 60;
pub(super) const NAME_MAX: usize = 120;
pub(super) const ENGINE_MAX: usize = 200;
pub(super) const COLOR_MAX: usize = 100;
pub(super) const DESCRIPTION_MAX: usize = 8000;

type Warnings = Vec<Report>;

impl RowReader {
    /// A cell's text. Spreadsheets keep a number as text in `="00123"`.
    pub(super) fn at(record: &Record, at: usize) -> Cow<'_, str> {
        let bytes = record.get(at).unwrap_or(&[]).trim_ascii();
        text_of(bytes.strip_prefix(b"=\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(bytes))
    }

    /// The first text of a fact that says something.
    pub(super) fn raw<'r>(&self, record: &'r Record, field: Field) -> Option<Cow<'r, str>> {
        self.layout.columns(field).iter().map(|at| Self::at(record, *at)).find(|t| !n::is_nothing(t))
    }

    pub(super) fn text(&self, record: &Record, field: Field, max: usize) -> Option<String> {
        let clean: String = text::clean(&self.raw(record, field)?).chars().take(max).collect();
        (!n::is_nothing(&clean)).then_some(clean)
    }

    /// Texts that are longer than what is kept of them.
    pub(super) fn tell_cuts(&self, record: &Record, warnings: &mut Warnings) {
        for (field, max) in TEXTS {
            let text = self.raw(record, field).unwrap_or_default();
            // A text of few bytes has few characters.
            if text.len() > max && text.trim().chars().count() > max {
                warnings.push(self.report(
                    record,
                    field,
                    "TEXT_CUT",
                    format!("the text is longer than {max} characters; the rest was left out"),
                ));
            }
        }
    }

    pub(super) fn report(&self, record: &Record, field: Field, code: &'static str, reason: String) -> Report {
        let value = self.raw(record, field).unwrap_or_default();
        Report { column: self.layout.head(field).to_owned(), value: text::excerpt(&value, EXCERPT), code, reason }
    }

    pub(super) fn report_at(&self, at: usize, value: &str, code: &'static str, reason: String) -> Report {
        Report { column: self.layout.head_at(at).to_owned(), value: text::excerpt(value, EXCERPT), code, reason }
    }

    /// What the first readable column of a fact says. A cell that makes no sense is reported, unless its column may hold
    /// another fact instead.
    pub(super) fn told<T>(
        &self,
        record: &Record,
        field: Field,
        warnings: &mut Warnings,
        read: impl Fn(&str) -> Result<Option<T>, Senseless>,
    ) -> Option<T> {
        for at in self.layout.columns(field) {
            let text = Self::at(record, *at);
            match read(&text) {
                Ok(Some(value)) => return Some(value),
                Ok(None) => {}
                Err(Senseless) if n::is_nothing(&text) || self.layout.is_shared(*at) => {}
                Err(Senseless) => {
                    let what = field.as_str().replace('_', " ");
                    warnings.push(self.report_at(*at, &text, "FACT_UNREADABLE", format!("this cannot be read as {what} and was left out")));
                }
            }
        }
        None
    }

    /// Like [`Self::told`], for words that are known or not.
    pub(super) fn known<T>(&self, record: &Record, field: Field, warnings: &mut Warnings, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.told(record, field, warnings, |text| read(text).map(Some).ok_or(Senseless))
    }

    /// A small number in a range; zero says nothing.
    pub(super) fn small(&self, record: &Record, field: Field, range: RangeInclusive<i32>, warnings: &mut Warnings) -> Option<i32> {
        self.told(record, field, warnings, |text| match n::count(text) {
            Some(0) => Ok(None),
            Some(value) if range.contains(&value) => Ok(Some(value)),
            _ => Err(Senseless),
        })
    }

    /// The asking price, its currency when it is told with it, and its column.
    pub(super) fn price(&self, record: &Record) -> Result<(Option<Cents>, Option<Currency>, Option<usize>), Report> {
        for at in self.layout.columns(Field::Price) {
            let text = Self::at(record, *at);
            match n::price(&text) {
                Ok(Some((cents, currency))) => return Ok((Some(cents), currency, Some(*at))),
                Ok(None) => {}
                Err(Senseless) => {
                    return Err(self.report_at(*at, &text, "PRICE_UNREADABLE", "the price cannot be read as an amount".into()));
                }
            }
        }
        Ok((None, None, None))
    }

    /// An amount beside the price. The first that names a currency gives it to a row whose price names none; one of another
    /// currency is left out.
    pub(super) fn lenient_amount(
        &self,
        record: &Record,
        field: Field,
        currency: &mut Option<Currency>,
        warnings: &mut Warnings,
    ) -> Option<Cents> {
        for at in self.layout.columns(field) {
            let text = Self::at(record, *at);
            match n::price(&text) {
                Ok(Some((_, Some(own)))) if currency.is_some_and(|of_price| of_price != own) => {
                    let reason = "this amount is in another currency than the price and was left out";
                    warnings.push(self.report_at(*at, &text, "CURRENCY_DIFFERS", reason.into()));
                }
                Ok(Some((cents, own))) => {
                    *currency = currency.or(own);
                    return Some(cents);
                }
                Ok(None) => {}
                Err(Senseless) => {
                    warnings.push(self.report_at(*at, &text, "AMOUNT_UNREADABLE", "the amount cannot be read and was left out".into()));
                }
            }
        }
        None
    }

    pub(super) fn currency(&self, record: &Record, warnings: &mut Warnings) -> Option<Currency> {
        self.known(record, Field::Currency, warnings, n::currency).or(self.layout.currency)
    }

    /// Miles. A number whose thousands are no thousands, or of an unknown unit, is unknown; one that makes no sense at all
    /// refuses the row.
    pub(super) fn odometer(&self, record: &Record, warnings: &mut Warnings) -> Result<Option<i32>, Report> {
        let noted = warnings.len();
        let unit = self.known(record, Field::OdometerUnit, warnings, n::is_kilometres);
        if unit.is_none() && warnings.len() > noted {
            return Ok(None);
        }
        let km = unit.unwrap_or(self.layout.kilometres);
        for at in self.layout.columns(Field::Odometer) {
            let text = Self::at(record, *at);
            match n::odometer(&text, km) {
                Ok(Some(miles)) => return Ok(Some(miles)),
                Ok(None) => {}
                Err(Senseless) if n::is_misgrouped(&text) => {
                    let reason = "the digits are not grouped in thousands, so the number is unknown and was left out";
                    warnings.push(self.report_at(*at, &text, "ODOMETER_UNREADABLE", reason.into()));
                }
                Err(Senseless) => {
                    let reason = "the odometer is not between 0 and 2,000,000 miles";
                    return Err(self.report_at(*at, &text, "ODOMETER_UNREADABLE", reason.into()));
                }
            }
        }
        Ok(None)
    }

    /// Without a word about it: certified when a certified column says yes; new when the file has no odometer column but
    /// the maker's price, as spreadsheets of new vehicles have; else used. A condition that denies the certification wins.
    pub(super) fn condition(&self, record: &Record, has_msrp: bool, warnings: &mut Warnings) -> VehicleCondition {
        let denied = self.layout.columns(Field::Condition).iter().any(|at| condition::denies_certification(&Self::at(record, *at)));
        let certified = self.known(record, Field::Certified, warnings, condition::certified) == Some(true) && !denied;
        match self.told(record, Field::Condition, warnings, condition::condition) {
            Some(VehicleCondition::Used) | None if certified => VehicleCondition::Certified,
            Some(condition) => condition,
            None if has_msrp && self.layout.columns(Field::Odometer).is_empty() => VehicleCondition::New,
            None => VehicleCondition::Used,
        }
    }

    /// What the feed calls sold. An unreadable status is told by [`Self::status`].
    pub(super) fn check_sold(&self, record: &Record, warnings: &mut Warnings) -> Result<(), Report> {
        let sold = |text: &str| n::flag(text).or_else(|| n::status(text).map(VehicleStatus::is_gone));
        let flagged = self.known(record, Field::Sold, warnings, sold) == Some(true);
        let field = if flagged { Field::Sold } else { Field::Status };
        let gone = || self.known(record, Field::Status, &mut Vec::new(), n::status).is_some_and(VehicleStatus::is_gone);
        if flagged || gone() {
            return Err(self.report(record, field, "SOLD_IN_FEED", "the feed calls this vehicle sold; it is not put on the lot".into()));
        }
        Ok(())
    }

    /// Where it stands. Holds and pending sales are deals' here, so a feed's are told and not followed.
    pub(super) fn status(&self, record: &Record, warnings: &mut Warnings) -> Option<VehicleStatus> {
        let told = self.known(record, Field::Status, warnings, n::status);
        if told.is_some_and(|status| !status.is_free()) {
            let reason = "only a deal here puts a vehicle on hold; this was not followed";
            warnings.push(self.report(record, Field::Status, "STATUS_NOT_FOLLOWED", reason.into()));
        }
        let in_stock = |text: &str| n::flag(text).or_else(|| n::status(text).map(|status| status == VehicleStatus::Available));
        told.filter(|s| s.is_free()).or_else(|| {
            let here = self.known(record, Field::InStock, warnings, in_stock)?;
            Some(if here { VehicleStatus::Available } else { VehicleStatus::InTransit })
        })
    }

    pub(super) fn description(&self, record: &Record, max: usize) -> Option<String> {
        let raw = self.raw(record, Field::Description)?.replace("\r\n", "\n").replace(['\t', '\r', '\u{b}', '\u{c}'], " ");
        let clean: String = text::clean_multiline(&raw).chars().take(max).collect();
        (!n::is_nothing(&clean)).then_some(clean)
    }

    pub(super) fn photos(&self, record: &Record, warnings: &mut Warnings) -> Vec<String> {
        let mut urls: Vec<String> = Vec::new();
        for at in self.layout.columns(Field::Photos) {
            let found = photos::photos(&Self::at(record, *at));
            if let Some(unread) = found.unread {
                let reason = "this is no address of a photo (http or https) and was left out";
                warnings.push(self.report_at(*at, &unread, "PHOTO_UNREADABLE", reason.into()));
            }
            for url in found.urls {
                if urls.contains(&url) {
                    continue;
                }
                if urls.len() >= PHOTOS_MAX {
                    let reason = format!("only the first {PHOTOS_MAX} photos are kept; this and later ones were left out");
                    warnings.push(self.report_at(*at, &url, "PHOTOS_MANY", reason));
                    return urls;
                }
                urls.push(url);
            }
        }
        urls
    }

    /// The day it came, and whether that was counted back from an age.
    pub(super) fn received_on(&self, record: &Record, warnings: &mut Warnings) -> Option<(NaiveDate, bool)> {
        for at in self.layout.columns(Field::ReceivedOn) {
            let text = Self::at(record, *at);
            let (code, reason) = match dates::day(&text) {
                Ok(None) => continue,
                Ok(Some(day)) if day > self.today => ("DATE_IN_FUTURE", "this day has not come yet; it was left out"),
                Ok(Some(day)) if day.year() < FIRST_YEAR => ("DATE_IMPOSSIBLE", "no vehicle on a lot came before 1980; it was left out"),
                Ok(Some(day)) => return Some((day, false)),
                Err(Senseless) => ("DATE_UNREADABLE", "this cannot be read as one certain day and was left out"),
            };
            warnings.push(self.report_at(*at, &text, code, reason.into()));
        }
        let age = |text: &str| match n::count(text).map(i64::from) {
            Some(days @ 0..=AGE_MAX) => u64::try_from(days).map(Some).map_err(|_| Senseless),
            _ => Err(Senseless),
        };
        let days = self.told(record, Field::Age, warnings, age)?;
        self.today.checked_sub_days(Days::new(days)).filter(|day| day.year() >= FIRST_YEAR).map(|day| (day, true))
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::FeedRow;
    use super::*;

    const HEAD: &str = "vin,year,make,model";
    const CAR: &str = "1HGCV1F49MA038035,2021,Honda,Accord";

    /// A row with these heads and cells, and the warnings' columns, values and codes.
    fn read(heads: &str, cells: &str) -> (FeedRow, Vec<(String, String, &'static str)>) {
        let text = format!("{HEAD},{heads}\n{CAR},{cells}\n");
        let mut rows = super::super::tests::rows(text.as_bytes());
        let (line, outcome) = rows.pop().unwrap();
        assert_eq!(line, 2);
        (*outcome.row.unwrap(), outcome.warnings.into_iter().map(|w| (w.column, w.value, w.code)).collect())
    }

    fn warned(column: &str, value: &str, code: &'static str) -> Vec<(String, String, &'static str)> {
        vec![(column.into(), value.into(), code)]
    }

    #[test]
    fn a_denied_certification_is_no_certification() {
        for (heads, cells) in [
            ("Type", "Non-Certified"),
            ("Condition", "Not Certified"),
            ("Condition,Certified", "Used,N"),
            ("Condition,Certified Flag", "Used,0"),
            ("Type,Certified", "Uncertified,Y"),
            ("Type,CPO", "Used,false"),
        ] {
            let (row, warnings) = read(heads, cells);
            assert_eq!((row.condition, warnings), (VehicleCondition::Used, vec![]), "{heads}: {cells}");
        }
        assert_eq!(read("Type,Certified", "Used,maybe").1, warned("Certified", "maybe", "FACT_UNREADABLE"));
        assert_eq!(read("Condition", "slightly dented").1, warned("Condition", "slightly dented", "FACT_UNREADABLE"));
        assert_eq!(read("Condition,Certified", "Used,Y").0.condition, VehicleCondition::Certified);
    }

    #[test]
    fn a_date_is_read_or_told() {
        for cell in ["\"Oct 1, 2026\"", "1-Oct-2026", "01.10.2026", "46296", "10-01-26", "10/1/2026"] {
            let (row, warnings) = read("Date In Stock", cell);
            assert_eq!((row.received_on, warnings), (NaiveDate::from_ymd_opt(2026, 10, 1), vec![]), "{cell}");
        }
        for (cell, code) in [
            ("2026-13-45", "DATE_UNREADABLE"),
            ("lately", "DATE_UNREADABLE"),
            ("2027-01-01", "DATE_IN_FUTURE"),
            ("1/1/1975", "DATE_IMPOSSIBLE"),
        ] {
            let (row, warnings) = read("Date In Stock", cell);
            assert_eq!((row.received_on, warnings), (None, warned("Date In Stock", cell, code)));
        }
        assert_eq!(read("Age", "45 days").0.received_on, NaiveDate::from_ymd_opt(2026, 10, 7));
        assert_eq!(read("Age", "old").1, warned("Age", "old", "FACT_UNREADABLE"));
        assert_eq!(read("Date In Stock", "0000-00-00").1, vec![]);
    }

    #[test]
    fn an_odometer_of_wrong_groups_or_an_unknown_unit_is_unknown() {
        let (row, warnings) = read("Mileage", "\"1,2345\"");
        assert_eq!((row.odometer_miles, warnings), (None, warned("Mileage", "1,2345", "ODOMETER_UNREADABLE")));
        let (row, warnings) = read("Mileage,Mileage Unit", "800,hours");
        assert_eq!((row.odometer_miles, warnings), (None, warned("Mileage Unit", "hours", "FACT_UNREADABLE")));
        assert_eq!(read("Mileage,Mileage Unit", "80000,KMT").0.odometer_miles, Some(49_710));
    }

    #[test]
    fn words_that_are_not_understood_are_told() {
        for (head, cell) in [
            ("Drivetrain", "2WD"),
            ("Fuel Type", "peanut oil"),
            ("Transmission", "8-Speed"),
            ("Doors", "two"),
            ("City MPG", "8.9"),
            ("Currency", "dollars?"),
            ("Sold", "perhaps"),
            ("Availability", "Not available"),
        ] {
            assert_eq!(read(head, cell).1, warned(head, cell, "FACT_UNREADABLE"));
        }
        assert_eq!(read("Availability", "Sale pending").1, warned("Availability", "Sale pending", "STATUS_NOT_FOLLOWED"));
        assert_eq!(read("Price,MSRP", "23499 USD,29000 CAD").1, warned("MSRP", "29000 CAD", "CURRENCY_DIFFERS"));
        assert_eq!(read("MSRP", "29000 CAD").0.currency, Some(Currency::CAD));
        assert_eq!(read("Stock", "=\"00123\"").0.stock_number, "00123");
        assert_eq!(read("Photos", "IMG_1.jpg").1, warned("Photos", "IMG_1.jpg", "PHOTO_UNREADABLE"));
        assert_eq!(read("Drivetrain,Doors,Fuel", "N/A,0,-").1, vec![]);
    }

    #[test]
    fn a_text_that_is_cut_is_told() {
        let (row, warnings) = read("Stock,Description", &format!("{},{}", "é".repeat(64), "x".repeat(8001)));
        assert_eq!((row.stock_number.chars().count(), row.description.map(|d| d.len())), (64, Some(8000)));
        assert_eq!(warnings, warned("Description", &"x".repeat(200), "TEXT_CUT"));
    }

    #[test]
    fn a_refused_row_has_one_line() {
        let text = format!("{HEAD},price,Doors\n{CAR},abc,two\n");
        let (_, outcome) = super::super::tests::rows(text.as_bytes()).pop().unwrap();
        assert_eq!((outcome.row.unwrap_err().code, outcome.warnings), ("PRICE_UNREADABLE", vec![]));
    }

    #[test]
    fn a_description_keeps_its_words_apart() {
        let (row, _) = read("Description", "\"Clean\tcar\rone owner\"");
        assert_eq!(row.description.as_deref(), Some("Clean car one owner"));
    }
}
