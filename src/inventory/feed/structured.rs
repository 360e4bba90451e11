//! Feeds that are no delimited text: an Excel workbook, XML or JSON. They are turned into one, so that layouts, mapping files and
//! reports are the same for all; the line of a row is its place among the vehicles, the head being line 1.
//!
//! - Of a workbook the first sheet with a VIN column is read; a line of the report is a row of the sheet.
//! - Of XML and JSON the vehicles are the outermost objects that have a VIN. A head is the path to a value: `mileage.value`,
//!   `image.url`. Several values of one path are separated by `|`. An attribute of XML is read like an element inside:
//!   `<odometer unit="km">` gives `odometer.unit`.
//! - Unlike delimited text these are held in memory, so they are bounded more tightly ([`BYTES_MAX`]).

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, DataType, Reader as _, Xlsx};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use super::heads::is_head_of;
use super::layout::{Field, Mapping};
use super::records::FIELDS_MAX;
use super::source::text_of;

/// Most bytes of such a feed, and of a workbook after unpacking.
pub const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Rows of a sheet in which the head is looked for.
const HEAD_ROWS: usize = 10;
/// Deepest nesting of XML and JSON.
const DEPTH_MAX: usize = 32;
/// The name of an element's own text beside its attributes.
const OWN_TEXT: &str = "#text";
/// Most parts of a workbook's archive.
const PARTS_MAX: usize = 1_000;

/// What the first bytes of a feed show it to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An Excel workbook, `.xlsx`.
    Workbook,
    /// A workbook of Excel before 2007, `.xls`, which is not read.
    OldWorkbook,
    /// XML.
    Xml,
    /// JSON.
    Json,
}

impl Kind {
    /// None: delimited text.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PK\x03\x04") {
            return Some(Self::Workbook);
        }
        if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Some(Self::OldWorkbook);
        }
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        match text {
            [b'<', ..] => Some(Self::Xml),
            [b'[', ..] => Some(Self::Json),
            [b'{', rest @ ..] if matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}')) => Some(Self::Json),
            _ => None,
        }
    }
}

/// Reads such a feed to its end and gives it as delimited text.
pub fn delimited(kind: Kind, raw: impl Read, mapping: Option<&Mapping>) -> io::Result<Cursor<Vec<u8>>> {
    let mut bytes = Vec::new();
    raw.take(BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(wrong("a workbook, XML or JSON may have 64 MiB; send delimited text (CSV)"));
    }
    let rows = match kind {
        Kind::Workbook => sheet(bytes, mapping)?,
        Kind::OldWorkbook => return Err(wrong("this is a workbook of an old Excel (.xls): save it as .xlsx or CSV")),
        Kind::Xml => table(&from_xml(&text_of(&bytes))?, mapping)?,
        Kind::Json => {
            // One value, or one after another as JSON Lines has them.
            let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&text_of(&bytes)).into_iter().collect();
            let mut values = values.map_err(|e| wrong(format!("this is not the JSON it begins as: {e}")))?;
            let value = if values.len() == 1 { values.pop().unwrap_or_default() } else { Value::Array(values) };
            table(&value, mapping)?
        }
    };
    write(&rows, mapping.and_then(Mapping::delimiter_byte).unwrap_or(b','))
}

