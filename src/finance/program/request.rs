//! What is asked: a worksheet, a vehicle, a customer's tier and place, and the day.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use crate::finance::error::FinanceError;
use crate::finance::quote::{QuoteInput, QuoteKind, Worksheet};
use crate::finance::retail::PaymentSchedule;
use crate::finance::rules::RuleBook;
use crate::finance::tax::SaleCondition;
use crate::kernel::id::{GroupId, StoreId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::Program;

/// The row of a guide book that a vehicle's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BookRow {
    /// The row.
    pub id: Uuid,
    /// Whether a person checked it.
    pub verified: bool,
}

/// The vehicle, as far as lenders and tax look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VehicleFacts {
    /// New, used, certified.
    pub condition: SaleCondition,
    /// Model year.
    pub model_year: i32,
    /// What the odometer shows.
    pub odometer_miles: Option<u32>,
    /// List price.
    pub msrp: Option<Cents>,
    /// The manufacturer's invoice.
    pub invoice: Option<Cents>,
    /// A guide book's wholesale value.
    pub book_wholesale: Option<Cents>,
    /// A guide book's retail value.
    pub book_retail: Option<Cents>,
    /// Where those two come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book_row: Option<BookRow>,
}

impl VehicleFacts {
    /// Never titled.
    pub fn is_new(&self) -> bool {
        self.condition == SaleCondition::New
    }

    /// Model years on a day; not below zero.
    pub fn age(&self, on: NaiveDate) -> u16 {
        u16::try_from(on.year().saturating_sub(self.model_year).max(0)).unwrap_or(u16::MAX)
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteRequest {
    /// Whose lenders and products.
    pub group: GroupId,
    /// Whose fees.
    pub store: StoreId,
    /// The day of signing.
    pub on: NaiveDate,
    /// The buyer's tax jurisdiction, such as `TX` or `FL-MIAMI-DADE`.
    pub jurisdiction: String,
    /// The vehicle.
    pub vehicle: VehicleFacts,
    /// The tier to price for.
    pub credit_tier: String,
    /// What is on the table.
    pub worksheet: Worksheet,
}

impl QuoteRequest {
    /// The inputs of a quote under the rules of the day, for one program (or cash).
    pub fn input(&self, book: &RuleBook, program: Option<&Arc<Program>>) -> Result<QuoteInput, FinanceError> {
        let tax_rule = book.tax_rule(&self.jurisdiction, self.on)?;
        let kind = self.worksheet.kind;
        let mut worksheet = self.worksheet.clone();
        if kind == QuoteKind::Cash {
            worksheet.term_months = 0;
        }
        if kind != QuoteKind::Retail {
            worksheet.markup = Rate::ZERO;
        }
        let state = book.state_of(&self.jurisdiction)?.to_owned();
        Ok(QuoteInput {
            // Also where nothing is added: a rule that shows only then would tell customers that something is.
            markup_laws: book.markup_laws(&state, self.on).filter(|_| kind == QuoteKind::Retail).cloned().collect(),
            worksheet,
            contract_date: self.on,
            vehicle: self.vehicle,
            state,
            tax_rule: Arc::clone(tax_rule),
            fees: book.fees(&self.jurisdiction, self.store, self.on).filter(|f| f.applies(kind)).cloned().collect(),
            program: program.cloned(),
        })
    }

    /// The same with another kind of payment.
    #[must_use]
    pub fn as_kind(&self, kind: QuoteKind) -> Self {
        Self { worksheet: Worksheet { kind, ..self.worksheet.clone() }, ..self.clone() }
    }

    /// Without the parts that only a contract has, when it is none: how often it is paid, a down payment that is paid later, a
    /// balloon.
    #[must_use]
    pub fn fitted(mut self) -> Self {
        let w = &mut self.worksheet;
        if w.kind != QuoteKind::Retail {
            w.schedule = PaymentSchedule::Monthly;
            w.deferred_down.clear();
            w.balloon = false;
        }
        self
    }
}
