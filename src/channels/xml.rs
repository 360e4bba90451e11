//! A small, bounded reader of foreign XML: what is well formed becomes a tree, what is not is read as far as it goes.
//!
//! - A document type declaration is refused when it is met; no entity is ever declared, expanded or fetched. The five
//!   predefined entities and character references are resolved; any other reference stays as the text it is.
//! - Size, depth, number of elements and attributes, and length of text are bounded (`Limits`).
//! - Names are compared without prefix and without case.
//! - Broken markup marks the element it sits in as damaged ([`Element::damage`]); its neighbours are read on.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Largest document, in bytes.
pub(crate) const SIZE_MAX: usize = 1 << 20;
/// Deepest nesting.
pub(crate) const DEPTH_MAX: usize = 32;
/// Most elements.
pub(crate) const ELEMENTS_MAX: usize = 10_000;
/// Most attributes of one element.
pub(crate) const ATTRIBUTES_MAX: usize = 32;
/// Longest text of one element, and longest attribute value, in bytes.
pub(crate) const TEXT_MAX: usize = 64 << 10;
/// Longest name looked at to tell markup from text, in characters.
const NAME_MAX: usize = 100;
/// Most warnings kept.
const WARNINGS_MAX: usize = 50;

/// HTML elements without an end, as people paste them into comments.
const VOID: &[&str] = &["br", "hr", "img", "input", "meta", "link", "wbr"];

/// Why nothing of a document was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It brings a document type or entity declaration.
    #[error("document type and entity declarations are refused")]
    DocType,
    /// It is larger than [`SIZE_MAX`].
    #[error("larger than 1 MiB")]
    Size,
    /// It is nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} elements")]
    Depth,
    /// It has more elements than [`ELEMENTS_MAX`].
    #[error("more than {ELEMENTS_MAX} elements")]
    Elements,
    /// An element has more attributes than [`ATTRIBUTES_MAX`].
    #[error("an element with more than {ATTRIBUTES_MAX} attributes")]
    Attributes,
    /// A text is longer than [`TEXT_MAX`].
    #[error("a text longer than 64 KiB")]
    Text,
}

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Lower-case name without prefix.
    pub(crate) name: String,
    /// Lower-case names without prefix, values as written.
    attributes: Vec<(String, String)>,
    nodes: Vec<Node>,
    /// What is broken in or below it, if anything.
    pub(crate) damage: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Text(String),
    Element(Element),
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The top-level elements; a proper document has one.
    pub(crate) roots: Vec<Element>,
    /// Oddities that do not stand in the way.
    pub(crate) warnings: Vec<String>,
    /// Where reading ended early, and why.
    pub(crate) fault: Option<String>,
}

impl Element {
    /// The value of an attribute; empty counts as missing.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim()).filter(|v| !v.is_empty())
    }

    /// The child elements.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The child elements of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> + 'a {
        self.elements().filter(move |e| e.name == name)
    }

    /// The first child element of this name.
    pub(crate) fn first<'a>(&'a self, name: &'a str) -> Option<&'a Element> {
        self.all(name).next()
    }

    /// All text inside, markup left out.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.gather(&mut out);
        out
    }

    fn gather(&self, out: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => {
                    if !out.is_empty() && !out.ends_with(char::is_whitespace) {
                        out.push(' ');
                    }
                    element.gather(out);
                }
            }
        }
    }

    /// A text that is the same for documents that say the same: attributes in order, whitespace folded, `skip` left out.
    pub(crate) fn canonical(&self, skip: impl Fn(&str, &str) -> bool + Copy) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out, skip);
        out
    }

    fn write_canonical(&self, out: &mut String, skip: impl Fn(&str, &str) -> bool + Copy) {
        let mut attributes: Vec<_> = self.attributes.iter().filter(|(name, _)| !skip(&self.name, name)).collect();
        attributes.sort();
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in attributes {
            out.push('\u{1}');
            out.push_str(name);
            out.push('=');
            out.push_str(value.trim());
        }
        out.push('>');
        for node in &self.nodes {
            match node {
                Node::Text(text) => {
                    for word in text.split_whitespace() {
                        out.push(' ');
                        out.push_str(word);
                    }
                }
                Node::Element(element) => element.write_canonical(out, skip),
            }
        }
        out.push_str("</>");
    }
}

