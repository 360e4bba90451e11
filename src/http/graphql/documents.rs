//! Documents this server has seen: parsed and measured once, found again by their text or by its SHA-256.
//!
//! Two generations bound the memory without bookkeeping per entry: when the young one is full it becomes the old one, and
//! what is used again moves back. The bound counts tokens, because a parsed document grows with them, not with its bytes.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use async_graphql::parser;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};

use super::order::Orders;
use super::{Refusal, guard, scan};
use crate::graphql::ErrorCode;
use crate::http::limits::Limits;

/// A parsed document within the bounds.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: Arc<str>,
    pub(crate) parsed: ExecutableDocument,
    tokens: usize,
    orders: OnceLock<Orders>,
}

impl Document {
    /// Parses and measures.
    pub(crate) fn read(text: &str, limits: &Limits) -> Result<Self, Refusal> {
        let scan = scan::check(text, limits)?;
        let parsed = parser::parse_query(text).map_err(|error| {
            let mut refusal = Refusal::new(ErrorCode::ParseFailed, error.to_string());
            refusal.locations = error.positions().collect();
            refusal
        })?;
        guard::document(&parsed, limits)?;
        Ok(Self { text: text.into(), parsed, tokens: scan.tokens, orders: OnceLock::new() })
    }

    /// In which order answers have their fields. Only for a document that was executed, and so is valid.
    pub(crate) fn orders(&self) -> &Orders {
        self.orders.get_or_init(|| Orders::of(&self.parsed))
    }

    /// The operation that is asked for.
    pub(crate) fn operation(&self, name: Option<&str>) -> Result<&OperationDefinition, Refusal> {
        let found = match (&self.parsed.operations, name) {
            (DocumentOperations::Single(operation), None) => Some(operation),
            (DocumentOperations::Single(_), Some(_)) => None,
            (DocumentOperations::Multiple(all), Some(name)) => all.get(name),
            (DocumentOperations::Multiple(all), None) if all.len() == 1 => all.values().next(),
            (DocumentOperations::Multiple(_), None) => {
                return Err(Refusal::new(ErrorCode::BadRequest, "The document has several operations: say which one in operationName."));
            }
        };
        found
            .map(|operation| &operation.node)
            .ok_or_else(|| Refusal::new(ErrorCode::BadRequest, "The document has no operation with the name given in operationName."))
    }
}

/// "query", "mutation" or "subscription", for metrics and the log.
pub(crate) fn kind(ty: OperationType) -> &'static str {
    match ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// A document's name in the cache: the SHA-256 of its text in lower-case hexadecimal, as persisted operations use it.
pub(crate) fn hash(text: &str) -> String {
    use std::fmt::Write as _;
    crate::kernel::seal::sha256(text.as_bytes()).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[derive(Debug, Default)]
struct Generation {
    documents: HashMap<Arc<str>, Arc<Document>>,
    tokens: usize,
}

#[derive(Debug, Default)]
struct Generations {
    young: Generation,
    old: Generation,
}

/// The bounded store.
#[derive(Debug)]
pub(crate) struct Documents {
    generations: RwLock<Generations>,
    tokens_max: usize,
}

impl Documents {
    /// Holds at most about `tokens_max` tokens.
    pub(crate) fn new(tokens_max: usize) -> Self {
        Self { generations: RwLock::default(), tokens_max }
    }

    /// The document kept under this key: a text or a hash.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<Document>> {
        {
            let generations = self.generations.read().ok()?;
            if let Some(document) = generations.young.documents.get(key) {
                return Some(Arc::clone(document));
            }
            if !generations.old.documents.contains_key(key) {
                return None;
            }
        }
        let document = self.generations.write().ok()?.old.documents.remove(key)?;
        self.keep(key.into(), &document);
        Some(document)
    }

    /// Keeps a document that is known to be valid.
    pub(crate) fn keep(&self, key: Arc<str>, document: &Arc<Document>) {
        let Ok(mut generations) = self.generations.write() else { return };
        // Hash and text are kept apart; each counts, and so does the map's own entry.
        let weight = document.tokens.saturating_add(20);
        if generations.young.tokens.saturating_add(weight) > self.tokens_max / 2 {
            generations.old = std::mem::take(&mut generations.young);
        }
        if generations.young.documents.insert(key, Arc::clone(document)).is_none() {
            generations.young.tokens = generations.young.tokens.saturating_add(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Arc<Document> {
        Arc::new(Document::read(text, &Limits::default()).unwrap())
    }

    #[test]
    fn used_documents_stay_and_others_go() {
        let documents = Documents::new(400); // 200 tokens per generation, 23 per document of three tokens
        let used = document("{ used }");
        documents.keep("used".into(), &used);
        for i in 0..100 {
            documents.keep(format!("{i}").into(), &document("{ once }"));
            assert!(documents.find("used").is_some(), "after {i}");
        }
        assert!(documents.find("0").is_none());
        let kept = (0..100).filter(|i| documents.find(&i.to_string()).is_some()).count();
        assert!(kept < 20, "{kept}");
    }

    #[test]
    fn operations_are_found_by_name() {
        let several = document("query A { a } query B { b }");
        assert!(several.operation(Some("A")).is_ok());
        assert!(several.operation(Some("C")).is_err());
        assert!(several.operation(None).is_err());
        assert!(document("{ a }").operation(None).is_ok());
        assert!(document("{ a }").operation(Some("A")).is_err());
        assert!(document("query A { a }").operation(None).is_ok());
    }

    #[test]
    fn hash_is_the_one_of_persisted_operations() {
        assert_eq!(hash("{ __typename }"), "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b");
    }
}
