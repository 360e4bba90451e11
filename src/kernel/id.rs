//! Typed, readable ids: `veh_01jd…` is a UUIDv7 in Crockford base32 behind a prefix (the TypeID format).
//!
//! The prefix tells people and programs what an id names; an id of another type does not parse.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LEN: usize = 26;

/// Text that is not an id of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that begins with \"{prefix}_\"")]
pub struct BadId {
    /// The prefix the id should have had.
    pub prefix: &'static str,
}

/// What every typed id can do. Made by [`typed_id!`](crate::typed_id).
pub trait TypedId: Copy + From<Uuid> + fmt::Display {
    /// The readable prefix, without the underscore.
    const PREFIX: &'static str;
    /// The bare UUID, for SQL.
    fn uuid(self) -> Uuid;
    /// Parses `prefix_suffix`.
    fn parse(text: &str) -> Result<Self, BadId> {
        text.strip_prefix(Self::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(decode)
            .map(Self::from)
            .ok_or(BadId { prefix: Self::PREFIX })
    }
}

/// A new time-ordered UUID (version 7) for the moment `at`.
///
/// # Panics
/// Never: the operating system's random source is required at start-up.
pub fn new_uuid(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let mut random = [0_u8; 10];
    super::seal::fill_random(&mut random);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The 26 characters of a UUID in Crockford base32 (lower case).
pub fn encode(id: Uuid) -> String {
    let mut bits = id.as_u128();
    let mut out = [0_u8; SUFFIX_LEN];
    for slot in out.iter_mut().rev() {
        let digit = usize::try_from(bits & 31).unwrap_or(0);
        *slot = ALPHABET.get(digit).copied().unwrap_or(b'0');
        bits >>= 5;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The inverse of [`encode`]; `None` for anything else.
pub fn decode(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    if bytes.len() != SUFFIX_LEN || !matches!(bytes.first(), Some(b'0'..=b'7')) {
        return None;
    }
    let mut bits = 0_u128;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|c| c == byte)?;
        bits = (bits << 5) | u128::try_from(digit).ok()?;
    }
    Some(Uuid::from_u128(bits))
}

/// Declares a typed id: a UUID newtype with a prefix, `Display`, `FromStr`, serde (as its text) and sqlx (as `uuid`).
#[macro_export]
macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ::sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(pub ::uuid::Uuid);

        impl $crate::kernel::id::TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn uuid(self) -> ::uuid::Uuid { self.0 }
        }
        impl From<::uuid::Uuid> for $name {
            fn from(id: ::uuid::Uuid) -> Self { Self(id) }
        }
        impl From<$name> for ::uuid::Uuid {
            fn from(id: $name) -> Self { id.0 }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(&$crate::kernel::id::encode(self.0))
            }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::kernel::id::BadId;
            fn from_str(s: &str) -> Result<Self, Self::Err> { <Self as $crate::kernel::id::TypedId>::parse(s) }
        }
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
}

typed_id!(/// A dealer group.
    GroupId, "grp");
typed_id!(/// A store (rooftop) of a group.
    StoreId, "sto");
typed_id!(/// A person or machine that signs in.
    UserId, "usr");
typed_id!(/// A sign-in session of one device.
    SessionId, "ses");
typed_id!(/// A vehicle on a store's lot.
    VehicleId, "veh");
typed_id!(/// One run of an inventory feed.
    FeedImportId, "imp");
typed_id!(/// A customer of a store.
    CustomerId, "cus");
typed_id!(/// A wish of a customer.
    PreferenceId, "prf");
typed_id!(/// A lead as a channel sent it.
    LeadId, "lead");
typed_id!(/// A web or app event.
    EventId, "evt");
typed_id!(/// A deal.
    DealId, "deal");
typed_id!(/// A trade-in of a deal.
    TradeInId, "trd");
typed_id!(/// A saved structure of a deal.
    ScenarioId, "scn");
typed_id!(/// A deposit that keeps a car for a customer.
    DepositId, "dep");
typed_id!(/// A question to a manager about a deal.
    ApprovalId, "apv");
typed_id!(/// A finance quote.
    FinanceQuoteId, "fqt");
typed_id!(/// An insurance quote.
    InsuranceQuoteId, "iqt");
typed_id!(/// A lender.
    LenderId, "lnd");
typed_id!(/// A lender's program.
    ProgramId, "prg");
typed_id!(/// An insurer.
    InsurerId, "ins");
typed_id!(/// A protection product.
    ProductId, "prd");
typed_id!(/// A version of a rule: a dated row of taxes, fees, programs or insurance.
    RuleVersionId, "rul");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_keeps_its_type() {
        let id = VehicleId(Uuid::from_u128(0x0189_f4a2_7c3b_7def_8123_4567_89ab_cdef));
        let text = id.to_string();
        assert!(text.starts_with("veh_") && text.len() == 30);
        assert_eq!(VehicleId::parse(&text), Ok(id));
        assert_eq!(DealId::parse(&text), Err(BadId { prefix: "deal" }));
    }

    #[test]
    fn refuses_what_is_not_a_uuid() {
        for bad in
            ["veh_", "veh_8zzzzzzzzzzzzzzzzzzzzzzzzz", "veh_01jd", "VEH_00000000000000000000000000", "veh_0000000000000000000000000l", "é"]
        {
            assert!(VehicleId::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(decode("7zzzzzzzzzzzzzzzzzzzzzzzzz"), Some(Uuid::max()));
    }
}