/// Reads a document that has been decoded.
pub(crate) fn read(text: &str) -> Result<Tree, Refused> {
    if text.len() > SIZE_MAX {
        return Err(Refused::Size);
    }
    let repaired = escape_bare_less_than(text);
    let mut builder = Builder::default();
    if matches!(repaired, Cow::Owned(_)) {
        builder.warn("a bare \"<\" was read as text");
    }
    let mut reader = Reader::from_str(&repaired);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => builder.open(&start, false)?,
            Ok(Event::Empty(start)) => builder.open(&start, true)?,
            Ok(Event::End(end)) => builder.close(&local(end.name().as_ref())),
            Ok(Event::Text(text)) => builder.text(&text.xml10_content())?,
            Ok(Event::CData(data)) => builder.text(&data.xml10_content())?,
            Ok(Event::GeneralRef(reference)) => builder.reference(&reference)?,
            Ok(Event::DocType(_)) => return Err(Refused::DocType),
            Ok(Event::Comment(_) | Event::PI(_) | Event::Decl(_)) => {}
            Ok(Event::Eof) => break,
            Err(_) => {
                builder.fault = Some(format!("not well formed at byte {}", reader.error_position()));
                break;
            }
        }
    }
    Ok(builder.finish())
}

#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    roots: Vec<Element>,
    warnings: Vec<String>,
    fault: Option<String>,
    elements: usize,
}

