//! Reading an inventory feed: bytes in, vehicles and reports out, row by row, in constant memory.
//!
//! [`source`] unpacks and decodes, [`structured`] makes delimited text of workbooks, XML and JSON, [`records`] cuts into records, [`layout`] knows what the columns mean, [`normalise`] reads
//! values ([`dates`], [`condition`] and [`photos`] theirs), [`cells`] finds them in a record, [`row`] puts a vehicle together. Nothing here touches the database or the clock.

pub mod cells;
pub mod condition;
pub mod dates;
pub mod heads;
pub mod layout;
pub mod names;
pub mod normalise;
pub mod photos;
pub mod records;
pub mod row;
pub mod source;
pub mod structured;

use std::io::{self, Read};
use std::ops::ControlFlow;

use chrono::NaiveDate;

use crate::kernel::text;
use layout::{Field, Layout, Mapping};
use normalise as n;
use records::{Broken, Next, Record, Records};
use row::{Outcome, Report, RowReader};

/// Most rows of one feed; no store has a larger lot.
pub const ROWS_MAX: u32 = 2_000_000;
/// Most columns named as unread.
const UNREAD_MAX: usize = 200;
/// Lines looked at for the head row: some exports begin with a title.
const HEAD_LINES: usize = 10;

/// Why a feed as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// No line looks like the head of an inventory.
    #[error("no head row with a VIN column was found; the first line has: {first_line}")]
    UnknownLayout {
        /// The beginning of the first line.
        first_line: String,
    },
    /// More than [`ROWS_MAX`] rows.
    #[error("the feed has more than {ROWS_MAX} rows")]
    TooManyRows,
    /// The bytes could not be read, unpacked or are too many.
    #[error("the feed could not be read: {0}")]
    Io(#[from] io::Error),
}

impl FeedError {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownLayout { .. } => "UNKNOWN_LAYOUT",
            Self::TooManyRows => "TOO_MANY_ROWS",
            Self::Io(_) => "UNREADABLE",
        }
    }
}

/// What a feed was, after the last row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedSummary {
    /// The layout; none for an empty feed.
    pub layout: Option<&'static str>,
    /// Rows read, refused ones too.
    pub rows: u32,
    /// The head of the VIN's column.
    pub vin_head: String,
    /// The head of the stock number's column.
    pub stock_number_head: String,
    /// Heads of columns that held something and were read as nothing, at most 200.
    pub unread: Vec<String>,
}

impl FeedSummary {
    /// A column without a head is known by its place.
    fn name_unread(&mut self, at: usize, head: &str) {
        let head = if head.trim().is_empty() { format!("column {}", at.saturating_add(1)) } else { head.trim().to_owned() };
        if self.unread.len() < UNREAD_MAX && !self.unread.contains(&head) {
            self.unread.push(head);
        }
    }
}

/// Reads a feed to its end. `each` gets every row's line and outcome, and may stop the reading.
pub fn read(
    raw: impl Read + Send + 'static,
    mapping: Option<&Mapping>,
    today: NaiveDate,
    mut each: impl FnMut(u32, Outcome) -> ControlFlow<()>,
) -> Result<FeedSummary, FeedError> {
    let mut records = Records::new(source::open(raw, mapping)?, mapping.and_then(Mapping::delimiter_byte))?;
    let mut record = Record::default();
    let Some(layout) = find_head(&mut records, &mut record, mapping)? else { return Ok(FeedSummary::default()) };
    let head_of = |field| layout.head(field).trim().to_owned();
    let (vin_head, stock_number_head) = (head_of(Field::Vin), head_of(Field::StockNumber));
    let mut summary = FeedSummary { layout: Some(layout.name), vin_head, stock_number_head, ..FeedSummary::default() };
    let mut unread = layout.unread();
    let mut reader = RowReader::new(layout, today);
    loop {
        let (line, outcome) = match records.next(&mut record)? {
            Next::End => return Ok(summary),
            Next::Broken(line, why, start) => (line, broken(why, &start)),
            Next::Record => {
                if let Some(again) = repeated_head(&reader.layout, &record, mapping) {
                    unread = again.unread();
                    reader = RowReader::new(again, today);
                    continue;
                }
                unread.retain(|at| {
                    let empty = n::is_nothing(&source::text_of(record.get(*at).unwrap_or(&[])));
                    if !empty {
                        summary.name_unread(*at, reader.layout.head_at(*at));
                    }
                    empty
                });
                (record.line, reader.read(&record))
            }
        };
        if summary.rows >= ROWS_MAX {
            return Err(FeedError::TooManyRows);
        }
        summary.rows = summary.rows.saturating_add(1);
        if each(line, outcome).is_break() {
            return Ok(summary);
        }
    }
}

fn heads_of(record: &Record) -> Vec<String> {
    record.fields().map(|f| text::excerpt(&source::text_of(f), 120)).collect()
}

