//! Variables: read from JSON within bounds, then checked against the types of the operation.
//!
//! The check is the one of the specification (CoerceVariableValues). Doing it here gives the same answer whether or not the
//! document is already known, and lets known documents skip the schema's own, slower validation.

use std::fmt;

use async_graphql::parser::types::{BaseType, OperationDefinition, Type};
use async_graphql::{Name, Value, Variables};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::Refusal;
use super::types::{Input, Types};
use crate::graphql::ErrorCode;
use crate::http::limits::Limits;

/// Reads a JSON object: no key twice, nothing too deep or too many.
pub(crate) fn read(json: &str, limits: &Limits) -> Result<Variables, String> {
    let mut left = limits.input_values;
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = Bounded { left: &mut left, depth: limits.input_depth }.deserialize(&mut reader).map_err(|e| e.to_string())?;
    reader.end().map_err(|e| e.to_string())?;
    match value {
        Value::Object(_) | Value::Null => Ok(Variables::from_value(value)),
        _ => Err("expected an object".into()),
    }
}

/// Refuses variables that do not fit the operation's definitions; drops those it does not declare.
pub(crate) fn check(operation: &OperationDefinition, given: Variables, types: &Types) -> Result<Variables, Refusal> {
    let Value::Object(mut given) = given.into_value() else { return Ok(Variables::default()) };
    let mut kept = Variables::default();
    for definition in &operation.variable_definitions {
        let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
        if types.is_output_only(super::types::base_name(ty)) {
            continue; // Validation says what is wrong with it.
        }
        match given.swap_remove(name) {
            Some(value) => {
                let value = coerce(types, ty, value, &format!("${name}"))?;
                kept.insert(name.clone(), value);
            }
            None if !ty.nullable && definition.node.default_value.is_none() => {
                return Err(bad(format!("Variable ${name} of the required type {ty} was not given.")));
            }
            None => {}
        }
    }
    Ok(kept)
}

fn bad(message: String) -> Refusal {
    Refusal::new(ErrorCode::BadUserInput, message)
}

fn coerce(types: &Types, ty: &Type, value: Value, path: &str) -> Result<Value, Refusal> {
    if value == Value::Null {
        return if ty.nullable { Ok(value) } else { Err(bad(format!("{path} must not be null; its type is {ty}."))) };
    }
    match (&ty.base, value) {
        (BaseType::List(inner), Value::List(items)) => {
            let mut out = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                out.push(coerce(types, inner, item, &format!("{path}[{index}]"))?);
            }
            Ok(Value::List(out))
        }
        // A single value stands for a list of one.
        (BaseType::List(inner), single) => coerce(types, inner, single, path),
        (BaseType::Named(name), value) => match types.input(name) {
            Some(Input::Enum(names)) => match value {
                Value::String(text) if names.contains(text.as_str()) => Ok(Value::Enum(Name::new(text))),
                _ => Err(bad(format!("{path} must be a value of the enum {name}."))),
            },
            Some(Input::Object(fields, one_of)) => coerce_object(types, name, fields, *one_of, value, path),
            None => scalar(name, value, path),
        },
    }
}

fn coerce_object(
    types: &Types,
    name: &Name,
    fields: &std::collections::HashMap<Name, super::types::InputField>,
    one_of: bool,
    value: Value,
    path: &str,
) -> Result<Value, Refusal> {
    let Value::Object(given) = value else { return Err(bad(format!("{path} must be an object of the type {name}."))) };
    if one_of && (given.len() != 1 || given.values().any(|v| *v == Value::Null)) {
        return Err(bad(format!("{path} must have exactly one field of {name}, and not null.")));
    }
    if let Some(missing) = fields.iter().find(|(key, field)| !field.has_default && !given.contains_key(key.as_str())) {
        return Err(bad(format!("{path} lacks the field {} of {name}.", missing.0)));
    }
    let mut out = async_graphql::indexmap::IndexMap::with_capacity(given.len());
    for (key, value) in given {
        let Some(field) = fields.get(key.as_str()) else {
            return Err(bad(format!("{path} has the field {}, which {name} has not.", shorten(&key))));
        };
        let value = coerce(types, &field.ty, value, &format!("{path}.{key}"))?;
        out.insert(key, value);
    }
    Ok(Value::Object(out))
}