impl Builder {
    fn warn(&mut self, warning: &str) {
        if self.warnings.len() < WARNINGS_MAX && !self.warnings.iter().any(|w| w == warning) {
            self.warnings.push(warning.to_owned());
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<(), Refused> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > ELEMENTS_MAX {
            return Err(Refused::Elements);
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(Refused::Depth);
        }
        let mut element = Element { name: local(start.name().as_ref()), ..Element::default() };
        // The check for repeated names is quadratic; the first of a name wins here.
        for attribute in start.attributes().with_checks(false) {
            let Ok(attribute) = attribute else {
                self.warn("an attribute could not be read");
                continue;
            };
            if element.attributes.len() >= ATTRIBUTES_MAX {
                return Err(Refused::Attributes);
            }
            if attribute.value.len() > TEXT_MAX {
                return Err(Refused::Text);
            }
            let value = attribute.normalized_value(quick_xml::XmlVersion::default()).unwrap_or(attribute.value.clone()).into_owned();
            element.attributes.push((local(attribute.key.as_ref()), value));
        }
        if empty || VOID.contains(&element.name.as_str()) {
            self.attach(element);
        } else {
            self.open.push(element);
        }
        Ok(())
    }

    fn close(&mut self, name: &str) {
        if VOID.contains(&name) {
            return;
        }
        let Some(depth) = self.open.iter().rposition(|e| e.name == name) else {
            self.damage_open(format!("</{}> closes nothing", show(name)));
            return;
        };
        while self.open.len() > depth.saturating_add(1) {
            let prose = self.in_prose();
            let Some(mut unclosed) = self.open.pop() else { return };
            let what = format!("<{}> is not closed", show(&unclosed.name));
            if prose {
                self.warn(&what);
            } else {
                unclosed.damage.get_or_insert(what);
            }
            self.attach(unclosed);
        }
        if let Some(element) = self.open.pop() {
            self.attach(element);
        }
    }

    /// Inside a free text, where pasted HTML is as broken as it likes.
    fn in_prose(&self) -> bool {
        let above = self.open.len().saturating_sub(1);
        self.open.iter().take(above).any(|e| matches!(e.name.as_str(), "comments" | "comment" | "description" | "pricecomments"))
    }

    fn damage_open(&mut self, what: String) {
        let prose = self.in_prose() || self.open.last().is_some_and(|e| matches!(e.name.as_str(), "comments" | "comment"));
        match self.open.last_mut() {
            Some(element) if !prose => {
                element.damage.get_or_insert(what);
            }
            _ => self.warn(&what),
        }
    }

    fn attach(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(parent) => {
                if parent.damage.is_none() {
                    parent.damage.clone_from(&element.damage);
                }
                parent.nodes.push(Node::Element(element));
            }
            None => self.roots.push(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Refused> {
        let Some(element) = self.open.last_mut() else { return Ok(()) };
        let length = match element.nodes.last_mut() {
            Some(Node::Text(before)) => {
                before.push_str(text);
                before.len()
            }
            _ if text.is_empty() => 0,
            _ => {
                element.nodes.push(Node::Text(text.to_owned()));
                text.len()
            }
        };
        if length > TEXT_MAX { Err(Refused::Text) } else { Ok(()) }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Refused> {
        let name: &str = reference;
        let mut buffer = [0; 4];
        let known = match reference.resolve_char_ref() {
            Ok(Some(c)) => Some(&*c.encode_utf8(&mut buffer)),
            Ok(None) => quick_xml::escape::resolve_predefined_entity(name).or_else(|| (name == "nbsp").then_some("\u{a0}")),
            Err(_) => None,
        };
        if let Some(text) = known {
            return self.text(text);
        }
        self.warn("a reference to an undeclared entity was kept as text");
        self.text(&format!("&{name};"))
    }

    fn finish(mut self) -> Tree {
        let cut = self.fault.clone();
        while let Some(mut element) = self.open.pop() {
            let what = cut.clone().unwrap_or_else(|| format!("<{}> is not closed", show(&element.name)));
            self.fault.get_or_insert_with(|| what.clone());
            element.damage.get_or_insert(what);
            self.attach(element);
        }
        Tree { roots: self.roots, warnings: self.warnings, fault: self.fault }
    }
}

/// Lower-case, without a namespace prefix.
fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).trim().to_lowercase()
}

fn show(name: &str) -> String {
    crate::kernel::text::excerpt(name, 40)
}

/// Whether what follows a `<` is a name, a closing name, a declaration or an instruction. "20000" and "ada@example.com>" are
/// not.
fn begins_markup(from: &str) -> bool {
    if from.starts_with(['!', '?']) {
        return true;
    }
    let name = from.strip_prefix('/').unwrap_or(from);
    let length = name.char_indices().take(NAME_MAX).find(|(_, c)| c.is_whitespace() || matches!(c, '>' | '/' | '<')).map(|(at, _)| at);
    let Some(name) = length.and_then(|length| name.get(..length)) else {
        // Longer than any name, or cut off: the reader will say.
        return name.starts_with(|c: char| c.is_alphabetic()) && !name.chars().take(NAME_MAX).any(|c| c == '@');
    };
    name.trim().is_empty() && from.starts_with('/')
        || name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'))
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.'))
}

/// A `<` that no markup can begin with ("under < 20000") becomes `&lt;`. Comments and CDATA sections are left alone.
fn escape_bare_less_than(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('<') {
        let skip_to = if from.starts_with("![CDATA[") {
            Some("]]>")
        } else if from.starts_with("!--") {
            Some("-->")
        } else {
            None
        };
        let markup = begins_markup(from);
        if !markup && out.is_empty() {
            // The first one: everything before it is copied once.
            let done = text.len().saturating_sub(from.len()).saturating_sub(1);
            out.push_str(text.get(..done).unwrap_or_default());
            out.push_str("&lt;");
            rest = from;
            continue;
        }
        let copied = !out.is_empty();
        if copied {
            out.push_str(before);
            out.push_str(if markup { "<" } else { "&lt;" });
        }
        rest = from;
        if let Some(end) = skip_to {
            let Some((inside, after)) = from.split_once(end) else { break };
            if copied {
                out.push_str(inside);
                out.push_str(end);
            }
            rest = after;
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Element {
        read(text).unwrap().roots.into_iter().next().unwrap()
    }

    #[test]
    fn names_lose_prefix_and_case_and_text_is_resolved() {
        let adf = root("<?xml version='1.0'?><a:ADF X:Id='1 &amp; 2'><N>Smith &amp; S&#246;hne <![CDATA[<b>&amp;</b>]]></N></a:ADF>");
        assert_eq!((adf.name.as_str(), adf.attribute("id")), ("adf", Some("1 & 2")));
        assert_eq!(adf.first("n").unwrap().text(), "Smith & Söhne <b>&amp;</b>");
    }

    #[test]
    fn what_people_write_by_hand_is_read() {
        let tree = read("<c><u>a & b&c; &nbsp;&foo; x < 5 <br> y <br/> z</u><comments>hi <p>there<b>x</i></comments></c>").unwrap();
        assert_eq!(tree.roots[0].first("u").unwrap().text(), "a & b&c; \u{a0}&foo; x < 5  y  z");
        assert_eq!(tree.roots[0].first("comments").unwrap().text(), "hi there x");
        assert_eq!(root("<c>Ada <ada@example.com> a</c>").text(), "Ada <ada@example.com> a");
        assert_eq!((tree.fault, tree.roots[0].damage.clone()), (None, None));
        assert!(tree.warnings.len() >= 3, "{:?}", tree.warnings);
    }

    #[test]
    fn broken_markup_damages_the_element_it_sits_in() {
        let adf = root("<adf><p><n>1</n></p><p><n>2</p><p><n>3</n></p></adf>");
        let damage: Vec<_> = adf.all("p").map(|p| p.damage.as_deref()).collect();
        assert_eq!(damage, [None, Some("<n> is not closed"), None]);
        let tree = read("<adf><broken></adf>").unwrap();
        assert_eq!(tree.roots[0].damage.as_deref(), Some("<broken> is not closed"));
        let cut = read("<adf><p><n>1</n></p><p><n>2</n").unwrap();
        assert!(cut.fault.is_some() && cut.roots[0].all("p").next().unwrap().damage.is_none());
    }

    #[test]
    fn the_same_content_has_the_same_canonical_text() {
        let one = root("<p status='new' a='1' b='2'><x>a  b</x>\n <y/></p>").canonical(|_, a| a == "status");
        let two = root("<P b='2' a='1' status='resend'>  <x> a\nb </x><y></y></P>").canonical(|_, a| a == "status");
        assert_eq!(one, two);
        assert_ne!(one, root("<p a='1' b='2'><x>a c</x><y/></p>").canonical(|_, _| false));
    }

    #[test]
    fn hostile_documents_are_refused_quickly_and_nothing_is_expanded() {
        let laughs = "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">]><adf>&b;</adf>";
        let fetch = "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><adf>&x;</adf>";
        for (text, want) in [
            (laughs.to_owned(), Refused::DocType),
            (fetch.to_owned(), Refused::DocType),
            ("<!doctype adf>".to_owned(), Refused::DocType),
            ("<a>".repeat(100_000), Refused::Depth),
            (format!("<a>{}</a>", "<b/>".repeat(100_000)), Refused::Elements),
            (format!("<a {}/>", "x='1' ".repeat(50_000)), Refused::Attributes),
            (format!("<a x='{}'/>", "y".repeat(100_000)), Refused::Text),
            (format!("<a>{}</a>", "y".repeat(100_000)), Refused::Text),
            ("x".repeat(SIZE_MAX + 1), Refused::Size),
        ] {
            let started = std::time::Instant::now();
            assert_eq!(read(&text).map(|_| ()), Err(want));
            assert!(started.elapsed() < std::time::Duration::from_millis(500), "{want:?}, unoptimised: {:?}", started.elapsed());
        }
        assert!(read(&"<".repeat(64 << 10)).unwrap().roots.is_empty());
        assert!(read("<!ENTITY x 'y'><adf/>").unwrap().roots.is_empty());
    }
}
