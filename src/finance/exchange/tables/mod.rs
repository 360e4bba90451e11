//! The tables that can be exchanged: their columns and statements. `select` takes the group and gives id and cells; `insert`
//! takes rows as JSON and the group, and leaves out what is there or overlaps.

mod approvals;
mod deliveries;
mod guide;
mod insurance;
mod lending;
mod products;
mod taxes;

use super::column::{Column, Row};

/// Dates of a row.
macro_rules! close {
    ($table:literal) => {
        Some(concat!("UPDATE ", $table, " SET effective = daterange(lower(effective), $2) WHERE id = $1"))
    };
}
/// What a person found out about a row: an empty cell says nothing.
macro_rules! note {
    ($table:literal) => {
        Some(concat!(
            "UPDATE ",
            $table,
            " SET source = coalesce($2->>'source', source), source_read_on = coalesce(($2->>'read_on')::date, source_read_on),",
            " verified = coalesce(($2->>'verified')::bool, verified) WHERE id = $1"
        ))
    };
}
pub(super) use {close, note};

/// What a cell's code is the code of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reference {
    Jurisdiction,
    Store,
    Lender,
    Insurer,
    Product,
}

impl Reference {
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Jurisdiction => "jurisdiction",
            Self::Store => "store in this group",
            Self::Lender => "lender in this group",
            Self::Insurer => "insurer in this group",
            Self::Product => "product in this group",
        }
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) key: &'static [&'static str],
    pub(super) references: &'static [(&'static str, Reference)],
    /// What must hold between cells: the column to blame and why.
    pub(super) check: fn(&Row) -> Option<(&'static str, &'static str)>,
    pub(super) select: &'static str,
    pub(super) insert: &'static str,
    pub(super) close: Option<&'static str>,
    pub(super) note: Option<&'static str>,
}

impl Spec {
    pub(super) fn heading(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
}

pub(super) const fn anything(_: &Row) -> Option<(&'static str, &'static str)> {
    None
}

/// Whether the number in `from` lies below the one in `to`.
pub(super) fn rises(row: &Row, from: &str, to: &str) -> bool {
    let value = |column: &str| row.get(column).and_then(|text| text.parse::<i64>().ok());
    value(from).zip(value(to)).is_none_or(|(from, to)| from < to)
}

macro_rules! rule_tables {
    ($($variant:ident, $name:literal, $words:literal => $spec:expr;)*) => {
        /// A table of rules, in the order in which files are to be imported: what others refer to comes first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RuleTable {
            $(#[doc = $words] $variant,)*
        }

        impl RuleTable {
            /// Every table, in that order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name of its file, without `.csv`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(super) const fn spec(self) -> &'static Spec {
                match self { $(Self::$variant => $spec,)* }
            }
        }
    };
}

rule_tables! {
    Jurisdictions, "jurisdictions", "Places with taxes of their own, and the ZIP prefixes that lead there." => &taxes::JURISDICTIONS;
    TaxRules, "tax_rules", "How a place taxes vehicles." => &taxes::TAX_RULES;
    GovernmentFees, "government_fees", "Title, registration and other fees of a place." => &taxes::GOVERNMENT_FEES;
    StoreFees, "store_fees", "A store's own fees, with the law's ceiling." => &taxes::STORE_FEES;
    ApprovalRules, "approval_rules", "What a salesperson may not decide alone." => &approvals::RULES;
    DeliveryLaws, "delivery_laws", "Until when a sale may be taken back." => &deliveries::LAWS;
    Lenders, "lenders", "Lenders." => &lending::LENDERS;
    Programs, "programs", "Lenders' programs: rate sheets and lease sheets." => &lending::PROGRAMS;
    MarkupLaws, "rate_markup_laws", "What a state lets a dealer add to a lender's rate." => &lending::MARKUP_LAWS;
    GuideValues, "guide_values", "What guide books say vehicles are worth." => &guide::VALUES;
    Products, "products", "Protection products." => &products::PRODUCTS;
    ProductClasses, "product_vehicle_classes", "The class of a vehicle in products' rate sheets." => &products::CLASSES;
    ProductRates, "product_rates", "Products' rate sheets." => &products::RATES;
    ProductLaws, "product_laws", "What a state's law says about products." => &products::LAWS;
    Insurers, "insurers", "Insurers." => &insurance::INSURERS;
    InsuranceRates, "insurance_rates", "Base premiums." => &insurance::RATES;
    InsuranceFactors, "insurance_factors", "Factors on base premiums." => &insurance::FACTORS;
    InsuranceBarred, "insurance_barred", "Factors a state bars." => &insurance::BARRED;
    InsuranceMinimums, "insurance_minimums", "What a state asks of every driver." => &insurance::MINIMUMS;
    InsurancePayPlans, "insurance_pay_plans", "How a premium can be paid." => &insurance::PAY_PLANS;
    InsuranceDemands, "insurance_demands", "What lenders and lessors ask of a policy." => &insurance::DEMANDS;
}

impl std::str::FromStr for RuleTable {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().copied().find(|table| table.name() == name);
        known.ok_or_else(|| format!("no table \"{name}\"; there are {}", Self::ALL.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ")))
    }
}
