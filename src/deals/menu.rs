//! The menu of a deal: every product of the store's list on this car, for this customer, with and without. Pure.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::model::{DealKind, DealProduct, Figures, Structure, Terms};
use super::pricing::{Case, Desk, Unpriced, sale_condition};
use crate::finance::{
    Cancellation, CustomerNeeds, DealNeeds, MENU_COLUMNS, MenuEntry, Product, ProductCase, ProductKind, ProductPrice, ProductRefusal,
    ProductVehicle, QuoteKind, Refund, RuleBook, menu,
};
use crate::inventory::VehicleCondition;
use crate::kernel::id::{GroupId, ProductId};
use crate::kernel::money::Cents;

/// A product on the menu.
#[derive(Debug, Clone)]
pub struct MenuItem {
    /// The product.
    pub product: Arc<Product>,
    /// Its price on this car.
    pub price: ProductPrice,
    /// Columns, refusals, reasons.
    pub entry: MenuEntry,
    /// On the deal now.
    pub selected: bool,
    /// The most the law lets it cost here.
    pub law_cap: Option<Cents>,
    /// Days in which it can be given back in full.
    pub free_look_days: u16,
    /// Figures without this product, everything else as agreed.
    pub without: Figures,
    /// Figures with it; none when it may not be sold.
    pub with: Option<Figures>,
}

/// What was said to a product of the menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuLine {
    /// The product.
    pub product_id: ProductId,
    /// Its code then.
    pub code: String,
    /// What the customer read.
    pub name: String,
    /// Taken, or declined.
    pub taken: bool,
    /// What it was offered for.
    pub price: Cents,
    /// The payment with it, everything else as agreed; none for cash.
    pub payment_with: Option<Cents>,
    /// The payment without it; none for cash.
    pub payment_without: Option<Cents>,
}

/// A column of the menu.
#[derive(Debug, Clone)]
pub struct MenuColumn {
    /// From 1, the fullest, to 4.
    pub number: u8,
    /// Its products.
    pub products: Vec<ProductId>,
    /// What they cost together.
    pub price: Cents,
    /// The figures with exactly these products.
    pub figures: Figures,
}

/// The menu.
#[derive(Debug, Clone)]
pub struct Menu {
    /// Every product on the list, by code.
    pub items: Vec<MenuItem>,
    /// Four columns.
    pub columns: Vec<MenuColumn>,
    /// The figures without any product.
    pub base: Figures,
    /// Months of payments; none for cash.
    pub term_months: Option<i32>,
    /// The class of the vehicle in the rate sheets.
    pub vehicle_class: String,
}

/// A product with its price on the car and what stands against it.
struct Judged {
    product: Arc<Product>,
    price: ProductPrice,
    refusals: Vec<ProductRefusal>,
    law_cap: Option<Cents>,
    free_look_days: u16,
}

const fn quote_kind(kind: DealKind) -> QuoteKind {
    match kind {
        DealKind::Cash => QuoteKind::Cash,
        DealKind::Retail => QuoteKind::Retail,
        DealKind::Lease => QuoteKind::Lease,
    }
}

fn vehicle(case: &Case<'_>) -> ProductVehicle {
    let car = case.car;
    ProductVehicle {
        make: car.make.clone(),
        fuel: car.fuel.clone(),
        condition: sale_condition(car.condition),
        age: case.today.year().saturating_sub(car.model_year).max(0),
        odometer_miles: car.odometer_miles,
        msrp: car.msrp,
    }
}

pub(super) fn with_products(structure: &Structure, products: Vec<DealProduct>) -> Structure {
    Structure { products, ..structure.clone() }
}

impl Desk {
    /// The first reason why a product of the structure cannot be sold to this customer, in a sentence.
    pub fn product_refusal(&self, case: &Case<'_>) -> Option<String> {
        let book = self.book();
        let bare = with_products(case.structure, Vec::new());
        let financed = self.figures(&Case { structure: &bare, ..*case }).ok()?.amount_financed;
        let vehicle = vehicle(case);
        case.structure.products.iter().find_map(|line| {
            let product = book.product(line.product_id)?;
            let judged = judge(&book, case, &vehicle, financed, product, Some(line.price));
            judged.refusals.into_iter().next().map(|refusal| format!("{}: {}", product.name, refusal.message))
        })
    }