fn scalar(name: &Name, value: Value, path: &str) -> Result<Value, Refusal> {
    let right = match (name.as_str(), &value) {
        ("Int", Value::Number(n)) => n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("ID", Value::Number(n)) => n.is_i64() || n.is_u64(),
        ("Int" | "Float" | "String" | "Boolean" | "ID", _) => false,
        // Scalars of the product judge for themselves when their field runs.
        _ => true,
    };
    if right { Ok(value) } else { Err(bad(format!("{path} must be of the type {name}."))) }
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reads any JSON value while counting.
struct Bounded<'a> {
    left: &'a mut usize,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Boolean(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Value, E> {
        self.visit_string(v.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, v: String) -> Result<Value, E> {
        // PostgreSQL stores no such text, and no person types it.
        if v.contains('\0') { Err(E::custom("a text holds the character U+0000")) } else { Ok(Value::String(v)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| A::Error::custom("nested too deep"))?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Bounded { left: &mut *self.left, depth })? {
            *self.left = self.left.checked_sub(1).ok_or_else(|| A::Error::custom("too many values"))?;
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| A::Error::custom("nested too deep"))?;
        let mut out = async_graphql::indexmap::IndexMap::new();
        while let Some(key) = map.next_key::<String>()? {
            *self.left = self.left.checked_sub(1).ok_or_else(|| A::Error::custom("too many values"))?;
            let value = map.next_value_seed(Bounded { left: &mut *self.left, depth })?;
            if out.insert(Name::new(key), value).is_some() {
                return Err(A::Error::custom("a key appears twice"));
            }
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::DocumentOperations;

    const SDL: &str = "
        type Query { a(x: In!): Int }
        enum Colour { RED BLUE }
        input In { n: Int!, s: String, c: [Colour!], more: In, d: Int! = 3 }
        schema { query: Query }";

    fn run(declared: &str, json: &str) -> Result<Variables, String> {
        let limits = Limits::default();
        let types = Types::read(SDL).unwrap();
        let document = parse_query(format!("query Q({declared}) {{ a }}")).unwrap();
        let DocumentOperations::Multiple(operations) = document.operations else { panic!("named") };
        let operation = operations.into_values().next().unwrap().node;
        check(&operation, read(json, &limits)?, &types).map_err(|e| e.message)
    }

    #[test]
    fn what_fits_is_taken() {
        assert!(run("$x: In!", r#"{"x": {"n": 1, "s": null, "c": "RED", "more": {"n": 2}}}"#).is_ok());
        assert!(run("$x: In", "{}").is_ok());
        assert!(run("$i: ID!", r#"{"i": 7, "unused": [1, 2]}"#).is_ok());
        assert!(run("$m: Money!", r#"{"m": "1.00"}"#).is_ok());
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_path() {
        assert_eq!(run("$x: In!", "{}").unwrap_err(), "Variable $x of the required type In! was not given.");
        assert_eq!(run("$x: In!", r#"{"x": null}"#).unwrap_err(), "$x must not be null; its type is In!.");
        assert_eq!(run("$x: In!", r#"{"x": {}}"#).unwrap_err(), "$x lacks the field n of In.");
        assert_eq!(run("$x: In!", r#"{"x": {"n": 1, "q": 2}}"#).unwrap_err(), "$x has the field q, which In has not.");
        assert_eq!(run("$x: In!", r#"{"x": {"n": 2147483648}}"#).unwrap_err(), "$x.n must be of the type Int.");
        assert_eq!(run("$x: In!", r#"{"x": {"n": 1.5}}"#).unwrap_err(), "$x.n must be of the type Int.");
        assert_eq!(run("$x: In!", r#"{"x": {"n": 1, "c": ["RED", "GREY"]}}"#).unwrap_err(), "$x.c[1] must be a value of the enum Colour.");
        assert_eq!(run("$s: String", r#"{"s": {"a": 1}}"#).unwrap_err(), "$s must be of the type String.");
    }

    #[test]
    fn json_is_read_within_bounds() {
        let limits = Limits::default();
        assert!(read(r#"{"a": 1, "a": 2}"#, &limits).unwrap_err().contains("twice"));
        assert!(read(&format!(r#"{{"a": {}{}}}"#, "[".repeat(20), "]".repeat(20)), &limits).unwrap_err().contains("deep"));
        assert!(read(&format!(r#"{{"a": [{}1]}}"#, "1,".repeat(6_000)), &limits).unwrap_err().contains("too many"));
        assert!(read(r#"{"a": ["x\u0000"]}"#, &limits).unwrap_err().contains("U+0000"));
        assert!(read("[1]", &limits).is_err());
        assert!(read("1e999", &limits).is_err());
    }
}
