//! The order of an answer's fields: that of the request (GraphQL, section 7.2.2). Fields are resolved at the same time and come as
//! they are ready; a person who reads the answer, and a program that compares two, expect them where they were asked for.

use std::collections::HashMap;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Value};

/// Answers of a document that asks for more fields than this keep the order in which the fields were ready.
const MOST: usize = 5_000;
/// Likewise one that asks for deeper ones.
const DEEPEST: usize = 64;

/// The order of each operation of a document.
#[derive(Debug)]
pub(crate) struct Orders(HashMap<Option<Name>, Order>);

impl Orders {
    /// Of a document that is known to be valid. Empty when it asks for too much.
    pub(crate) fn of(document: &ExecutableDocument) -> Self {
        let mut left = MOST;
        let mut order = |set: &SelectionSet| {
            let mut order = Order::default();
            order.lay_in(document, set, DEEPEST, &mut left).map(|()| order)
        };
        let orders: Option<HashMap<_, _>> = match &document.operations {
            DocumentOperations::Single(only) => order(&only.node.selection_set.node).map(|order| HashMap::from([(None, order)])),
            DocumentOperations::Multiple(all) => {
                all.iter().map(|(name, one)| Some((Some(name.clone()), order(&one.node.selection_set.node)?))).collect()
            }
        };
        Self(orders.unwrap_or_default())
    }

    /// Puts the answer to an operation into its order.
    pub(crate) fn apply(&self, operation: Option<&str>, answer: &mut Value) {
        let order = match operation {
            Some(name) if self.0.len() > 1 => self.0.get(&Some(Name::new(name))),
            _ => self.0.values().next(),
        };
        if let Some(order) = order {
            order.apply(answer);
        }
    }
}

/// The fields of a selection in the order they were asked for, by the names they have in the answer; fragments are laid in.
#[derive(Debug, Default)]
struct Order(Vec<(Name, Order)>);

impl Order {
    fn lay_in(&mut self, document: &ExecutableDocument, selected: &SelectionSet, deep: usize, left: &mut usize) -> Option<()> {
        let deeper = deep.checked_sub(1)?;
        for selection in &selected.items {
            *left = left.checked_sub(1)?;
            match &selection.node {
                Selection::Field(field) => {
                    let name = &field.node.response_key().node;
                    let at = self.0.iter().position(|(known, _)| known == name).unwrap_or(self.0.len());
                    if at == self.0.len() {
                        self.0.push((name.clone(), Self::default()));
                    }
                    self.0.get_mut(at)?.1.lay_in(document, &field.node.selection_set.node, deeper, left)?;
                }
                Selection::InlineFragment(fragment) => self.lay_in(document, &fragment.node.selection_set.node, deeper, left)?,
                Selection::FragmentSpread(spread) => {
                    let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
                    self.lay_in(document, &fragment.node.selection_set.node, deeper, left)?;
                }
            }
        }
        Some(())
    }

    fn apply(&self, value: &mut Value) {
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(fields) => {
                let (mut next, mut in_order) = (0, true);
                for (name, value) in fields.iter_mut() {
                    let Some((place, of_field)) = self.find(name, next) else { continue };
                    in_order = in_order && place >= next;
                    next = place.saturating_add(1);
                    of_field.apply(value);
                }
                if !in_order {
                    let place = |name: &Name| self.find(name, 0).map_or(usize::MAX, |(place, _)| place);
                    fields.sort_by(|a, _, b, _| place(a).cmp(&place(b)));
                }
            }
            _ => {}
        }
    }

    /// A field and its place; most often it is the next one.
    fn find(&self, name: &Name, next: usize) -> Option<(usize, &Self)> {
        let at = match self.0.get(next) {
            Some((expected, _)) if expected == name => next,
            _ => self.0.iter().position(|(known, _)| known == name)?,
        };
        self.0.get(at).map(|(_, order)| (at, order))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn orders(document: &str) -> Orders {
        Orders::of(&parse_query(document).unwrap())
    }

    fn ordered(document: &str, answer: &str) -> String {
        let mut value: Value = serde_json::from_str(answer).unwrap();
        orders(document).apply(None, &mut value);
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn fields_stand_where_they_were_asked_for() {
        let asked = "{ leads { totalCount nodes { id name: fullName } pageInfo { hasNextPage } } now }";
        let answer =
            r#"{"now":1,"leads":{"nodes":[{"name":"a","id":1},{"id":2,"name":"b"},null],"pageInfo":{"hasNextPage":true},"totalCount":2}}"#;
        let wanted =
            r#"{"leads":{"totalCount":2,"nodes":[{"id":1,"name":"a"},{"id":2,"name":"b"},null],"pageInfo":{"hasNextPage":true}},"now":1}"#;
        assert_eq!(ordered(asked, answer), wanted);
        assert_eq!(ordered(asked, wanted), wanted);
        assert_eq!(ordered(asked, "null"), "null");
    }

    #[test]
    fn fragments_are_laid_in_where_they_stand_and_fields_asked_for_twice_stand_at_the_first_place() {
        let asked = "query Q { node { a { x } ...F ... on T { d a { y } } e } } fragment F on T { c a { z } }";
        assert_eq!(
            ordered(asked, r#"{"node":{"e":5,"d":4,"c":3,"a":{"z":3,"y":2,"x":1}}}"#),
            r#"{"node":{"a":{"x":1,"z":3,"y":2},"c":3,"d":4,"e":5}}"#
        );
        // What no selection names keeps its value, at the end.
        assert_eq!(ordered("{ b a }", r#"{"more":0,"a":1,"b":2}"#), r#"{"b":2,"a":1,"more":0}"#);
    }

    #[test]
    fn documents_that_grow_without_bound_have_no_order() {
        let mut document = "{ ...F0 }".to_owned();
        for n in 0..40 {
            let next = if n == 39 { "a".to_owned() } else { format!("x{{ ...F{m} }} y{{ ...F{m} }}", m = n + 1) };
            document += &format!(" fragment F{n} on Query {{ {next} }}");
        }
        assert!(orders(&document).0.is_empty());
        assert!(orders("{ ...F } fragment F on Query { a { ...F } }").0.is_empty(), "a circle");
        assert!(orders("{ ...Unknown }").0.is_empty());
    }

    #[test]
    fn each_operation_has_its_own_order() {
        let both = orders("query A { a b } query B { b a }");
        let of = |name| {
            let mut value: Value = serde_json::from_str(r#"{"a":1,"b":2}"#).unwrap();
            both.apply(Some(name), &mut value);
            serde_json::to_string(&value).unwrap()
        };
        assert_eq!((of("A").as_str(), of("B").as_str()), (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#));
    }
}
