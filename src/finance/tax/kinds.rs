//! The shapes tax laws come in.

crate::text_enum! {
    /// What kind of tax a state takes when a vehicle changes hands.
    pub enum TaxScheme {
        /// Sales or use tax.
        Sales = "SALES",
        /// Highway use tax, instead of sales tax.
        HighwayUse = "HIGHWAY_USE",
        /// One-time tax on the title by value.
        TitleAdValorem = "TITLE_AD_VALOREM",
        /// Excise tax on titling.
        Excise = "EXCISE",
        /// No tax.
        None = "NONE",
    }
}
impl TaxScheme {
    /// What customers call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sales => "Sales tax",
            Self::HighwayUse => "Highway use tax",
            Self::TitleAdValorem => "Title ad valorem tax",
            Self::Excise => "Excise tax",
            Self::None => "Tax",
        }
    }
}

crate::text_enum! {
    /// How counties and cities join in.
    pub enum LocalTaxRule {
        /// They do not.
        None = "NONE",
        /// Their rate is added to the state's, on the same base.
        Stacked = "STACKED",
        /// Their rate applies to the first part of the base only.
        CappedBase = "CAPPED_BASE",
    }
}
crate::text_enum! {
    /// How a trade-in lowers the taxable amount. The gross allowance counts, never the equity.
    pub enum TradePolicy {
        /// Not at all.
        None = "NONE",
        /// By its whole allowance.
        Full = "FULL",
        /// Up to an amount, for so many trade-ins.
        Capped = "CAPPED",
        /// Only when a new vehicle is bought.
        NewOnly = "NEW_ONLY",
    }
}
crate::text_enum! {
    /// How a lease is taxed.
    pub enum LeaseTaxMethod {
        /// On each payment, and on what lowers the capitalized cost at signing.
        PerPayment = "PER_PAYMENT",
        /// On all payments together, at signing.
        UpfrontTotal = "UPFRONT_TOTAL",
        /// On the price, at signing.
        OnPrice = "ON_PRICE",
        /// Not at all.
        None = "NONE",
    }
}
crate::text_enum! {
    /// Whether a vehicle is sold as new.
    pub enum SaleCondition {
        /// Never titled.
        New = "NEW",
        /// Used.
        Used = "USED",
        /// Used, inspected and warranted by its maker.
        Certified = "CERTIFIED",
    }
}
crate::text_enum! {
    /// What a protection product is.
    pub enum ProductKind {
        /// Vehicle service contract.
        ServiceContract = "SERVICE_CONTRACT",
        /// Pays what insurance does not after a total loss.
        Gap = "GAP",
        /// Prepaid maintenance.
        Maintenance = "MAINTENANCE",
        /// Tires and wheels.
        TireAndWheel = "TIRE_AND_WHEEL",
        /// Paint, fabric, dents.
        Appearance = "APPEARANCE",
        /// Theft deterrent.
        Theft = "THEFT",
        /// Key replacement.
        Key = "KEY",
        /// Wear and tear at the end of a lease.
        LeaseWear = "LEASE_WEAR",
    }
}
