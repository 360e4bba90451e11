//! Measures a parsed document before anything walks it.
//!
//! The library's own limits write every fragment out while they count, so that 25 fragments which spread each other twice
//! (one kilobyte) hang it. Here each fragment is measured once and its size is reused, so that the measure costs as much as
//! the text is long.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Variables};

use super::Refusal;
use super::types::{Size, Types};
use crate::graphql::ErrorCode;
use crate::http::limits::Limits;

/// Items a page has when `first` is not given; the most it can have is [`PAGE_MAX`].
const PAGE_DEFAULT: u64 = 20;
const PAGE_MAX: u64 = 100;
/// Items assumed in a list without pages.
const LIST_GUESS: u64 = 4;
/// What reading the whole schema is counted as.
const INTROSPECTION_COST: u64 = 8_000;
/// Lists of the schema's own description that lead back to themselves.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// Sizes of a selection set with every fragment written out.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    fields: usize,
    depth: usize,
    lists: usize,
}

/// Checks everything that depends on the document alone.
pub(crate) fn document(document: &ExecutableDocument, limits: &Limits) -> Result<(), Refusal> {
    if document.fragments.len() > limits.fragments {
        return Err(too_much(format!("The document has more than {} fragments.", limits.fragments)));
    }
    if document.operations.iter().len() > limits.operations {
        return Err(too_much(format!("The document has more than {} operations.", limits.operations)));
    }
    let mut walk = Walk { document, limits, known: HashMap::new(), open: HashSet::new(), aliases: 0, directives: 0, values: 0 };
    let mut total = 0_usize;
    for fragment in document.fragments.keys() {
        walk.fragment(fragment, false)?;
    }
    for (_, operation) in document.operations.iter() {
        walk.directives(operation.node.directives.len())?;
        let measure = walk.set(&operation.node.selection_set.node, false)?;
        total = total.saturating_add(measure.fields);
        if total > limits.fields {
            return Err(too_much(format!("The document selects more than {} fields.", limits.fields)));
        }
    }
    Ok(())
}

fn too_much(message: String) -> Refusal {
    Refusal::new(ErrorCode::LimitExceeded, message)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    known: HashMap<(&'a Name, bool), Measure>,
    open: HashSet<&'a Name>,
    aliases: usize,
    directives: usize,
    values: usize,
}

impl<'a> Walk<'a> {
    fn directives(&mut self, count: usize) -> Result<(), Refusal> {
        self.directives = self.directives.saturating_add(count);
        if self.directives > self.limits.directives {
            return Err(too_much(format!("The document has more than {} directives.", self.limits.directives)));
        }
        Ok(())
    }

    fn set(&mut self, set: &'a SelectionSet, introspection: bool) -> Result<Measure, Refusal> {
        let mut sum = Measure::default();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for item in &set.items {
            self.directives(item.node.directives().len())?;
            let inner = match &item.node {
                Selection::Field(field) => {
                    let times = seen.entry(field.node.name.node.as_str()).or_insert(0);
                    *times += 1;
                    if *times > self.limits.same_field {
                        return Err(too_much(format!("One field is selected more than {} times in one place.", self.limits.same_field)));
                    }
                    self.field(&field.node, introspection)?
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, introspection)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, introspection)?,
            };
            sum.fields = sum.fields.saturating_add(inner.fields);
            sum.depth = sum.depth.max(inner.depth);
            sum.lists = sum.lists.max(inner.lists);
        }
        if sum.fields > self.limits.fields {
            return Err(too_much(format!("The document selects more than {} fields.", self.limits.fields)));
        }
        let deepest = if introspection { self.limits.introspection_depth } else { self.limits.depth };
        if sum.depth > deepest {
            return Err(too_much(format!("The document nests fields deeper than {deepest}.")));
        }
        if introspection && sum.lists > 1 {
            return Err(too_much("Lists of fields and types of the schema must not be nested in each other.".into()));
        }
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field, introspection: bool) -> Result<Measure, Refusal> {
        if field.alias.is_some() {
            self.aliases += 1;
            if self.aliases > self.limits.aliases {
                return Err(too_much(format!("The document has more than {} aliases.", self.limits.aliases)));
            }
        }
        for (_, value) in &field.arguments {
            let Ok(literal) = value.node.clone().into_const_with(|_| Ok::<_, std::convert::Infallible>(async_graphql::Value::Null));
            self.literal(&literal)?;
        }
        let name = field.name.node.as_str();
        let enters = matches!(name, "__schema" | "__type");
        let inner = self.set(&field.selection_set.node, introspection || enters)?;
        let list = usize::from(introspection && INTROSPECTION_LISTS.contains(&name));
        // Below __schema the deeper bound was checked; the field itself counts as one.
        let depth = if enters { 1 } else { inner.depth.saturating_add(1) };
        Ok(Measure { fields: inner.fields.saturating_add(1), depth, lists: if enters { 0 } else { inner.lists + list } })
    }

    /// Literals have the bounds of variables.
    fn literal(&mut self, value: &async_graphql::Value) -> Result<(), Refusal> {
        use async_graphql::Value as V;
        self.values = self.values.saturating_add(1);
        if self.values > self.limits.input_values {
            return Err(too_much(format!("The document has more than {} values.", self.limits.input_values)));
        }
        match value {
            V::String(text) if text.contains('\0') => Err(Refusal::new(ErrorCode::BadUserInput, "A text holds the character U+0000.")),
            V::List(items) => items.iter().try_for_each(|item| self.literal(item)),
            V::Object(fields) => fields.values().try_for_each(|item| self.literal(item)),
            _ => Ok(()),
        }
    }

    fn fragment(&mut self, name: &'a Name, introspection: bool) -> Result<Measure, Refusal> {
        if let Some(measure) = self.known.get(&(name, introspection)) {
            return Ok(*measure);
        }
        // Unknown fragments are left to validation.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Measure::default()) };
        if !self.open.insert(name) {
            return Err(Refusal::new(ErrorCode::ValidationFailed, "A fragment contains itself."));
        }
        self.directives(fragment.node.directives.len())?;
        let measure = self.set(&fragment.node.selection_set.node, introspection)?;
        self.open.remove(name);
        self.known.insert((name, introspection), measure);
        Ok(measure)
    }
}

