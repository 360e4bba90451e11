//! Records of a delimited text (RFC 4180 and its relatives), read with bounds.
//!
//! Quotes may hold delimiters and line breaks; `""` is a quote. Lines end with LF, CRLF or CR. A quote that never closes does
//! not swallow the file: the line it began on is reported and reading goes on with the next line. After
//! `BROKEN_QUOTES_MAX` such lines quotes are plain characters, so that a hostile file cannot make every line be read many
//! times.

use std::io::{self, Read};

/// Most bytes of one record.
pub const RECORD_MAX: usize = 256 * 1024;
/// Most line breaks inside one record.
const BREAKS_MAX: usize = 500;
/// Most fields of one record.
pub const FIELDS_MAX: usize = 1000;
const BROKEN_QUOTES_MAX: u32 = 1000;
const CHUNK: usize = 64 * 1024;

/// A record: where it begins and its fields as bytes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line it begins on, from 1.
    pub line: u32,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Record {
    /// The fields.
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0_usize, |from, end| {
            let field = self.bytes.get(*from..*end).unwrap_or(&[]);
            *from = *end;
            Some(field)
        })
    }

    /// How many fields.
    pub fn width(&self) -> usize {
        self.ends.len()
    }

    /// One field, by position from 0.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before).copied()).unwrap_or(0);
        self.bytes.get(from..end)
    }

    fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }
}

/// Why a record could not be read. The rest of the file can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A quote was opened on this line and never closed.
    Quote,
    /// Larger than [`RECORD_MAX`].
    TooLong,
    /// More than [`FIELDS_MAX`] fields.
    TooManyFields,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// A record, in the buffer given.
    Record,
    /// A line that could not be read, with its number and its beginning.
    Broken(u32, Broken, Vec<u8>),
    /// The end.
    End,
}

/// Reads records one by one.
pub struct Records<R> {
    inner: R,
    buffer: Vec<u8>,
    at: usize,
    end_of_file: bool,
    line: u32,
    delimiter: u8,
    quotes: bool,
    broken_quotes: u32,
}

enum Parsed {
    Done { consumed: usize, breaks: u32 },
    NeedMore,
    Broken(Broken),
}

