//! Addresses of photos, as feeds list them.

use serde_json::Value;

use super::normalise::is_nothing;

/// Most photos of a vehicle.
pub const PHOTOS_MAX: usize = 60;
const ADDRESS_MAX: usize = 2000;

/// What a cell of photos holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Photos {
    /// Addresses, in order.
    pub urls: Vec<String>,
    /// The first text that is none.
    pub unread: Option<String>,
}

/// Reads addresses separated by `|`, `;`, spaces, or a comma before an address; or a list in JSON. Only http and https;
/// `//host` and `www.` become https. A bare number counts photos and names none.
pub fn photos(text: &str) -> Photos {
    let text = text.trim();
    let mut found = Photos::default();
    if text.starts_with(['[', '{'])
        && let Ok(list) = serde_json::from_str::<Value>(text)
    {
        collect(&list, &mut found);
        return found;
    }
    text.split(|c: char| matches!(c, '|' | ';') || c.is_whitespace()).flat_map(split_at_addresses).for_each(|part| found.add(part));
    found
}

/// The texts of a JSON list; of its objects only those that look like addresses.
fn collect(value: &Value, found: &mut Photos) {
    match value {
        Value::String(text) => found.add(text),
        Value::Array(many) => many.iter().for_each(|one| collect(one, found)),
        Value::Object(object) => {
            object.values().filter(|v| v.as_str().is_none_or(|t| address(t).is_some())).for_each(|v| collect(v, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Photos {
    fn add(&mut self, part: &str) {
        let part = part.trim().trim_matches([',', '"', '\'', '[', ']', '{', '}']);
        match address(part) {
            Some(url) => self.urls.push(url),
            None if is_nothing(part) || part.bytes().all(|b| b.is_ascii_digit()) => {}
            None => _ = self.unread.get_or_insert_with(|| part.to_owned()),
        }
    }
}

fn address(text: &str) -> Option<String> {
    let text = text.trim().replace("\\/", "/");
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let url = match () {
        () if begins("https://") => format!("https://{}", text.get(8..)?),
        () if begins("http://") => format!("http://{}", text.get(7..)?),
        () if begins("//") => format!("https:{text}"),
        () if begins("www.") => format!("https://{text}"),
        () => return None,
    };
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    let clean = !url.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"'));
    (clean && url.len() <= ADDRESS_MAX && host.starts_with(|c: char| c.is_alphanumeric() || c == '[')).then_some(url)
}

/// A comma may be part of an address; one before an address parts two.
fn split_at_addresses(text: &str) -> Vec<&str> {
    let lower = text.to_ascii_lowercase();
    let is_start = |at: &usize| {
        let after = lower.get(at.saturating_add(1)..).unwrap_or("").trim_start_matches(['"', '\'']);
        ["http://", "https://", "http:\\/", "https:\\/", "//", "www."].iter().any(|start| after.starts_with(start))
    };
    let mut starts: Vec<usize> = lower.match_indices(',').map(|(at, _)| at).filter(is_start).collect();
    starts.push(text.len());
    let mut from = 0;
    starts
        .into_iter()
        .filter_map(|end| {
            let part = text.get(from..end);
            from = end.saturating_add(1);
            part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<String> {
        let found = photos(text);
        assert_eq!(found.unread, None, "{text}");
        found.urls
    }

    #[test]
    fn lists_are_split_and_cleaned() {
        assert_eq!(urls("https://a/1,2.jpg,https://a/3.jpg|http://b/4.png"), ["https://a/1,2.jpg", "https://a/3.jpg", "http://b/4.png"]);
        assert_eq!(
            urls("HTTPS://A.com/1.jpg, //b.com/2.jpg;www.c.com/3.jpg"),
            ["https://A.com/1.jpg", "https://b.com/2.jpg", "https://www.c.com/3.jpg"]
        );
        assert_eq!(urls("//a/1.jpg,//a/2.jpg"), ["https://a/1.jpg", "https://a/2.jpg"]);
    }

    #[test]
    fn lists_in_json_are_read() {
        assert_eq!(urls(r#"["https://a/1.jpg","https:\/\/a\/2.jpg"]"#), ["https://a/1.jpg", "https://a/2.jpg"]);
        assert_eq!(urls(r#"[{"url":"https://a/1.jpg","tag":["https://a/t.jpg"],"alt":"Front"}]"#).len(), 2);
        assert_eq!(urls("['https://a/1.jpg', 'https://a/2.jpg']"), ["https://a/1.jpg", "https://a/2.jpg"]);
    }

    #[test]
    fn what_is_no_address_is_told() {
        for text in ["javascript:alert(1)", "ftp://x", "IMG_1.JPG", "http://", "https:///x"] {
            assert_eq!(photos(text), Photos { urls: Vec::new(), unread: Some(text.to_owned()) }, "{text}");
        }
        assert_eq!(photos("23"), Photos::default());
        assert_eq!(photos("N/A"), Photos::default());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_panic(text in "\\PC{0,60}") {
            let _ = photos(&text);
        }
    }
}
