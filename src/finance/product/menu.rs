//! The menu: four columns, each product with its payment with and without it, and suggestions from what the customer said.

use super::{Product, ProductRefusal};
use crate::finance::quote::QuoteKind;
use crate::finance::tax::ProductKind;
use crate::kernel::id::ProductId;
use crate::kernel::money::Cents;

/// How many columns a menu has. The first holds everything that fits, each further one less.
pub const MENU_COLUMNS: u8 = 4;

/// What the customer said when asked. None: not asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CustomerNeeds {
    /// Years they keep a car.
    #[serde(default)]
    pub keeps_years: Option<u16>,
    /// Miles they drive in a year.
    #[serde(default)]
    pub miles_per_year: Option<u32>,
    /// Whether a repair of 2,500 would be a burden.
    #[serde(default)]
    pub repair_is_burden: Option<bool>,
    /// Whether they drive on bad or unpaved roads.
    #[serde(default)]
    pub rough_roads: Option<bool>,
    /// Whether the car stands in the street.
    #[serde(default)]
    pub street_parking: Option<bool>,
    /// Whether children or animals ride along.
    #[serde(default)]
    pub children_or_pets: Option<bool>,
    /// Whether keys get lost in the household.
    #[serde(default)]
    pub loses_keys: Option<bool>,
}

/// A product on the menu, before payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// Which product.
    pub product_id: ProductId,
    /// What it is sold for on this car.
    pub price: Cents,
    /// What stands against it; empty when the customer may have it.
    pub refusals: Vec<ProductRefusal>,
    /// Why it is suggested; empty when it is not.
    pub reasons: Vec<String>,
    /// The columns it stands in, from 1; empty when it may not be sold.
    pub columns: Vec<u8>,
}

/// The menu's entries into columns: of two products that cover the same only the one that stands in fewer columns is left out
/// of a column both would stand in.
pub fn menu(entries: &mut [(&Product, MenuEntry)]) {
    for column in 1..=MENU_COLUMNS {
        let mut taken: Vec<ProductKind> = Vec::new();
        let mut order: Vec<usize> = (0..entries.len()).collect();
        // In the fullest column the longest cover stands, in the smaller ones the usual one.
        order.sort_by_key(|index| {
            let product = entries.get(*index).map(|(product, _)| *product);
            let columns = product.map_or(0, |p| p.menu_columns);
            let term = product.and_then(|p| p.term_months).unwrap_or(0);
            if column == 1 { (u8::MAX, std::cmp::Reverse(term), *index) } else { (u8::MAX - columns, std::cmp::Reverse(0), *index) }
        });
        for index in order {
            let Some((product, entry)) = entries.get_mut(index) else { continue };
            // A duplicate of what is on the deal still has its place: one column may hold one, another the other.
            let sellable = entry.refusals.iter().all(|refusal| refusal.rule == super::ProductRule::Duplicate);
            if sellable && column <= product.menu_columns && !taken.contains(&product.kind) {
                taken.push(product.kind);
                entry.columns.push(column);
            }
        }
    }
}

/// What the deal itself says about needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DealNeeds {
    /// How the customer pays.
    pub kind: QuoteKind,
    /// Months.
    pub term_months: u16,
    /// What is financed.
    pub amount_financed: Cents,
    /// The price of the car.
    pub price: Cents,
}

impl CustomerNeeds {
    /// Why a product would be of use to this customer; empty when nothing they said points to it.
    pub fn reasons(&self, product: &Product, deal: &DealNeeds) -> Vec<String> {
        let mut out = Vec::new();
        let yes = |answer: Option<bool>| answer == Some(true);
        match product.kind {
            ProductKind::ServiceContract => {
                if let Some(years) = self.keeps_years.filter(|years| *years > 3) {
                    out.push(format!("You keep a car {years} years; most makers' warranties end after 3."));
                }
                if let Some(miles) =
                    self.keeps_years.zip(self.miles_per_year).map(|(y, m)| u32::from(y).saturating_mul(m)).filter(|m| *m > 36_000)
                {
                    out.push(format!("You will drive about {miles} miles in that time; most makers' warranties end at 36000."));
                }
                if yes(self.repair_is_burden) {
                    out.push("You said a repair of 2500 would be a burden.".into());
                }
            }
            ProductKind::Gap if deal.kind != QuoteKind::Cash => {
                let share = i128::from(deal.amount_financed.0).saturating_mul(100);
                if share > i128::from(deal.price.0).saturating_mul(90) {
                    let percent = share.checked_div(i128::from(deal.price.0)).unwrap_or(0);
                    out.push(format!(
                        "You finance {percent} % of the car's price; after a total loss insurance pays what the car is worth by then."
                    ));
                }
                if deal.term_months > 60 {
                    out.push(format!("Over {} months the car loses value faster than the balance falls.", deal.term_months));
                }
            }
            ProductKind::Maintenance => {
                if let Some(miles) = self.miles_per_year.filter(|miles| *miles >= 15_000) {
                    out.push(format!("You drive {miles} miles a year: services come often."));
                }
            }
            ProductKind::TireAndWheel => {
                if yes(self.rough_roads) {
                    out.push("You drive on bad or unpaved roads.".into());
                }
                if yes(self.street_parking) {
                    out.push("Your car stands in the street, near the kerb.".into());
                }
            }
            ProductKind::Appearance => {
                if yes(self.children_or_pets) {
                    out.push("Children or animals ride along.".into());
                }
                if yes(self.street_parking) {
                    out.push("Your car stands in the street.".into());
                }
            }
            ProductKind::Key if yes(self.loses_keys) => out.push("You said keys get lost in your household.".into()),
            ProductKind::LeaseWear if deal.kind == QuoteKind::Lease => {
                if yes(self.children_or_pets) {
                    out.push("Children or animals ride along, and a leased car goes back.".into());
                }
                if yes(self.rough_roads) {
                    out.push("You drive on bad roads, and a leased car goes back.".into());
                }
            }
            _ => {}
        }
        out
    }
}