/// The head row is the first line that is one. `None` when the feed has no line at all.
fn find_head<R: Read>(records: &mut Records<R>, record: &mut Record, mapping: Option<&Mapping>) -> Result<Option<Layout>, FeedError> {
    let mut first_line = None;
    for _ in 0..HEAD_LINES {
        let heads = match records.next(record)? {
            Next::End => break,
            Next::Broken(_, _, start) => vec![text::excerpt(&source::text_of(&start), 120)],
            Next::Record => heads_of(record),
        };
        let line = heads.join(", ");
        if let Some(layout) = Layout::recognise(heads, mapping) {
            return Ok(Some(layout));
        }
        first_line.get_or_insert(line);
    }
    match first_line {
        Some(line) => Err(FeedError::UnknownLayout { first_line: text::excerpt(&line, 300) }),
        None => Ok(None),
    }
}

/// Files that were put together by hand repeat their head, at times in another order.
fn repeated_head(layout: &Layout, record: &Record, mapping: Option<&Mapping>) -> Option<Layout> {
    let at = *layout.columns(Field::Vin).first()?;
    let head = layout.heads.get(at)?;
    let same = |field: &[u8]| source::text_of(field).trim().eq_ignore_ascii_case(head.trim());
    if !record.get(at).is_some_and(same) && !record.fields().any(|f| f.len() == 3 && same(f)) {
        return None;
    }
    Layout::recognise(heads_of(record), mapping)
}

fn broken(why: Broken, start: &[u8]) -> Outcome {
    let (code, reason) = match why {
        Broken::Quote => ("OPEN_QUOTE", "a quotation mark is opened on this line and never closed".to_owned()),
        Broken::TooLong => ("LINE_TOO_LONG", format!("the line is longer than {} bytes", records::RECORD_MAX)),
        Broken::TooManyFields => ("TOO_MANY_FIELDS", format!("the line has more than {} fields", records::FIELDS_MAX)),
    };
    let report = Report { column: String::new(), value: text::excerpt(&source::text_of(start), 200), code, reason };
    Outcome { row: Err(report), vin: None, stock_number: None, warnings: Vec::new() }
}