impl<R: Read> Records<R> {
    /// Reads from `inner`. Finds the delimiter (comma, tab, semicolon, pipe) in the first line unless it is given.
    pub fn new(inner: R, delimiter: Option<u8>) -> io::Result<Self> {
        let mut records =
            Self { inner, buffer: Vec::new(), at: 0, end_of_file: false, line: 1, delimiter: b',', quotes: true, broken_quotes: 0 };
        records.fill()?;
        if records.buffer.starts_with(&[0xef, 0xbb, 0xbf]) {
            records.at = 3;
        }
        records.delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => records.find_delimiter(),
        };
        Ok(records)
    }

    /// The delimiter in use.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or(&[])
    }

    /// Excel writes `sep=;` first; otherwise the most frequent candidate of the head wins.
    fn find_delimiter(&mut self) -> u8 {
        let rest = self.rest();
        if let Some(told) = rest.strip_prefix(b"sep=").and_then(|r| r.first().copied()) {
            let line = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at.saturating_add(1));
            self.at = self.at.saturating_add(line);
            self.line = 2;
            return told;
        }
        let count = |line: &[u8], delimiter: u8| {
            let mut quoted = false;
            line.iter()
                .filter(|b| {
                    quoted ^= **b == b'"';
                    **b == delimiter && !quoted
                })
                .count()
        };
        // The first line with at least three fields is the head, or looks like it; later lines hold prose.
        let lines = rest.split(|b| matches!(b, b'\n' | b'\r')).take(20);
        let best = |line: &[u8]| [b'\t', b';', b'|', b','].into_iter().map(|d| (count(line, d), d)).max_by_key(|(n, _)| *n);
        lines.filter_map(best).find(|(n, _)| *n >= 2).map_or(b',', |(_, delimiter)| delimiter)
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let before = self.buffer.len();
        self.buffer.resize(before.saturating_add(CHUNK), 0);
        let mut filled = before;
        while filled < self.buffer.len() {
            let read = match self.inner.read(self.buffer.get_mut(filled..).unwrap_or(&mut [])) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if read == 0 {
                self.end_of_file = true;
                break;
            }
            filled = filled.saturating_add(read);
        }
        self.buffer.truncate(filled);
        Ok(())
    }

    /// Reads the next record into `record`. Blank lines are passed over.
    pub fn next(&mut self, record: &mut Record) -> io::Result<Next> {
        loop {
            if self.rest().is_empty() {
                if self.end_of_file {
                    return Ok(Next::End);
                }
                self.fill()?;
                continue;
            }
            match self.parse(record) {
                Parsed::Done { consumed, breaks } => {
                    record.line = self.line;
                    self.at = self.at.saturating_add(consumed);
                    self.line = self.line.saturating_add(breaks);
                    if !record.is_blank() {
                        return Ok(Next::Record);
                    }
                }
                Parsed::NeedMore => self.fill()?,
                Parsed::Broken(why) => {
                    let (line, start) = (self.line, self.rest().iter().take(200).copied().collect());
                    if why == Broken::Quote {
                        self.broken_quotes = self.broken_quotes.saturating_add(1);
                        self.quotes = self.broken_quotes < BROKEN_QUOTES_MAX;
                    }
                    self.skip_line()?;
                    return Ok(Next::Broken(line, why, start));
                }
            }
        }
    }

    /// Passes over the rest of the line, however long.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = self.rest().iter().position(|b| matches!(b, b'\n' | b'\r')) {
                let pair = self.rest().get(at..at.saturating_add(2)) == Some(b"\r\n");
                self.at = self.at.saturating_add(at).saturating_add(if pair { 2 } else { 1 });
                self.line = self.line.saturating_add(1);
                return Ok(());
            }
            self.at = self.buffer.len();
            if self.end_of_file {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn parse(&self, record: &mut Record) -> Parsed {
        let input = self.rest();
        record.bytes.clear();
        record.ends.clear();
        let mut quoted = false;
        let mut field_start = true;
        let mut breaks = 0_u32;
        let mut inner_breaks = 0_usize;
        let mut bytes = input.iter().copied().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            if at >= RECORD_MAX || inner_breaks > BREAKS_MAX {
                return Parsed::Broken(if quoted || inner_breaks > 0 { Broken::Quote } else { Broken::TooLong });
            }
            if quoted {
                match byte {
                    b'"' => match bytes.peek() {
                        Some((_, b'"')) => {
                            record.bytes.push(b'"');
                            bytes.next();
                        }
                        None if !self.end_of_file => return Parsed::NeedMore,
                        _ => quoted = false,
                    },
                    b'\n' | b'\r' => {
                        // CRLF inside a field counts as one line.
                        if !(byte == b'\r' && matches!(bytes.peek(), Some((_, b'\n')))) {
                            inner_breaks = inner_breaks.saturating_add(1);
                            breaks = breaks.saturating_add(1);
                        }
                        record.bytes.push(byte);
                    }
                    other => record.bytes.push(other),
                }
                continue;
            }
            match byte {
                b'"' if self.quotes && field_start => {
                    quoted = true;
                    field_start = false;
                }
                delimiter if delimiter == self.delimiter => {
                    if record.ends.len() >= FIELDS_MAX {
                        return Parsed::Broken(Broken::TooManyFields);
                    }
                    record.ends.push(record.bytes.len());
                    field_start = true;
                }
                b'\r' | b'\n' => {
                    record.ends.push(record.bytes.len());
                    let pair = match (byte, bytes.peek()) {
                        (b'\r', None) if !self.end_of_file => return Parsed::NeedMore,
                        (b'\r', Some((_, b'\n'))) => 1,
                        _ => 0,
                    };
                    return Parsed::Done { consumed: at.saturating_add(1).saturating_add(pair), breaks: breaks.saturating_add(1) };
                }
                other => {
                    // Spaces before an opening quote are not part of the field.
                    field_start = field_start && other == b' ';
                    record.bytes.push(other);
                }
            }
        }
        if !self.end_of_file {
            return Parsed::NeedMore;
        }
        if quoted {
            return Parsed::Broken(Broken::Quote);
        }
        record.ends.push(record.bytes.len());
        Parsed::Done { consumed: input.len(), breaks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<Result<(u32, Vec<String>), (u32, Broken)>> {
        let mut records = Records::new(Slow(text, 0), None).unwrap();
        let mut record = Record::default();
        let mut out = Vec::new();
        loop {
            match records.next(&mut record).unwrap() {
                Next::Record => out.push(Ok((record.line, record.fields().map(|f| String::from_utf8_lossy(f).into_owned()).collect()))),
                Next::Broken(line, why, _) => out.push(Err((line, why))),
                Next::End => return out,
            }
        }
    }

    /// Gives a few bytes at a time, as a network does.
    struct Slow<'a>(&'a [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let take = 7.min(self.0.len() - self.1).min(buffer.len());
            buffer[..take].copy_from_slice(&self.0[self.1..self.1 + take]);
            self.1 += take;
            Ok(take)
        }
    }

    fn row(line: u32, fields: &[&str]) -> Result<(u32, Vec<String>), (u32, Broken)> {
        Ok((line, fields.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn every_line_end_and_delimiter_is_understood() {
        for end in ["\n", "\r\n", "\r"] {
            for delimiter in [",", "\t", ";", "|"] {
                let text = ["a", delimiter, "b", delimiter, "c", end, "1", delimiter, "", delimiter, "x", end, end, "2"].concat();
                assert_eq!(all(text.as_bytes()), [row(1, &["a", "b", "c"]), row(2, &["1", "", "x"]), row(4, &["2"])], "{text:?}");
            }
        }
    }

    #[test]
    fn quotes_hold_delimiters_breaks_and_quotes() {
        let text = b"a,b\n\"x, \"\"y\"\"\r\nz\",2\n3, \"4\"\n5,6\"7\n";
        assert_eq!(all(text), [row(1, &["a", "b"]), row(2, &["x, \"y\"\r\nz", "2"]), row(4, &["3", " 4"]), row(5, &["5", "6\"7"])]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_one_line() {
        let text = b"a,b\n\"x,1\n2,3\n4,5\n";
        assert_eq!(all(text), [row(1, &["a", "b"]), Err((2, Broken::Quote)), row(3, &["2", "3"]), row(4, &["4", "5"])]);
    }

    #[test]
    fn endless_lines_and_fields_are_cut() {
        let mut text = b"a,b\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', RECORD_MAX + 10));
        text.extend_from_slice(b"\n1,2\n");
        text.extend(std::iter::repeat_n(b',', FIELDS_MAX + 10));
        text.extend_from_slice(b"\n3,4");
        assert_eq!(
            all(&text),
            [row(1, &["a", "b"]), Err((2, Broken::TooLong)), row(3, &["1", "2"]), Err((4, Broken::TooManyFields)), row(5, &["3", "4"])]
        );
    }

    #[test]
    fn many_open_quotes_stay_cheap() {
        // Each open quote is followed by more lines than a record may have, so each is given up after that many.
        let text = ["\"x,1\n", &"2,3\n".repeat(600)].concat().repeat(1_500);
        let rows = all(text.as_bytes());
        let given_up = rows.iter().filter(|r| r.is_err()).count();
        assert_eq!(given_up, usize::try_from(BROKEN_QUOTES_MAX).unwrap());
        assert_eq!(rows.len(), 1_500 * 601);
    }

    #[test]
    fn excel_may_name_the_delimiter() {
        assert_eq!(all(b"sep=;\r\na;b\r\n"), [row(2, &["a", "b"])]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
            let _ = all(&bytes);
        }

        #[test]
        fn what_was_written_is_read(rows in proptest::collection::vec(proptest::collection::vec("[a-z,\"\n ]{1,8}", 2..4), 1..6)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let bytes = writer.into_inner().unwrap();
            let mut records = Records::new(bytes.as_slice(), Some(b',')).unwrap();
            let mut record = Record::default();
            for row in rows.iter().filter(|row| row.iter().any(|f| !f.trim().is_empty())) {
                proptest::prop_assert!(matches!(records.next(&mut record).unwrap(), Next::Record));
                let got: Vec<_> = record.fields().map(|f| String::from_utf8_lossy(f).into_owned()).collect();
                proptest::prop_assert_eq!(&got, row);
            }
        }
    }
}
