//! Who may have a product: the product's own bounds, the law's caps, and whether it can be of any use.

use chrono::NaiveDate;

use super::{Product, ProductLaw, ProductVehicle};
use crate::finance::quote::QuoteKind;
use crate::finance::tax::{ProductKind, SaleCondition};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::rounding::div_floor;

crate::text_enum! {
    /// Which rule stands against a product.
    pub enum ProductRule {
        /// New, used or certified.
        Condition = "CONDITION",
        /// The vehicle's age.
        Age = "AGE",
        /// The vehicle's miles.
        Mileage = "MILEAGE",
        /// Cash, contract or lease.
        DealKind = "DEAL_KIND",
        /// The buyer's state.
        State = "STATE",
        /// Too much is financed.
        LoanToValue = "LOAN_TO_VALUE",
        /// So little is financed that the law forbids it.
        LowLoanToValue = "LOW_LOAN_TO_VALUE",
        /// The law's ceiling on the price.
        PriceCap = "PRICE_CAP",
        /// It cannot be of use to this customer.
        NoBenefit = "NO_BENEFIT",
        /// Another product of the deal covers the same.
        Duplicate = "DUPLICATE",
    }
}

/// A rule that stands against a product, in words a salesperson can read aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRefusal {
    /// Which rule.
    pub rule: ProductRule,
    /// In words.
    pub message: String,
}

/// What a product is asked to fit.
#[derive(Debug, Clone)]
pub struct ProductCase<'a> {
    /// The vehicle.
    pub vehicle: &'a ProductVehicle,
    /// How the customer pays.
    pub kind: QuoteKind,
    /// The buyer's state.
    pub state: &'a str,
    /// What is financed.
    pub amount_financed: Cents,
    /// The other products of the deal.
    pub others: &'a [(ProductKind, String)],
    /// The day.
    pub on: NaiveDate,
}

impl Product {
    /// Every rule that stands against the product at a price; empty when the customer may have it.
    pub fn refusals(&self, case: &ProductCase<'_>, law: Option<&ProductLaw>, price: Cents) -> Vec<ProductRefusal> {
        let mut out = Vec::new();
        let mut refuse = |rule, message: String| out.push(ProductRefusal { rule, message });
        let vehicle = case.vehicle;
        if !self.conditions.is_empty() && !self.conditions.contains(&vehicle.condition) {
            let taken = self.conditions.iter().map(|c| c.as_str().to_lowercase()).collect::<Vec<_>>().join(" or ");
            refuse(ProductRule::Condition, format!("{} is for {taken} vehicles.", self.name));
        }
        if let Some(max) = self.max_age_years
            && vehicle.age > i32::from(max)
        {
            refuse(ProductRule::Age, format!("The vehicle is {} model years old; at most {max} are covered.", vehicle.age));
        }
        if let (Some(max), Some(miles)) = (self.max_odometer_miles, vehicle.odometer_miles)
            && i64::from(miles) > i64::from(max)
        {
            refuse(ProductRule::Mileage, format!("The vehicle has {miles} miles; at most {max} are covered."));
        }
        if !self.deal_kinds.is_empty() && !self.deal_kinds.contains(&case.kind) {
            let kinds = self.deal_kinds.iter().map(|kind| kind.as_str().to_lowercase()).collect::<Vec<_>>().join(" or ");
            refuse(ProductRule::DealKind, format!("{} is for {kinds} deals.", self.name));
        }
        if !self.states.is_empty() && !self.states.iter().any(|state| state == case.state) {
            refuse(ProductRule::State, format!("{} is not offered in {}.", self.name, case.state));
        }
        if let (Some(max), Some(value)) = (self.max_ltv, vehicle.msrp)
            && case.kind != QuoteKind::Cash
            && share(case.amount_financed, max, value)
        {
            refuse(ProductRule::LoanToValue, format!("{} is more than {max} % of the list price of {value}.", case.amount_financed));
        }
        if let Some(law) = law {
            self.against_law(case, law, price, &mut refuse);
        }
        if let Some(why) = self.no_benefit(case) {
            refuse(ProductRule::NoBenefit, why);
        }
        if let Some((_, name)) = case.others.iter().find(|(kind, _)| *kind == self.kind) {
            refuse(ProductRule::Duplicate, format!("{name} covers the same."));
        }
        out
    }

    fn against_law(&self, case: &ProductCase<'_>, law: &ProductLaw, price: Cents, refuse: &mut impl FnMut(ProductRule, String)) {
        if let Some(most) = self.law_cap(Some(law), case.amount_financed)
            && case.kind != QuoteKind::Cash
            && price > most
        {
            refuse(ProductRule::PriceCap, format!("{} allows at most {most} for it here: {}.", law.state, law.source));
        }
        if let (Some(least), Some(value)) = (law.min_ltv, case.vehicle.msrp)
            && case.kind != QuoteKind::Cash
            && !share(case.amount_financed, least, value)
        {
            let message =
                format!("{} forbids it while {} or less of {value} is financed: {}.", law.state, format_args!("{least} %"), law.source);
            refuse(ProductRule::LowLoanToValue, message);
        }
    }

    /// The most the law lets the product cost, rounded down to the cent.
    pub fn law_cap(&self, law: Option<&ProductLaw>, amount_financed: Cents) -> Option<Cents> {
        let cap = law?.price_cap?;
        let most = div_floor(i128::from(amount_financed.at_least_zero().0) * i128::from(cap.0), Rate::WHOLE)?;
        i64::try_from(most).ok().map(Cents)
    }

    /// Why it could not be of use to this customer, if it could not (SB 766: no product without a benefit).
    fn no_benefit(&self, case: &ProductCase<'_>) -> Option<String> {
        let vehicle = case.vehicle;
        let fuel = vehicle.fuel.as_deref();
        match self.kind {
            ProductKind::Maintenance if matches!(fuel, Some("ELECTRIC" | "HYDROGEN")) => {
                Some("An electric car needs no oil changes, which are what this pays for.".into())
            }
            ProductKind::Gap if case.kind == QuoteKind::Cash => Some("Nothing is financed: there is no gap to pay.".into()),
            ProductKind::LeaseWear if case.kind != QuoteKind::Lease => Some("Nobody charges for wear on a car of one's own.".into()),
            ProductKind::ServiceContract | ProductKind::Maintenance => {
                let driven = i64::from(vehicle.odometer_miles.unwrap_or(0));
                // A used car's cover ends at an odometer reading; a new car's begins at zero.
                let spent = self.term_miles.is_some_and(|miles| vehicle.condition != SaleCondition::New && driven >= i64::from(miles));
                spent.then(|| format!("The car has {driven} miles already; the cover would end at once."))
            }
            _ => None,
        }
    }
}

/// Whether an amount is more than a share of a value.
fn share(amount: Cents, rate: Rate, value: Cents) -> bool {
    i128::from(amount.0) * Rate::WHOLE > i128::from(value.0) * i128::from(rate.0)
}