/// The fields at the root of one operation, fragments written out.
pub(crate) fn roots<'a>(document: &'a ExecutableDocument, operation: &'a OperationDefinition) -> Vec<&'a Name> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    collect_roots(document, &operation.selection_set, &mut names, &mut seen);
    names
}

fn collect_roots<'a>(
    document: &'a ExecutableDocument,
    set: &'a Positioned<SelectionSet>,
    names: &mut Vec<&'a Name>,
    seen: &mut HashSet<&'a Name>,
) {
    for item in &set.node.items {
        match &item.node {
            Selection::Field(field) => names.push(&field.node.name.node),
            Selection::InlineFragment(fragment) => collect_roots(document, &fragment.node.selection_set, names, seen),
            Selection::FragmentSpread(spread) => {
                // Written out once: the same fields again under the same names are merged.
                let name = &spread.node.fragment_name.node;
                if seen.insert(name)
                    && let Some(fragment) = document.fragments.get(name)
                {
                    collect_roots(document, &fragment.node.selection_set, names, seen);
                }
            }
        }
    }
}

/// Checks the number of root fields. Fields that anybody may call (sign-in) come once.
pub(crate) fn root_fields(ty: OperationType, roots: &[&Name], public: &[&str], limits: &Limits) -> Result<(), Refusal> {
    let most = match ty {
        OperationType::Query => limits.root_fields,
        OperationType::Mutation => limits.mutation_fields,
        OperationType::Subscription => 1,
    };
    // `__typename` costs nothing and does nothing.
    let counted = roots.iter().filter(|name| name.as_str() != "__typename").count();
    if counted > most {
        let kind = ty.to_string();
        return Err(too_much(format!("A {kind} may have at most {most} field{} at its root.", if most == 1 { "" } else { "s" })));
    }
    for name in public.iter().filter(|name| !name.starts_with("__")) {
        if roots.iter().filter(|root| root.as_str() == *name).count() > 1 {
            return Err(too_much(format!("{name} may be called once in a request.")));
        }
    }
    Ok(())
}

