//! Wishes and contradictions as clients see them.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};

use crate::customers::contradiction::{Contradiction, ContradictionKind};
use crate::customers::preference::{
    Preference, PreferenceAttribute, PreferenceBehaviour, PreferenceImportance, PreferenceKind, PreferenceOperator,
};
use crate::graphql::scalar::DecimalText;

/// A preference, and whether it counts now.
#[derive(Debug, Clone)]
pub struct PreferenceNode {
    pub(super) preference: Preference,
    pub(super) effective: bool,
}

/// One wish of a customer with its provenance: who heard it, when, through which channel, from which source.
#[Object(name = "Preference")]
impl PreferenceNode {
    /// Opaque id, `prf_…`.
    async fn id(&self) -> ID {
        self.preference.id.into()
    }
    /// What it is about.
    async fn attribute(&self) -> PreferenceAttribute {
        self.preference.wish.attribute()
    }
    /// How the value is meant.
    async fn operator(&self) -> PreferenceOperator {
        self.preference.wish.operator()
    }
    /// The normalised value: amounts in whole units with two decimals (`"450.00"`), numbers without separators, names as in
    /// the vehicle's enums, makes and models as the trade writes them.
    async fn value(&self) -> &str {
        self.preference.wish.value()
    }
    /// The wish as it is said: "at most $450 a month".
    async fn text(&self) -> String {
        self.preference.wish.describe()
    }
    /// How much it matters.
    async fn importance(&self) -> PreferenceImportance {
        self.preference.importance
    }
    /// Stated, observed or inferred. Stated beats observed beats inferred.
    async fn kind(&self) -> PreferenceKind {
        self.preference.kind
    }
    /// Through which channel it came: `STORE`, `WEB`, `APP`, `ADF` …
    async fn channel(&self) -> &str {
        &self.preference.channel
    }
    /// What the customer did, when it was observed.
    async fn behaviour(&self) -> Option<PreferenceBehaviour> {
        self.preference.behaviour
    }
    /// How often it was observed; 1 when stated.
    async fn occurrences(&self) -> i32 {
        self.preference.occurrences
    }
    /// From 0 to 1; 1 when stated.
    async fn confidence(&self) -> DecimalText {
        DecimalText(self.preference.confidence.normalize())
    }
    /// The name of the colleague who heard it; null when no person did.
    async fn heard_by(&self) -> Option<&str> {
        self.preference.heard_by_name.as_deref()
    }
    /// Their id, `usr_…`.
    async fn heard_by_id(&self) -> Option<ID> {
        self.preference.heard_by.map(ID::from)
    }
    /// The web or app event it was read from, `evt_…`.
    async fn source_event_id(&self) -> Option<ID> {
        self.preference.source_event_id.map(ID::from)
    }
    /// The lead it was read from, `lead_…`.
    async fn source_lead_id(&self) -> Option<ID> {
        self.preference.source_lead_id.map(ID::from)
    }
    /// The consent under which it is kept, `cst_…`.
    async fn consent_id(&self) -> Option<ID> {
        self.preference.consent_id.map(ID::from)
    }
    /// When it was stated, or last observed.
    async fn at(&self) -> DateTime<Utc> {
        self.preference.at
    }
    /// When it stops to count; null for never.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.preference.expires_at
    }
    /// When it was taken back.
    async fn withdrawn_at(&self) -> Option<DateTime<Utc>> {
        self.preference.withdrawn_at
    }
    /// Whether it counts now: not expired, and no stronger or newer wish on the same point.
    async fn effective(&self) -> bool {
        self.effective
    }
}

/// A contradiction between two wishes.
#[derive(Debug, Clone)]
pub struct ContradictionNode(pub Contradiction);

/// Two wishes that do not go together.
#[Object(name = "PreferenceContradiction")]
impl ContradictionNode {
    /// What speaks against what.
    async fn kind(&self) -> ContradictionKind {
        self.0.kind
    }
    /// For reading aloud: "Said at most $450 a month; built $520 a month twice."
    async fn sentence(&self, _ctx: &Context<'_>) -> &str {
        &self.0.sentence
    }
    /// The stated wish, `prf_…`; of two stated ones the earlier.
    async fn stated_preference_id(&self) -> ID {
        self.0.stated.into()
    }
    /// The wish that speaks against it, `prf_…`.
    async fn against_preference_id(&self) -> ID {
        self.0.against.into()
    }
}
