//! Changing customers and their wishes.

use async_graphql::{Context, Enum, Object, SimpleObject};

use super::inputs::{
    CustomerCreateInput, CustomerMergeInput, CustomerMergeUndoInput, LinkSuggestionDismissInput, PreferenceStateInput,
    PreferenceWithdrawInput,
};
use super::{CustomerNode, PreferenceNode};
use crate::customers::effective;
use crate::customers::model::NewPreference;
use crate::customers::preference::{Preference, PreferenceImportance};
use crate::customers::service::{CustomerError, CustomerParts, Customers};
use crate::customers::wish::Wish;
use crate::graphql::context::{actor, by, service};
use crate::graphql::{GqlResult, input};
use crate::kernel::id::CustomerId;

/// Declares the user error of one mutation and how outcomes of the service become one; everything else is an error of the
/// protocol.
macro_rules! user_error {
    ($mutation:literal, $error:ident, $code:ident { $($(#[$meta:meta])* $variant:ident = $outcome:pat => $field:expr),* $(,)? }) => {
        #[doc = concat!("Why `", $mutation, "` was refused.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub(super) enum $code {
            $($(#[$meta])* $variant),*
        }

        #[doc = concat!("A refusal of `", $mutation, "`.")]
        #[derive(Debug, Clone, SimpleObject)]
        pub(super) struct $error {
            /// For programs.
            code: $code,
            /// For people: a sentence to read aloud.
            message: String,
            /// Path into the input.
            field: Option<Vec<String>>,
        }

        impl $error {
            fn new(code: $code, message: impl Into<String>, field: &str) -> Self {
                let field = (!field.is_empty()).then(|| vec!["input".to_owned(), field.to_owned()]);
                Self { code, message: message.into(), field }
            }

            fn read(error: CustomerError) -> GqlResult<Self> {
                match &error {
                    $($outcome => Ok(Self::new($code::$variant, error.to_string(), $field)),)*
                    #[allow(unreachable_patterns, reason = "a mutation may know every outcome")]
                    _ => Err(error.into()),
                }
            }
        }
    };
}

user_error!(
    "customerCreate",
    CustomerCreateUserError,
    CustomerCreateErrorCode {
        /// There is no such store among yours.
        NotFound = CustomerError::StoreNotFound => "storeId",
        /// Neither a name nor a way to reach them was given.
        NobodyNamed = CustomerError::NobodyNamed => "",
        /// The e-mail address or phone number can't be right.
        ContactInvalid = CustomerError::SameRecord => "",
    }
);
user_error!(
    "preferenceState",
    PreferenceStateUserError,
    PreferenceStateErrorCode {
        /// There is no such customer in your stores.
        NotFound = CustomerError::CustomerNotFound => "customerId",
        /// The value or the operator does not fit the attribute.
        ValueInvalid = CustomerError::NobodyNamed => "value",
    }
);
user_error!(
    "preferenceWithdraw",
    PreferenceWithdrawUserError,
    PreferenceWithdrawErrorCode {
        /// There is no such preference in your stores.
        NotFound = CustomerError::PreferenceNotFound => "preferenceId",
    }
);
user_error!(
    "customerMerge",
    CustomerMergeUserError,
    CustomerMergeErrorCode {
        /// There is no such customer in your stores.
        NotFound = CustomerError::CustomerNotFound => "",
        /// Both ids name the same record.
        SameRecord = CustomerError::SameRecord => "mergedId",
        /// The records belong to two stores.
        OtherStore = CustomerError::OtherStore => "mergedId",
        /// One of them was merged before.
        AlreadyMerged = CustomerError::AlreadyMerged { .. } => "",
    }
);
user_error!(
    "customerMergeUndo",
    CustomerMergeUndoUserError,
    CustomerMergeUndoErrorCode {
        /// There is no such merge in your stores.
        NotFound = CustomerError::MergeNotFound => "mergeId",
        /// It was undone before.
        AlreadyUndone = CustomerError::AlreadyUndone => "mergeId",
        /// The survivor was merged again; undo that first.
        LaterMerge = CustomerError::LaterMerge { .. } => "mergeId",
    }
);
user_error!(
    "linkSuggestionDismiss",
    LinkSuggestionDismissUserError,
    LinkSuggestionDismissErrorCode {
        /// There is no such suggestion in your stores.
        NotFound = CustomerError::SuggestionNotFound => "",
    }
);

/// The answer to `customerCreate`.
#[derive(Debug, SimpleObject)]
pub(super) struct CustomerCreatePayload {
    /// The customer; null when refused.
    customer: Option<CustomerNode>,
    /// False when the store knew this person already: `customer` is the known one, completed by what was new.
    created: bool,
    /// The answer is the stored one of the first execution of this key.
    replayed: bool,
    /// Why it was refused.
    user_errors: Vec<CustomerCreateUserError>,
}

/// The answer to `preferenceState`.
#[derive(Debug, SimpleObject)]
pub(super) struct PreferenceStatePayload {
    /// The wish as it was understood; null when refused.
    preference: Option<PreferenceNode>,
    /// The customer as they are now.
    customer: Option<CustomerNode>,
    /// The answer is the stored one of the first execution of this key.
    replayed: bool,
    /// Why it was refused.
    user_errors: Vec<PreferenceStateUserError>,
}

/// The answer to `preferenceWithdraw`.
#[derive(Debug, SimpleObject)]
pub(super) struct PreferenceWithdrawPayload {
    /// The wish that no longer counts; null when refused.
    preference: Option<PreferenceNode>,
    /// The customer as they are now.
    customer: Option<CustomerNode>,
    /// Why it was refused.
    user_errors: Vec<PreferenceWithdrawUserError>,
}

/// The answer to `customerMerge`.
#[derive(Debug, SimpleObject)]
pub(super) struct CustomerMergePayload {
    /// The record that stays; null when refused.
    customer: Option<CustomerNode>,
    /// The merge, `mrg_…`, for undoing it.
    merge_id: Option<async_graphql::ID>,
    /// The answer is the stored one of the first execution of this key.
    replayed: bool,
    /// Why it was refused.
    user_errors: Vec<CustomerMergeUserError>,
}

/// The answer to `customerMergeUndo`.
#[derive(Debug, SimpleObject)]
pub(super) struct CustomerMergeUndoPayload {
    /// The record that had stayed; null when refused.
    survivor: Option<CustomerNode>,
    /// The record that stands by itself again; null when refused.
    restored: Option<CustomerNode>,
    /// Why it was refused.
    user_errors: Vec<CustomerMergeUndoUserError>,
}

/// The answer to `linkSuggestionDismiss`.
#[derive(Debug, SimpleObject)]
pub(super) struct LinkSuggestionDismissPayload {
    /// The customer as they are now; null when refused.
    customer: Option<CustomerNode>,
    /// Why it was refused.
    user_errors: Vec<LinkSuggestionDismissUserError>,
}

/// Changes of customers and their wishes.
#[derive(Debug, Default)]
pub struct CustomersMutation;

#[Object]
impl CustomersMutation {
    /// Enters a person. Somebody the store knows already is recognised by e-mail, or by phone and name, and completed instead
    /// of doubled.
    async fn customer_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: CustomerCreateInput,
    ) -> GqlResult<CustomerCreatePayload> {
        let refused = |error| CustomerCreatePayload { customer: None, created: false, replayed: false, user_errors: vec![error] };
        let store = input::id("input.storeId", &input.store_id)?;
        let tier = input.credit_tier()?;
        let person = match input.person()? {
            Ok(person) => person,
            Err((field, message)) => {
                return Ok(refused(CustomerCreateUserError::new(CustomerCreateErrorCode::ContactInvalid, message, field)));
            }
        };
        let customers = service::<Customers>(ctx)?;
        match customers.create(actor(ctx)?, by(ctx)?, &input.idempotency_key, store, &person, tier.as_deref()).await {
            Ok(done) => Ok(CustomerCreatePayload {
                customer: fresh(ctx, done.outcome.customer).await?,
                created: done.outcome.created,
                replayed: done.replayed,
                user_errors: vec![],
            }),
            Err(error) => Ok(refused(CustomerCreateUserError::read(error)?)),
        }
    }

    /// Keeps a wish the customer stated. It beats what was observed, and a later figure replaces an earlier one; a
    /// contradiction is shown on the customer.
    async fn preference_state(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: PreferenceStateInput,
    ) -> GqlResult<PreferenceStatePayload> {
        let refused = |error| PreferenceStatePayload { preference: None, customer: None, replayed: false, user_errors: vec![error] };
        let customer = input::id("input.customerId", &input.customer_id)?;
        let channel =
            input::optional("input.channel", input.channel.as_deref(), 40)?.map_or_else(|| "STORE".to_owned(), |c| c.to_uppercase());
        let wish = match Wish::parse(input.attribute, input.operator, &input.value) {
            Ok(wish) => wish,
            Err(error) => {
                return Ok(refused(PreferenceStateUserError::new(PreferenceStateErrorCode::ValueInvalid, error.to_string(), "value")));
            }
        };
        let customers = service::<Customers>(ctx)?;
        let mut new = NewPreference::stated(wish, input.importance.unwrap_or(PreferenceImportance::Should), &channel, customers.now());
        new.expires_at = input.expires_at;
        match customers.state_preference(actor(ctx)?, by(ctx)?, &input.idempotency_key, customer, new).await {
            Ok(done) => {
                let preference = customers.preference(&actor(ctx)?.selling_scope(), done.outcome).await?;
                let (preference, customer) = shown(ctx, preference).await?;
                Ok(PreferenceStatePayload { preference, customer, replayed: done.replayed, user_errors: vec![] })
            }
            Err(error) => Ok(refused(PreferenceStateUserError::read(error)?)),
        }
    }

    /// Takes a wish back. It stays in the history and no longer counts. Taking it back twice changes nothing.
    async fn preference_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: PreferenceWithdrawInput,
    ) -> GqlResult<PreferenceWithdrawPayload> {
        let id = input::id("input.preferenceId", &input.preference_id)?;
        match service::<Customers>(ctx)?.withdraw_preference(actor(ctx)?, by(ctx)?, id).await {
            Ok(preference) => {
                let (preference, customer) = shown(ctx, Some(preference)).await?;
                Ok(PreferenceWithdrawPayload { preference, customer, user_errors: vec![] })
            }
            Err(error) => Ok(PreferenceWithdrawPayload {
                preference: None,
                customer: None,
                user_errors: vec![PreferenceWithdrawUserError::read(error)?],
            }),
        }
    }

    /// Says that two records are one person: contacts, consents, wishes, leads, events and deals of the merged one move to the
    /// survivor. Everything that moved is recorded; `customerMergeUndo` brings it back.
    async fn customer_merge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: CustomerMergeInput,
    ) -> GqlResult<CustomerMergePayload> {
        let (survivor, merged) = (input::id("input.survivorId", &input.survivor_id)?, input::id("input.mergedId", &input.merged_id)?);
        let reason = input::required("input.reason", &input.reason, 200)?;
        match service::<Customers>(ctx)?.merge(actor(ctx)?, by(ctx)?, &input.idempotency_key, survivor, merged, &reason).await {
            Ok(done) => Ok(CustomerMergePayload {
                customer: fresh(ctx, done.outcome.survivor).await?,
                merge_id: Some(done.outcome.merge.into()),
                replayed: done.replayed,
                user_errors: vec![],
            }),
            Err(error) => Ok(CustomerMergePayload {
                customer: None,
                merge_id: None,
                replayed: false,
                user_errors: vec![CustomerMergeUserError::read(error)?],
            }),
        }
    }

    /// Takes a merge back: everything it moved returns. What came in since stays with the survivor.
    async fn customer_merge_undo(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: CustomerMergeUndoInput,
    ) -> GqlResult<CustomerMergeUndoPayload> {
        let id = input::id("input.mergeId", &input.merge_id)?;
        match service::<Customers>(ctx)?.undo_merge(actor(ctx)?, by(ctx)?, id).await {
            Ok(merge) => Ok(CustomerMergeUndoPayload {
                survivor: fresh(ctx, merge.survivor).await?,
                restored: fresh(ctx, merge.merged).await?,
                user_errors: vec![],
            }),
            Err(error) => {
                Ok(CustomerMergeUndoPayload { survivor: None, restored: None, user_errors: vec![CustomerMergeUndoUserError::read(error)?] })
            }
        }
    }

    /// Says that two records are not one person; the pair is not suggested again.
    async fn link_suggestion_dismiss(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: LinkSuggestionDismissInput,
    ) -> GqlResult<LinkSuggestionDismissPayload> {
        let (customer, other) = (input::id("input.customerId", &input.customer_id)?, input::id("input.otherId", &input.other_id)?);
        match service::<Customers>(ctx)?.dismiss_suggestion(actor(ctx)?, by(ctx)?, customer, other).await {
            Ok(()) => Ok(LinkSuggestionDismissPayload { customer: fresh(ctx, customer).await?, user_errors: vec![] }),
            Err(error) => {
                Ok(LinkSuggestionDismissPayload { customer: None, user_errors: vec![LinkSuggestionDismissUserError::read(error)?] })
            }
        }
    }
}

/// The customer of a payload, read again with what the payload's selection asks for (whatever the field is called there).
async fn fresh(ctx: &Context<'_>, id: CustomerId) -> GqlResult<Option<CustomerNode>> {
    let look = ctx.look_ahead();
    let mut wanted = CustomerParts::default();
    for field in ["customer", "survivor", "restored"] {
        let parts = super::parts(&look.field(field));
        wanted = CustomerParts { preferences: wanted.preferences || parts.preferences, events: wanted.events.max(parts.events) };
    }
    Ok(CustomerNode::load_many(ctx, &[id], wanted).await?.pop())
}

/// A preference with whether it counts, and its customer.
async fn shown(ctx: &Context<'_>, preference: Option<Preference>) -> GqlResult<(Option<PreferenceNode>, Option<CustomerNode>)> {
    let Some(preference) = preference else { return Ok((None, None)) };
    let customers = service::<Customers>(ctx)?;
    let all = customers.preferences(&actor(ctx)?.selling_scope(), &[preference.customer_id]).await?;
    let counts = effective(&all, customers.now()).iter().any(|p| p.id == preference.id);
    let customer = fresh(ctx, preference.customer_id).await?;
    Ok((Some(PreferenceNode { preference, effective: counts }), customer))
}