fn wrong(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

/// One line per row, whatever is in it.
fn write(rows: &[Vec<String>], delimiter: u8) -> io::Result<Cursor<Vec<u8>>> {
    let mut out = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(Vec::new());
    for row in rows {
        out.write_record(row.iter().map(|value| value.replace(['\r', '\n', '\0'], " "))).map_err(io::Error::other)?;
    }
    out.into_inner().map(Cursor::new).map_err(|e| wrong(e.to_string()))
}

/// The rows of the first sheet that has a VIN column in its first rows.
fn sheet(bytes: Vec<u8>, mapping: Option<&Mapping>) -> io::Result<Vec<Vec<String>>> {
    unpacks_within_bounds(&bytes)?;
    // A crate that reads foreign binary files: should it panic at a hostile one, the file is at fault.
    let rows = catch_unwind(AssertUnwindSafe(|| read_sheet(bytes, mapping)));
    rows.unwrap_or_else(|_| Err(wrong("the workbook is damaged: save it again, or as CSV")))
}

fn unpacks_within_bounds(bytes: &[u8]) -> io::Result<()> {
    let damaged = |e: zip::result::ZipError| wrong(format!("the workbook is damaged: {e}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > PARTS_MAX {
        return Err(wrong("the workbook has more than 1000 parts"));
    }
    let mut left = BYTES_MAX;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(damaged)?;
        let unpacked = io::copy(&mut part.take(left.saturating_add(1)), &mut io::sink())?;
        left = left.checked_sub(unpacked).ok_or_else(|| wrong("the workbook unpacks to more than 64 MiB: send delimited text (CSV)"))?;
    }
    Ok(())
}

fn read_sheet(bytes: Vec<u8>, mapping: Option<&Mapping>) -> io::Result<Vec<Vec<String>>> {
    let damaged = |e: calamine::XlsxError| wrong(format!("the workbook could not be read: {e}"));
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    for name in book.sheet_names() {
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue };
        // By row and column, as they come: a sheet may name a far cell, so no rectangle is made of it.
        let mut rows: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            let (row, column) = cell.get_position();
            if usize::try_from(column).is_ok_and(|column| column < FIELDS_MAX) {
                rows.entry(row).or_default().insert(column, cell_text(cell.get_value()));
            }
        }
        let has_vin = |row: &BTreeMap<u32, String>| row.values().any(|head| is_head_of(Field::Vin, head, mapping));
        if rows.values().take(HEAD_ROWS).any(has_vin) {
            return Ok(dense(rows));
        }
    }
    Err(wrong("no sheet of the workbook has a VIN column in its first rows"))
}

/// Rows as wide as the widest, and as many empty ones at the top as the sheet has, so that lines are its rows.
fn dense(rows: BTreeMap<u32, BTreeMap<u32, String>>) -> Vec<Vec<String>> {
    let width = rows.values().filter_map(|row| row.keys().next_back()).max().map_or(0, |last| last.saturating_add(1));
    let mut table = Vec::with_capacity(rows.len());
    for (at, mut row) in rows {
        // A gap of empty rows within reason keeps the count; a far row does not fill memory with nothing.
        let gap = usize::try_from(at).unwrap_or(usize::MAX).saturating_sub(table.len());
        table.extend(std::iter::repeat_n(vec![String::new()], gap.min(HEAD_ROWS)));
        table.push((0..width).map(|column| row.remove(&column).unwrap_or_default()).collect());
    }
    table
}

fn cell_text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::DateTime(_) => cell.as_datetime().map(|at| at.date().to_string()).unwrap_or_default(),
        DataRef::Bool(yes) => yes.to_string(),
        other => other.as_string().unwrap_or_default().trim().to_owned(),
    }
}

