//! What the mutations take, and how it is read.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};

use crate::customers::model::{IncomingEmail, IncomingPerson, IncomingPhone};
use crate::customers::person::{LINE_MAX, NAME_MAX, Person, PostalAddress};
use crate::customers::preference::{PreferenceAttribute, PreferenceImportance, PreferenceOperator};
use crate::graphql::{GqlResult, input};
use crate::kernel::contact::{EmailAddress, PhoneNumber};

/// A person to enter.
#[derive(Debug, InputObject)]
pub(super) struct CustomerCreateInput {
    /// The store, `sto_…`.
    pub(super) store_id: ID,
    /// Made by the client, kept until an answer came; the same key gives the first answer again. At most 200 characters.
    pub(super) idempotency_key: String,
    /// Given name; at most 100 characters.
    #[graphql(secret)]
    given_name: Option<String>,
    /// Middle name or initial; at most 100 characters.
    #[graphql(secret)]
    middle_name: Option<String>,
    /// Family name; at most 100 characters.
    #[graphql(secret)]
    family_name: Option<String>,
    /// E-mail address.
    #[graphql(secret)]
    email: Option<String>,
    /// Phone number; without `+` it is North American.
    #[graphql(secret)]
    phone: Option<String>,
    /// Postal address.
    #[graphql(secret)]
    address: Option<CustomerAddressInput>,
    /// The credit tier used for quotes until a lender decides; at most 20 characters.
    credit_tier: Option<String>,
}

/// A postal address.
#[derive(Debug, InputObject)]
struct CustomerAddressInput {
    /// Street and number; at most 200 characters.
    street: Option<String>,
    /// Apartment, suite; at most 200 characters.
    street2: Option<String>,
    /// City; at most 100 characters.
    city: Option<String>,
    /// State, by its two letters or name.
    state: Option<String>,
    /// ZIP or postal code; at most 20 characters.
    postal_code: Option<String>,
    /// Country; at most 100 characters.
    country: Option<String>,
}

/// A person read from the input, or what cannot be read: the field and why.
pub(super) type ReadPerson = Result<IncomingPerson, (&'static str, String)>;

impl CustomerCreateInput {
    /// The person. The outer error is a caller's mistake (too long), the inner one for the salesperson.
    pub(super) fn person(&self) -> GqlResult<ReadPerson> {
        let text = |name: &str, value: &Option<String>, max| input::optional(name, value.as_deref(), max);
        let address = match &self.address {
            None => PostalAddress::default(),
            Some(a) => PostalAddress {
                street: text("input.address.street", &a.street, LINE_MAX)?,
                street2: text("input.address.street2", &a.street2, LINE_MAX)?,
                city: text("input.address.city", &a.city, NAME_MAX)?,
                state: text("input.address.state", &a.state, NAME_MAX)?,
                postal_code: text("input.address.postalCode", &a.postal_code, 20)?,
                country: text("input.address.country", &a.country, NAME_MAX)?,
            },
        };
        let person = Person {
            given_name: text("input.givenName", &self.given_name, NAME_MAX)?,
            middle_name: text("input.middleName", &self.middle_name, NAME_MAX)?,
            family_name: text("input.familyName", &self.family_name, NAME_MAX)?,
            address,
        };
        let mut incoming = IncomingPerson { person: person.tidy(), ..IncomingPerson::default() };
        if let Some(raw) = text("input.email", &self.email, 254)? {
            match EmailAddress::parse(&raw) {
                Ok(address) => incoming.emails.push(IncomingEmail { address, verified: false }),
                Err(error) => return Ok(Err(("email", format!("This is {error}.")))),
            }
        }
        if let Some(raw) = text("input.phone", &self.phone, 64)? {
            match PhoneNumber::parse(&raw) {
                Ok(number) => incoming.phones.push(IncomingPhone { number, label: None }),
                Err(error) => return Ok(Err(("phone", format!("This is {error}.")))),
            }
        }
        Ok(Ok(incoming))
    }

    pub(super) fn credit_tier(&self) -> GqlResult<Option<String>> {
        input::optional("input.creditTier", self.credit_tier.as_deref(), 20)
    }
}

/// A wish heard during the talk.
#[derive(Debug, InputObject)]
pub(super) struct PreferenceStateInput {
    /// Whose wish, `cus_…`.
    pub(super) customer_id: ID,
    /// Made by the client, kept until an answer came; the same key gives the first answer again. At most 200 characters.
    pub(super) idempotency_key: String,
    /// What it is about.
    pub(super) attribute: PreferenceAttribute,
    /// How the value is meant: names take `IS` or `IS_NOT`, amounts and numbers `IS`, `AT_LEAST` or `AT_MOST`.
    pub(super) operator: PreferenceOperator,
    /// As it was said: "450", "$25k", "crossover", "navy blue", "2019". At most 100 characters.
    pub(super) value: String,
    /// How much it matters; `SHOULD` when not given.
    pub(super) importance: Option<PreferenceImportance>,
    /// Where it was heard; `STORE` when not given. At most 40 characters.
    pub(super) channel: Option<String>,
    /// When it stops to count; never when not given.
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// A wish taken back.
#[derive(Debug, InputObject)]
pub(super) struct PreferenceWithdrawInput {
    /// The preference, `prf_…`.
    pub(super) preference_id: ID,
}

/// Two records that are one person.
#[derive(Debug, InputObject)]
pub(super) struct CustomerMergeInput {
    /// The record that stays, `cus_…`.
    pub(super) survivor_id: ID,
    /// The record that is merged into it, `cus_…`.
    pub(super) merged_id: ID,
    /// Made by the client, kept until an answer came; the same key gives the first answer again. At most 200 characters.
    pub(super) idempotency_key: String,
    /// Why they are one person, for colleagues. No personal data. At most 200 characters.
    pub(super) reason: String,
}

/// A merge to take back.
#[derive(Debug, InputObject)]
pub(super) struct CustomerMergeUndoInput {
    /// The merge, `mrg_…`.
    pub(super) merge_id: ID,
}

/// A suggestion that is wrong.
#[derive(Debug, InputObject)]
pub(super) struct LinkSuggestionDismissInput {
    /// One of the two records, `cus_…`.
    pub(super) customer_id: ID,
    /// The other one, `cus_…`.
    pub(super) other_id: ID,
}
