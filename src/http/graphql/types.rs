//! What the transport knows of the schema: enough to check variables and to estimate the size of an answer.
//!
//! Read once from the schema's own text, so that it cannot differ from it.

use std::collections::{HashMap, HashSet};

use async_graphql::Name;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition};

/// The schema's text could not be read. A wiring bug, found at start-up.
#[derive(Debug, thiserror::Error)]
#[error("the schema cannot be read back: {0}")]
pub struct SchemaError(String);

/// Types by name.
#[derive(Debug, Default)]
pub(crate) struct Types {
    outputs: HashMap<Name, HashMap<Name, OutputField>>,
    inputs: HashMap<Name, Input>,
    roots: [Option<Name>; 3],
}

/// A field of an object or interface.
#[derive(Debug)]
pub(crate) struct OutputField {
    /// The name of the type inside lists and non-nulls.
    pub(crate) of: Name,
    /// How many values the field is expected to give when nothing more is said.
    pub(crate) size: Size,
}

/// How many values a field gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// One.
    One,
    /// A plain list; bounded by design.
    List,
    /// A connection: as many as `first` says.
    Page,
}

/// An input type.
#[derive(Debug)]
pub(crate) enum Input {
    /// Names of the values.
    Enum(HashSet<Name>),
    /// Fields with their types and whether they have a default; true when exactly one must be given.
    Object(HashMap<Name, InputField>, bool),
}

/// A field of an input object.
#[derive(Debug)]
pub(crate) struct InputField {
    /// Its type.
    pub(crate) ty: Type,
    /// Whether it may be left out.
    pub(crate) has_default: bool,
}

impl Types {
    /// Reads the schema definition language.
    pub(crate) fn read(sdl: &str) -> Result<Self, SchemaError> {
        let document = parse_schema(sdl).map_err(|e| SchemaError(e.to_string()))?;
        let mut types = Self::default();
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let name = |root: Option<async_graphql::Positioned<Name>>| root.map(|name| name.node);
                    types.roots = [name(schema.node.query), name(schema.node.mutation), name(schema.node.subscription)];
                }
                TypeSystemDefinition::Type(definition) => types.add(definition.node),
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        Ok(types)
    }

    fn add(&mut self, definition: async_graphql::parser::types::TypeDefinition) {
        let name = definition.name.node;
        match definition.kind {
            TypeKind::Object(object) => {
                self.outputs.insert(name, object.fields.into_iter().map(|f| output(f.node)).collect());
            }
            TypeKind::Interface(interface) => {
                self.outputs.insert(name, interface.fields.into_iter().map(|f| output(f.node)).collect());
            }
            TypeKind::Enum(values) => {
                self.inputs.insert(name, Input::Enum(values.values.into_iter().map(|v| v.node.value.node).collect()));
            }
            TypeKind::InputObject(object) => {
                let one_of = definition.directives.iter().any(|d| d.node.name.node == "oneOf");
                self.inputs.insert(name, Input::Object(object.fields.into_iter().map(|f| input(f.node)).collect(), one_of));
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }

    /// The type at the root of queries, mutations or subscriptions.
    pub(crate) fn root(&self, ty: async_graphql::parser::types::OperationType) -> Option<&Name> {
        use async_graphql::parser::types::OperationType as Op;
        let [query, mutation, subscription] = &self.roots;
        match ty {
            Op::Query => query.as_ref(),
            Op::Mutation => mutation.as_ref(),
            Op::Subscription => subscription.as_ref(),
        }
    }

    /// A field of an output type.
    pub(crate) fn field(&self, of: Option<&Name>, name: &Name) -> Option<&OutputField> {
        self.outputs.get(of?)?.get(name)
    }

    /// An input type that is not a scalar.
    pub(crate) fn input(&self, name: &Name) -> Option<&Input> {
        self.inputs.get(name)
    }

    /// Whether the type can be an input at all: a scalar, an enum or an input object.
    pub(crate) fn is_output_only(&self, name: &Name) -> bool {
        self.outputs.contains_key(name)
    }
}

fn output(field: FieldDefinition) -> (Name, OutputField) {
    let list = matches!(field.ty.node.base, BaseType::List(_));
    let of = base_name(&field.ty.node).clone();
    let size = match (list, of.ends_with("Connection")) {
        (true, _) => Size::List,
        (false, true) => Size::Page,
        (false, false) => Size::One,
    };
    (field.name.node, OutputField { of, size })
}

fn input(field: InputValueDefinition) -> (Name, InputField) {
    let has_default = field.default_value.is_some() || field.ty.node.nullable;
    (field.name.node, InputField { ty: field.ty.node, has_default })
}

/// The name inside lists and non-nulls.
pub(crate) fn base_name(ty: &Type) -> &Name {
    let mut ty = ty;
    loop {
        match &ty.base {
            BaseType::Named(name) => return name,
            BaseType::List(inner) => ty = inner,
        }
    }
}