    /// The menu.
    pub fn menu(&self, case: &Case<'_>, mut needs: CustomerNeeds) -> Result<Menu, Unpriced> {
        let book = self.book();
        let structure = case.structure;
        let figures = |products: Vec<DealProduct>| self.figures(&Case { structure: &with_products(structure, products), ..*case });
        let base = figures(Vec::new())?;
        let vehicle = vehicle(case);
        let judged: Vec<Judged> = book
            .products(case.group_id, case.today)
            .map(|product| {
                let agreed = structure.products.iter().find(|line| line.product_id == product.id).map(|line| line.price);
                judge(&book, case, &vehicle, base.amount_financed, product, agreed)
            })
            .collect();
        let deal = DealNeeds {
            kind: quote_kind(structure.terms.kind),
            term_months: structure.terms.term_months.and_then(|months| u16::try_from(months).ok()).unwrap_or(0),
            amount_financed: base.amount_financed,
            price: structure.terms.price,
        };
        needs.miles_per_year = needs.miles_per_year.or_else(|| structure.terms.annual_miles.and_then(|miles| u32::try_from(miles).ok()));
        let mut entries: Vec<(&Product, MenuEntry)> = judged
            .iter()
            .map(|judged| {
                let sellable = judged.refusals.is_empty();
                let entry = MenuEntry {
                    product_id: judged.product.id,
                    price: judged.price.price,
                    refusals: judged.refusals.clone(),
                    reasons: if sellable { needs.reasons(&judged.product, &deal) } else { Vec::new() },
                    columns: Vec::new(),
                };
                (judged.product.as_ref(), entry)
            })
            .collect();
        menu(&mut entries);
        let entries: Vec<MenuEntry> = entries.into_iter().map(|(_, entry)| entry).collect();
        let mut columns = Vec::with_capacity(usize::from(MENU_COLUMNS));
        for number in 1..=MENU_COLUMNS {
            let inside: Vec<&MenuEntry> = entries.iter().filter(|entry| entry.columns.contains(&number)).collect();
            let products: Vec<DealProduct> =
                inside.iter().map(|entry| DealProduct { product_id: entry.product_id, price: entry.price }).collect();
            columns.push(MenuColumn {
                number,
                products: inside.iter().map(|entry| entry.product_id).collect(),
                price: products.iter().map(|line| line.price).sum(),
                figures: figures(products)?,
            });
        }
        let mut items = Vec::with_capacity(judged.len());
        for (judged, entry) in judged.into_iter().zip(entries) {
            let others: Vec<DealProduct> = structure.products.iter().filter(|line| line.product_id != entry.product_id).copied().collect();
            let with = if entry.refusals.is_empty() {
                let line = DealProduct { product_id: entry.product_id, price: entry.price };
                Some(figures(others.iter().copied().chain([line]).collect())?)
            } else {
                None
            };
            items.push(MenuItem {
                selected: structure.products.iter().any(|line| line.product_id == entry.product_id),
                without: figures(others)?,
                with,
                product: judged.product,
                price: judged.price,
                law_cap: judged.law_cap,
                free_look_days: judged.free_look_days,
                entry,
            });
        }
        let vehicle_class = book.product_rows().class(case.group_id, &vehicle);
        Ok(Menu { items, columns, base, term_months: structure.terms.term_months, vehicle_class })
    }

    /// What a product gives back; none when it is not on file.
    pub fn refund(&self, product: ProductId, jurisdiction: &str, cancel: &Cancellation) -> Option<Refund> {
        let book = self.book();
        let product = book.product(product)?;
        let law = book.state_of(jurisdiction).ok().and_then(|state| book.product_rows().law(state, product.kind, cancel.from));
        Some(product.refund(law, cancel))
    }

    /// Whether a product that the house wants decided may be meant for such a deal. What only the menu finds out (age, miles, what is
    /// financed) is left to it: a menu with nothing on it is decided without a word.
    pub fn menu_due(&self, group: GroupId, terms: &Terms, condition: VehicleCondition, today: NaiveDate) -> bool {
        let book = self.book();
        let state = book.state_of(&terms.buyer_jurisdiction).unwrap_or_default();
        let (kind, condition) = (quote_kind(terms.kind), sale_condition(condition));
        book.products(group, today).any(|product| product.must_decide && product.meant_for(kind, condition, state))
    }

    /// The list price of a product on the deal's car.
    pub fn product_price(&self, case: &Case<'_>, product: ProductId) -> Option<Cents> {
        let book = self.book();
        let product = book.products(case.group_id, case.today).find(|p| p.id == product)?;
        Some(book.product_rows().price(product, &vehicle(case), case.today).price)
    }
}

fn judge(
    book: &RuleBook,
    case: &Case<'_>,
    vehicle: &ProductVehicle,
    amount_financed: Cents,
    product: &Arc<Product>,
    agreed: Option<Cents>,
) -> Judged {
    let (structure, on) = (case.structure, case.today);
    let state = book.state_of(&structure.terms.buyer_jurisdiction).unwrap_or_default();
    let law = book.product_rows().law(state, product.kind, on);
    let mut price = book.product_rows().price(product, vehicle, on);
    price.price = agreed.unwrap_or(price.price);
    let others: Vec<(ProductKind, String)> = structure
        .products
        .iter()
        .filter(|line| line.product_id != product.id)
        .filter_map(|line| book.product(line.product_id).map(|other| (other.kind, other.name.clone())))
        .collect();
    let product_case = ProductCase { vehicle, kind: quote_kind(structure.terms.kind), state, amount_financed, others: &others, on };
    Judged {
        refusals: product.refusals(&product_case, law, price.price),
        law_cap: product.law_cap(law, amount_financed),
        free_look_days: product.free_look(law),
        product: Arc::clone(product),
        price,
    }
}