/// XML as nested objects: a repeated element is a list, an element without elements is its text.
fn from_xml(text: &str) -> io::Result<Value> {
    #[derive(Default)]
    struct Open {
        name: String,
        attributes: Map<String, Value>,
        children: Map<String, Value>,
        text: String,
    }
    let name = |start: &BytesStart<'_>| start.local_name().as_ref().to_owned();
    let mut reader = Reader::from_str(text);
    // Ends that fit no beginning are the reader's to refuse.
    let mut open = vec![Open::default()];
    loop {
        let event =
            reader.read_event().map_err(|e| wrong(format!("the XML is not well formed at byte {}: {e}", reader.error_position())))?;
        let depth = open.len();
        let top = open.last_mut().ok_or_else(|| wrong("the XML ends more than it begins"))?;
        match event {
            Event::Start(start) if depth > DEPTH_MAX => return Err(wrong(format!("the XML is nested too deeply at {}", name(&start)))),
            Event::Start(start) => open.push(Open { name: name(&start), attributes: attributes(&start), ..Open::default() }),
            Event::Empty(start) => {
                let told = attributes(&start);
                let value = if told.is_empty() { Value::Null } else { Value::Object(told) };
                add(&mut top.children, name(&start), value);
            }
            Event::Text(part) => top.text.push_str(&part.xml10_content()),
            Event::CData(part) => top.text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => top.text.push_str(&resolved(&reference)),
            Event::End(_) => {
                let Some(Open { name, attributes, mut children, text }) = open.pop() else { continue };
                // The element inside is the fact, should an attribute have its name.
                for (attribute, value) in attributes {
                    let taken = children.contains_key(&attribute);
                    children.insert(if taken { format!("@{attribute}") } else { attribute }, value);
                }
                let value = with_text(children, text.trim());
                let above = open.last_mut().ok_or_else(|| wrong("the XML ends more than it begins"))?;
                add(&mut above.children, name, value);
            }
            Event::DocType(_) => return Err(wrong("document type declarations are refused")),
            Event::Eof => break,
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
    let root = open.pop().filter(|_| open.is_empty()).ok_or_else(|| wrong("the XML ends in the middle: it was cut"))?;
    Ok(Value::Object(root.children))
}

/// An element's text, or what is in it; both when it has both.
fn with_text(mut inside: Map<String, Value>, text: &str) -> Value {
    if inside.is_empty() {
        return Value::String(text.to_owned());
    }
    if !text.is_empty() {
        inside.insert(OWN_TEXT.to_owned(), Value::String(text.to_owned()));
    }
    Value::Object(inside)
}

/// The attributes of an element, without what XML says about itself. One that is not well formed is passed over.
fn attributes(start: &BytesStart<'_>) -> Map<String, Value> {
    let mut told = Map::new();
    for attribute in start.attributes().with_checks(false).flatten() {
        if attribute.key.as_namespace_binding().is_none() && attribute.key.prefix().is_none() {
            let value = attribute.normalized_value(XmlVersion::default()).unwrap_or(attribute.value.clone());
            add(&mut told, attribute.key.local_name().as_ref().to_owned(), Value::String(value.trim().to_owned()));
        }
    }
    told
}

fn add(children: &mut Map<String, Value>, name: String, value: Value) {
    match children.get_mut(&name) {
        Some(Value::Array(many)) => many.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
        None => _ = children.insert(name, value),
    }
}

/// The five predefined entities and character references; any other stays as it is written.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name: &str = reference;
    resolve_predefined_entity(name).map_or_else(|| format!("&{name};"), str::to_owned)
}

/// The outermost objects with a VIN as rows, the heads first.
fn table(value: &Value, mapping: Option<&Mapping>) -> io::Result<Vec<Vec<String>>> {
    let vehicles = vehicles(value, mapping);
    if vehicles.is_empty() {
        return Err(wrong("no list of vehicles with a VIN was found in it"));
    }
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut rows = vec![Vec::new()];
    for vehicle in vehicles {
        let mut row = Vec::new();
        for (name, value) in vehicle {
            flatten(name, value, DEPTH_MAX, &mut |path, text| {
                let known = at.len();
                let column = *at.entry(path.to_owned()).or_insert(known);
                if column < FIELDS_MAX {
                    row.resize(row.len().max(column.saturating_add(1)), String::new());
                    let Some(cell) = row.get_mut(column) else { return };
                    if !cell.is_empty() && !text.is_empty() {
                        cell.push('|');
                    }
                    cell.push_str(&text);
                }
            });
        }
        rows.push(row);
    }
    let mut heads: Vec<(String, usize)> = at.into_iter().filter(|(_, column)| *column < FIELDS_MAX).collect();
    heads.sort_by_key(|(_, column)| *column);
    let width = heads.len();
    for row in &mut rows {
        row.resize(width, String::new());
    }
    if let Some(first) = rows.first_mut() {
        *first = heads.into_iter().map(|(head, _)| head).collect();
    }
    Ok(rows)
}

/// The outermost objects with a VIN, wherever they are, so that neither two lists nor a list of wrappers loses any; and of
/// their lists what has none, so that it is reported and not passed over. Lists of what was sold or removed are left.
fn vehicles<'v>(value: &'v Value, mapping: Option<&Mapping>) -> Vec<&'v Map<String, Value>> {
    let mut found = Vec::new();
    gather(value, mapping, DEPTH_MAX, &mut found);
    found
}