/// Estimates how many values the answer can hold, with pages at the size asked for.
pub(crate) fn cost(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    types: &Types,
    limits: &Limits,
) -> Result<u64, Refusal> {
    let mut walk = Cost { document, variables, types, known: HashMap::new(), open: HashSet::new() };
    let total = walk.set(&operation.selection_set.node, types.root(operation.ty));
    if total > limits.cost {
        return Err(too_much(format!(
            "The answer could hold about {total} values; at most {} are given. Ask for smaller pages.",
            limits.cost
        )));
    }
    Ok(total)
}

struct Cost<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    types: &'a Types,
    known: HashMap<&'a Name, u64>,
    open: HashSet<&'a Name>,
}

impl<'a> Cost<'a> {
    fn set(&mut self, set: &'a SelectionSet, of: Option<&'a Name>) -> u64 {
        let mut sum = 0_u64;
        for item in &set.items {
            let inner = match &item.node {
                Selection::Field(field) => self.field(&field.node, of),
                Selection::InlineFragment(fragment) => {
                    let of = fragment.node.type_condition.as_ref().map_or(of, |on| Some(&on.node.on.node));
                    self.set(&fragment.node.selection_set.node, of)
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            sum = sum.saturating_add(inner);
        }
        sum
    }

    fn fragment(&mut self, name: &'a Name) -> u64 {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let Some(fragment) = self.document.fragments.get(name) else { return 0 };
        if !self.open.insert(name) {
            return 0;
        }
        let cost = self.set(&fragment.node.selection_set.node, Some(&fragment.node.type_condition.node.on.node));
        self.known.insert(name, cost);
        cost
    }

    fn field(&mut self, field: &'a Field, of: Option<&'a Name>) -> u64 {
        if matches!(field.name.node.as_str(), "__schema" | "__type") {
            return INTROSPECTION_COST;
        }
        let Some(known) = self.types.field(of, &field.name.node) else { return 1 };
        if field.selection_set.node.items.is_empty() {
            return 1;
        }
        let inner = self.set(&field.selection_set.node, Some(&known.of));
        let times = match known.size {
            // The page that holds `nodes` or `edges` was counted with its connection.
            Size::List if of.is_some_and(|of| of.ends_with("Connection")) => 1,
            Size::One => 1,
            Size::Page => self.number(field, "first").unwrap_or(PAGE_DEFAULT).min(PAGE_MAX),
            Size::List => self.longest_list(field).unwrap_or(LIST_GUESS),
        };
        inner.saturating_mul(times).saturating_add(1)
    }

    fn number(&self, field: &Field, argument: &str) -> Option<u64> {
        match field.get_argument(argument)?.node.clone().into_const_with(|name| self.variable(&name)).ok()? {
            async_graphql::Value::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// A list field gives as many values as the longest list it was given (`nodes(ids: […])`).
    fn longest_list(&self, field: &Field) -> Option<u64> {
        let lengths =
            field.arguments.iter().filter_map(|(_, value)| match value.node.clone().into_const_with(|name| self.variable(&name)).ok()? {
                async_graphql::Value::List(items) => u64::try_from(items.len()).ok(),
                _ => None,
            });
        lengths.max()
    }

    fn variable(&self, name: &Name) -> Result<async_graphql::Value, ()> {
        self.variables.get(name).cloned().ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn refused(text: &str) -> Option<String> {
        document(&parse_query(text).unwrap(), &Limits::default()).err().map(|r| r.message)
    }

    /// 25 fragments that spread each other twice: 33 million fields from one kilobyte.
    #[test]
    fn fragment_amplification_is_refused_at_once() {
        let mut text = String::from("{ ...f0 }");
        for i in 0..25 {
            text.push_str(&format!(" fragment f{i} on Query {{ ...f{} ...f{} }}", i + 1, i + 1));
        }
        text.push_str(" fragment f25 on Query { __typename }");
        let begin = std::time::Instant::now();
        assert!(refused(&text).unwrap().contains("fields"));
        assert!(begin.elapsed().as_millis() < 200);
    }

    #[test]
    fn unused_amplifying_fragments_are_refused_too() {
        let mut text = String::from("{ __typename }");
        for i in 0..25 {
            text.push_str(&format!(" fragment f{i} on Query {{ ...f{} ...f{} }}", i + 1, i + 1));
        }
        text.push_str(" fragment f25 on Query { __typename }");
        assert!(refused(&text).is_some());
    }

    #[test]
    fn cycles_depth_aliases_and_directives_are_refused() {
        assert!(refused("{ ...a } fragment a on Q { ...b } fragment b on Q { ...a }").unwrap().contains("itself"));
        assert!(refused("{ ...a } fragment a on Q { x { ...a } }").unwrap().contains("itself"));
        assert!(refused(&format!("{}{}", "{a".repeat(16), "}".repeat(16))).unwrap().contains("deeper"));
        assert!(refused(&format!("{}{}", "{a".repeat(15), "}".repeat(15))).is_none());
        let aliases: String = (0..11).map(|i| format!("a{i}: vehicle ")).collect();
        assert!(refused(&format!("{{ {aliases} }}")).unwrap().contains("more than 10 times"));
        let aliases: String = (0..201).map(|i| format!("a{i}: v{i} ")).collect();
        assert!(refused(&format!("{{ {aliases} }}")).unwrap().contains("aliases"));
        assert!(refused(&format!("{{ a {} }}", "@skip(if: false) ".repeat(61))).unwrap().contains("directives"));
    }

    #[test]
    fn literals_are_bounded_and_hold_no_nul() {
        assert!(refused(r#"{ a(b: {c: ["x\u0000"]}) }"#).unwrap().contains("U+0000"));
        assert!(refused(&format!("{{ a(b: [{}]) }}", "1 ".repeat(6_000))).unwrap().contains("values"));
        assert!(refused(r#"{ a(b: {c: ["x"], d: $v}) }"#).is_none());
    }

    #[test]
    fn introspection_may_not_circle() {
        assert!(refused("{ __schema { types { fields { type { fields { name } } } } } }").unwrap().contains("nested"));
        let through = "{ __schema { types { ...t } } } fragment t on __Type { fields { type { ...u } } } fragment u on __Type { possibleTypes { name } }";
        assert!(refused(through).unwrap().contains("nested"));
        assert!(
            refused("{ __schema { types { name fields { name args { name type { name ofType { name } } } } inputFields { name } } } }")
                .is_none()
        );
    }

    #[test]
    fn roots_are_seen_through_fragments() {
        let document = parse_query("mutation { ...a ... on M { x } y } fragment a on M { z __typename }").unwrap();
        let operation = document.operations.iter().next().unwrap().1;
        let names = roots(&document, &operation.node);
        assert_eq!(names.iter().map(|n| n.as_str()).collect::<Vec<_>>(), ["z", "__typename", "x", "y"]);
        assert!(root_fields(OperationType::Mutation, &names, &[], &Limits::default()).is_err());
        assert!(root_fields(OperationType::Query, &names, &[], &Limits::default()).is_ok());
        let twice = [Name::new("signIn"), Name::new("signIn")];
        assert!(root_fields(OperationType::Query, &[&twice[0], &twice[1]], &["signIn"], &Limits::default()).is_err());
    }

    #[test]
    fn cost_multiplies_pages() {
        let types = Types::read(
            "schema { query: Query } type Query { cars(first: Int): CarConnection! cars2(ids: [ID!]!): [Car!]! }
             type CarConnection { nodes: [Car!]! } type Car { vin: String cars(first: Int): CarConnection! }",
        )
        .unwrap();
        let cost = |text: &str, json: &str| {
            let document = parse_query(text).unwrap();
            let operation = document.operations.iter().next().unwrap().1;
            let variables = crate::http::graphql::variables::read(json, &Limits::default()).unwrap();
            cost(&document, &operation.node, &variables, &types, &Limits::default())
        };
        // 1 + 50 × (1 + 1)
        assert_eq!(cost("query($n: Int) { cars(first: $n) { nodes { vin } } }", r#"{"n": 50}"#).unwrap(), 101);
        let nested = "{ cars(first: 100) { nodes { cars(first: 100) { nodes { cars(first: 100) { nodes { vin } } } } } } }";
        assert!(cost(nested, "{}").is_err());
        assert_eq!(cost("query($i: [ID!]!) { cars2(ids: $i) { vin } }", r#"{"i": ["a", "b", "c"]}"#).unwrap(), 4);
    }
}