#[cfg(test)]
mod exports;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::row::FeedRow;
    use super::*;
    use crate::inventory::model::{Drivetrain, VehicleCondition};

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
    }

    pub(super) fn rows(bytes: &[u8]) -> Vec<(u32, Outcome)> {
        let mut out = Vec::new();
        read(io::Cursor::new(bytes.to_vec()), None, today(), |line, outcome| {
            out.push((line, outcome));
            ControlFlow::Continue(())
        })
        .unwrap();
        out
    }

    fn one(text: &str) -> FeedRow {
        *rows(text.as_bytes()).pop().unwrap().1.row.unwrap()
    }

    #[test]
    fn a_row_becomes_a_vehicle_with_what_its_vin_adds() {
        let row = one(
            "Year,Make,Model,Used/New,Price,Drivetrain,VIN,Stock#,Mileage\n2021,Honda,Accord Sport SE,Honda Certified,\"$28,500 \",Front-wheel Drive,1hgcv1f49ma038035 ,54237,10598\n",
        );
        assert_eq!((row.make.as_str(), row.model.as_str(), row.trim.as_deref()), ("Honda", "Accord", Some("Sport SE")));
        assert_eq!((row.condition, row.drivetrain, row.cylinders), (VehicleCondition::Certified, Some(Drivetrain::Fwd), Some(4)));
        assert_eq!((row.price.map(|c| c.0), row.odometer_miles, row.stock_number.as_str()), (Some(2_850_000), Some(10_598), "54237"));
    }

    #[test]
    fn without_a_stock_number_the_vin_gives_one() {
        assert_eq!(one("vin,year,make,model\n1HGCV1F49MA038035,2021,Honda,Accord\n").stock_number, "MA038035");
    }

    #[test]
    fn every_refusal_names_line_column_value_and_reason() {
        let text = "vin,year,make,model,price,mileage\n\
            1HGCV1F49MA038036,2021,Honda,Accord,1,1\n\
            1HGCV1F49MA038035,2021,Honda,Accord,abc,1\n\
            1HGCV1F49MA038035,2021,Honda,Accord,1,-7\n\
            1HGCV1F49MA038035,3021,Honda,Accord,1,1\n\
            1HGCV1F49MA038035,2021,Honda,Acc";
        let got: Vec<_> = rows(text.as_bytes())
            .into_iter()
            .map(|(line, outcome)| {
                let report = outcome.row.unwrap_err();
                (line, report.column, report.value, report.code)
            })
            .collect();
        let want = [
            (2, "vin", "1HGCV1F49MA038036", "VIN_CHECK_DIGIT"),
            (3, "price", "abc", "PRICE_UNREADABLE"),
            (4, "mileage", "-7", "ODOMETER_UNREADABLE"),
            (5, "year", "3021", "YEAR_IMPOSSIBLE"),
            (6, "", "1HGCV1F49MA038035,2021,Honda,Acc", "ROW_WIDTH"),
        ];
        assert_eq!(got, want.map(|(l, c, v, code)| (l, c.to_owned(), v.to_owned(), code)));
    }

    #[test]
    fn columns_that_are_not_read_are_named_once() {
        let text = "vin,year,make,model,Dealer Name,,Empty,Photo Count\n1HGCV1F49MA038035,2021,Honda,Accord,,x,,\n1HGCV1F49MA038036,2021,Honda,Accord,Me,,,7\n";
        let summary = read(io::Cursor::new(text.as_bytes().to_vec()), None, today(), |_, _| ControlFlow::Continue(())).unwrap();
        assert_eq!(
            (summary.unread, summary.vin_head.as_str()),
            (vec!["column 6".into(), "Dealer Name".into(), "Photo Count".into()], "vin")
        );
    }

    #[test]
    fn a_title_before_the_head_and_a_second_head_are_passed_over() {
        let text = "Inventory export\n\nvin,year,make,model\n1HGCV1F49MA038035,2021,Honda,Accord\nyear,vin,make,model\n2021,1HGCV1F49MA038035,Honda,Accord\n";
        assert_eq!(rows(text.as_bytes()).iter().filter(|(_, o)| o.row.is_ok()).count(), 2);
    }

    #[test]
    fn hostile_files_are_errors_or_reports() {
        let read_all = |bytes: Vec<u8>| read(io::Cursor::new(bytes), None, today(), |_, _| ControlFlow::Continue(()));
        assert_eq!(read_all(Vec::new()).unwrap(), FeedSummary::default());
        assert_eq!(read_all(b"\n\n\r\n".to_vec()).unwrap(), FeedSummary::default());
        assert!(matches!(read_all(vec![0; 1_000_000]), Err(FeedError::UnknownLayout { .. })));
        assert!(matches!(read_all(b"a,b,c\n1,2,3\n".to_vec()), Err(FeedError::UnknownLayout { .. })));
        assert!(matches!(read_all(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()), Err(FeedError::UnknownLayout { .. })));
        assert!(matches!(read_all(vec![0x1f, 0x8b, 8, 0, 1]), Err(FeedError::Io(_))));
        let huge =
            [b"vin,year,make,model\n1HGCV1F49MA038035,2021,Honda,".to_vec(), vec![b'x'; 400_000], b"\n\0,\0,\0,\0\n".to_vec()].concat();
        assert!(rows(&huge).iter().all(|(_, o)| o.row.is_err()));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_after_a_head_end_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let text = [b"vin,year,make,model,price\n".to_vec(), bytes].concat();
            let mut last = 1;
            let read = read(io::Cursor::new(text), None, today(), |line, _| {
                assert!(line > last);
                last = line;
                ControlFlow::Continue(())
            });
            proptest::prop_assert!(read.is_ok());
        }
    }

    /// Every file of the shared data: how many rows there are, how many land at least, and which refusals are expected.
    #[test]
    fn every_row_of_the_shared_files_lands_or_is_reported() {
        let files: [(&str, usize, usize, &[&str]); 7] = [
            ("inventory/auction_manheim.csv.gz", 12_982, 12_970, &["MODEL_MISSING"]),
            ("inventory/auction_cleaned_layout.csv.gz", 1_471, 1_471, &[]),
            ("inventory/listings_carscom.csv.gz", 5_000, 4_990, &["VIN_CHECK_DIGIT"]),
            ("inventory/auction_usa_cars.csv.gz", 1_454, 1_454, &[]),
            ("inventory/listings_truecar.csv", 572, 572, &[]),
            ("inventory/classifieds_craigslist.csv", 120, 112, &["VIN_MISSING", "MAKE_MISSING"]),
            ("feeds/google_merchant_boyer.tsv", 20, 20, &[]),
        ];
        for (name, total, lands, codes) in files {
            let Some(bytes) = crate::inventory::testdata::bytes(name) else { continue };
            let rows = rows(&bytes);
            let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
            let mut disagreeing: BTreeMap<&str, usize> = BTreeMap::new();
            let mut warned: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
            for (_, outcome) in &rows {
                outcome.warnings.iter().for_each(|w| *warned.entry((w.code, &w.column, &w.value)).or_default() += 1);
                match &outcome.row {
                    Err(report) => *refused.entry(report.code).or_default() += 1,
                    Ok(row) => row.disagreements.iter().for_each(|d| *disagreeing.entry(d.0).or_default() += 1),
                }
            }
            eprintln!("{name}: {} rows, refused {refused:?}, disagreements {disagreeing:?}, warnings {warned:?}", rows.len());
            assert_eq!(rows.len(), total, "{name}");
            assert!(warned.values().sum::<usize>() * 4 <= total, "{name}: {warned:?}");
            assert!(refused.keys().all(|code| codes.contains(code)), "{name}: {refused:?}");
            assert!(total - refused.values().sum::<usize>() >= lands, "{name}: {refused:?}");
        }
    }
}