fn gather<'v>(value: &'v Value, mapping: Option<&Mapping>, depth: usize, found: &mut Vec<&'v Map<String, Value>>) {
    let has_vin = |object: &Map<String, Value>| object.keys().any(|name| is_head_of(Field::Vin, name, mapping));
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Array(many) if many.iter().filter_map(Value::as_object).any(has_vin) => {
            found.extend(many.iter().filter_map(Value::as_object));
        }
        Value::Array(many) => many.iter().for_each(|one| gather(one, mapping, depth, found)),
        Value::Object(object) if has_vin(object) => found.push(object),
        Value::Object(object) => {
            let gone = |name: &str| ["sold", "removed", "deleted", "archived"].iter().any(|word| name.to_lowercase().contains(word));
            object.iter().filter(|(name, _)| !gone(name)).for_each(|(_, one)| gather(one, mapping, depth, found));
        }
        _ => {}
    }
}

fn flatten(path: &str, value: &Value, depth: usize, each: &mut impl FnMut(&str, String)) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Null => {}
        Value::Object(object) => object.iter().for_each(|(name, value)| match name.as_str() {
            OWN_TEXT => flatten(path, value, depth, each),
            name => flatten(&format!("{path}.{name}"), value, depth, each),
        }),
        Value::Array(many) => many.iter().for_each(|value| flatten(path, value, depth, each)),
        Value::String(text) => each(path, text.trim().to_owned()),
        Value::Bool(_) | Value::Number(_) => each(path, value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: Kind, raw: &[u8]) -> Result<String, String> {
        let told = delimited(kind, raw, None).map_err(|e| e.to_string())?;
        Ok(String::from_utf8(told.into_inner()).unwrap())
    }

    #[test]
    fn the_first_bytes_tell_what_a_feed_is() {
        for (head, kind) in [
            (&b"PK\x03\x04..."[..], Some(Kind::Workbook)),
            (b"\xd0\xcf\x11\xe0\xa1", Some(Kind::OldWorkbook)),
            (b"\xef\xbb\xbf <?xml", Some(Kind::Xml)),
            (b"\n[ {", Some(Kind::Json)),
            (b"{ \"a\"", Some(Kind::Json)),
            (b"{A},{B}", None),
            (b"VIN,Stock", None),
            (b"", None),
        ] {
            assert_eq!(Kind::of(head), kind, "{head:?}");
        }
    }

    #[test]
    fn json_becomes_rows_by_paths() {
        let json = br#"{"total": 2, "gone": ["X"], "vehicles": [
            {"vin": "A", "mileage": {"value": 5, "unit": "KM"}, "images": ["1", "2"], "note": "two\nlines, \"quoted\""},
            {"vin": "B", "trim": null, "sold": true}]}"#;
        assert_eq!(
            text(Kind::Json, json).unwrap(),
            "images,mileage.unit,mileage.value,note,vin,sold\n1|2,KM,5,\"two lines, \"\"quoted\"\"\",A,\n,,,,B,true\n"
        );
        let wrapped = br#"{"new": [{"car": {"vin": "A"}}, {"car": {"vin": "B"}}], "used": {"7": {"vin": "C"}}}"#;
        assert_eq!(text(Kind::Json, wrapped).unwrap(), "vin\nA\nB\nC\n");
        let wrapped = br#"{"list": [{"item": {"vin": "A"}}, {"item": {"vin": "B"}}], "@type": "ItemList"}"#;
        assert_eq!(text(Kind::Json, wrapped).unwrap(), "vin\nA\nB\n");
        assert_eq!(text(Kind::Json, br#"{"new": [{"vin": "A"}], "used": [{"vin": "B"}], "sold": [{"vin": "C"}]}"#).unwrap(), "vin\nA\nB\n");
        assert_eq!(text(Kind::Json, b"{\"vin\": \"A\"}\n{\"vin\": \"B\"}\n").unwrap(), "vin\nA\nB\n");
        assert!(text(Kind::Json, br#"{"a": [{"id": 1}]}"#).unwrap_err().contains("no list of vehicles"));
        assert!(text(Kind::Json, br#"[{"vin": "A"}"#).unwrap_err().contains("not the JSON"));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(text(Kind::Json, deep.as_bytes()).is_err());
    }

    #[test]
    fn xml_becomes_rows_by_paths() {
        let xml = b"<?xml version='1.0'?><!-- lot --><listings><title>T</title>
            <listing><vin>A</vin><image><url>1</url></image><image><url>2</url></image><make>Rolls &amp; Royce &#38; &x;</make><none/></listing>
            <listing><vin><![CDATA[B]]></vin></listing></listings>";
        assert_eq!(text(Kind::Xml, xml).unwrap(), "image.url,make,vin\n1|2,Rolls & Royce & &x;,A\n,,B\n");
        assert_eq!(text(Kind::Xml, b"<lot><car><vin>A</vin><year>2020</year></car></lot>").unwrap(), "vin,year\nA,2020\n");
        let told = br#"<lot xmlns="u:x" xmlns:y="u:y"><car y:z="1" id="7" vin="A"><id>8</id><odometer unit="km">5</odometer><photos><photo n="1">p</photo>
            <photo>q</photo></photos><seller name="S &amp; T"/></car></lot>"#;
        assert_eq!(
            text(Kind::Xml, told).unwrap(),
            "@id,id,odometer,odometer.unit,photos.photo,photos.photo.n,seller.name,vin\n7,8,5,km,p|q,1,S & T,A\n"
        );
        assert!(text(Kind::Xml, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x><vin>A</vin></x>").unwrap_err().contains("refused"));
        assert!(text(Kind::Xml, b"<lot><car><vin>A</vin>").unwrap_err().contains("cut"));
        assert!(text(Kind::Xml, b"<lot></car>").is_err());
        assert!(text(Kind::Xml, "<a>".repeat(1_000_000).as_bytes()).unwrap_err().contains("too deeply"));
        assert!(text(Kind::Xml, b"<html><p>404</p></html>").unwrap_err().contains("no list of vehicles"));
    }

    /// A workbook of one sheet.
    fn workbook(sheet: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, text) in [
            ("[Content_Types].xml", "<Types/>"),
            (
                "_rels/.rels",
                r#"<Relationships><Relationship Id="r0" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
            ),
            (
                "xl/_rels/workbook.xml.rels",
                r#"<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
            ),
            (
                "xl/workbook.xml",
                r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Lot" sheetId="1" r:id="r1"/></sheets></workbook>"#,
            ),
            ("xl/worksheets/sheet1.xml", sheet),
        ] {
            zip.start_file(name, options).unwrap();
            io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn cell(at: &str, text: &str) -> String {
        format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    }

    #[test]
    fn a_line_is_a_row_of_the_sheet_and_a_far_cell_takes_no_room() {
        let rows = format!(
            r#"<worksheet><sheetData><row r="2">{}{}</row><row r="3">{}<c r="C3"><v>20495</v></c></row>
               <row r="900000">{}{}</row></sheetData></worksheet>"#,
            cell("A2", "VIN"),
            cell("C2", "Price"),
            cell("A3", "A"),
            cell("A900000", "B"),
            cell("XFD900000", "far"),
        );
        let told = text(Kind::Workbook, &workbook(&rows)).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[..3], ["\"\"", "VIN,,Price", "A,,20495"]);
        assert!(lines.len() < 20 && lines.last() == Some(&"B,,"), "{lines:?}");
    }

    #[test]
    fn damaged_and_swollen_workbooks_are_refused() {
        assert!(text(Kind::Workbook, b"PK\x03\x04 and nothing else").unwrap_err().contains("damaged"));
        assert!(text(Kind::Workbook, &workbook("<worksheet><sheetData/></worksheet>")).unwrap_err().contains("no sheet"));
        let good = workbook("<worksheet><sheetData/></worksheet>");
        for cut in 4..good.len() {
            assert!(text(Kind::Workbook, &good[..cut]).is_err());
        }
        let swollen = workbook(&format!("<worksheet>{}</worksheet>", " ".repeat(70 * 1024 * 1024)));
        assert!(swollen.len() < 1024 * 1024);
        assert!(text(Kind::Workbook, &swollen).unwrap_err().contains("more than 64 MiB"));
        assert!(text(Kind::OldWorkbook, b"\xd0\xcf\x11\xe0").unwrap_err().contains(".xlsx"));
    }
}
