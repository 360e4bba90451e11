//! Rows inside a row: `ARRAY(SELECT ROW(…))` read in binary, so that an object and its lists come in one statement.

/// A record of unnamed columns that decodes into a struct, field by field in the order of `ROW(…)`. The fields have the
/// struct's visibility.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        $vis struct $name { $($vis $field: $type),+ }

        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo { <(i64,) as sqlx::Type<sqlx::Postgres>>::type_info() }
        }
        impl sqlx::postgres::PgHasArrayType for $name {
            fn array_type_info() -> sqlx::postgres::PgTypeInfo { <(i64,) as sqlx::postgres::PgHasArrayType>::array_type_info() }
        }
        impl<'r> sqlx::Decode<'r, sqlx::Postgres> for $name {
            fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                let mut fields = sqlx::postgres::types::PgRecordDecoder::new(value)?;
                Ok(Self { $($field: fields.try_decode()?),+ })
            }
        }
    };
}

pub(crate) use record;
