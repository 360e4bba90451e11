//! The acting user, their roles, and the scope of what they may touch.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::db::By;
use crate::kernel::id::{GroupId, SessionId, StoreId, UserId};

crate::text_enum! {
    /// What a user may do in a store. A group admin has the role in every store of the group.
    pub enum Role {
        /// Sells: customers, deals, quotes of the store.
        Salesperson = "SALESPERSON",
        /// Everything a salesperson may, and cost, gross, reserve, held feeds, leads that need a person.
        SalesManager = "SALES_MANAGER",
        /// A manager in every store of the group, and users.
        GroupAdmin = "GROUP_ADMIN",
        /// A machine that sends leads, events or feeds.
        Channel = "CHANNEL",
        /// A lender's or insurer's machine.
        Partner = "PARTNER",
    }
}

impl Role {
    /// May see cost, gross, reserve and buy rate, and decide what is held for a manager.
    pub const fn manages(self) -> bool {
        matches!(self, Self::SalesManager | Self::GroupAdmin)
    }

    /// Works with customers and deals.
    pub const fn sells(self) -> bool {
        matches!(self, Self::Salesperson | Self::SalesManager | Self::GroupAdmin)
    }
}

crate::text_enum! {
    /// A person or a machine.
    pub enum ActorKind {
        /// Somebody who signed in with a password.
        Person = "PERSON",
        /// A program with a key.
        Machine = "MACHINE",
    }
}

/// Who acts in this request. Made by a verified token or key only.
#[derive(Debug, Clone)]
pub struct Actor {
    pub(super) user_id: UserId,
    pub(super) group_id: GroupId,
    pub(super) kind: ActorKind,
    /// None for a machine: its key has no session.
    pub(super) session_id: Option<SessionId>,
    pub(super) display_name: String,
    pub(super) roles: BTreeMap<StoreId, Role>,
}

impl Actor {
    /// The user.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The dealer group the user belongs to.
    pub fn group_id(&self) -> GroupId {
        self.group_id
    }

    /// Person or machine.
    pub fn kind(&self) -> ActorKind {
        self.kind
    }

    /// The sign-in session, for people.
    pub fn session_id(&self) -> Option<SessionId> {
        self.session_id
    }

    /// The name shown to colleagues.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// The role in one store, if any.
    pub fn role_in(&self, store: StoreId) -> Option<Role> {
        self.roles.get(&store).copied()
    }

    /// Stores and roles.
    pub fn roles(&self) -> impl Iterator<Item = (StoreId, Role)> + '_ {
        self.roles.iter().map(|(store, role)| (*store, *role))
    }

    /// Whether the actor manages this store (may see cost, gross, reserve, buy rate).
    pub fn manages(&self, store: StoreId) -> bool {
        self.role_in(store).is_some_and(Role::manages)
    }

    /// Stores in which the actor sells or manages. The scope of everything about vehicles, customers and deals.
    pub fn selling_scope(&self) -> Scope {
        self.scope_where(Role::sells)
    }

    /// Stores the actor manages.
    pub fn managing_scope(&self) -> Scope {
        self.scope_where(Role::manages)
    }

    /// Stores into which the actor (a machine or a manager) may deliver leads, events and feeds.
    pub fn channel_scope(&self) -> Scope {
        self.scope_where(|role| role == Role::Channel || role.manages())
    }

    /// For the audit trail.
    pub fn by(&self, request_id: Option<String>) -> By {
        By { user_id: Some(self.user_id.0), request_id }
    }

    fn scope_where(&self, allowed: impl Fn(Role) -> bool) -> Scope {
        Scope(self.roles.iter().filter(|(_, role)| allowed(**role)).map(|(store, _)| store.0).collect())
    }
}

/// The stores a statement may touch. Only an [`Actor`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope(Vec<Uuid>);

impl Scope {
    /// For SQL: `store_id = ANY($1)`.
    pub fn store_ids(&self) -> &[Uuid] {
        &self.0
    }

    /// Whether a store is inside.
    pub fn contains(&self, store: StoreId) -> bool {
        self.0.contains(&store.0)
    }

    /// This scope cut down to one store; empty when that store is outside.
    #[must_use]
    pub fn only(&self, store: StoreId) -> Self {
        Self(self.0.iter().copied().filter(|id| *id == store.0).collect())
    }

    /// True when nothing may be seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
