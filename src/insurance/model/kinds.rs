//! The words of insurance.

crate::text_enum! {
    /// What is insured.
    pub enum Coverage {
        /// Injuries the driver causes to others, per person and per accident.
        BodilyInjury = "BODILY_INJURY",
        /// Damage the driver causes to things.
        PropertyDamage = "PROPERTY_DAMAGE",
        /// Injuries by a driver without insurance.
        UninsuredMotorist = "UNINSURED_MOTORIST",
        /// The driver's and passengers' medical costs (no-fault, PIP or medical payments).
        Medical = "MEDICAL",
        /// The car: theft, hail, fire, animals.
        Comprehensive = "COMPREHENSIVE",
        /// The car: collision.
        Collision = "COLLISION",
    }
}
impl Coverage {
    /// Whether it has a deductible rather than a limit.
    pub const fn covers_the_car(self) -> bool {
        matches!(self, Self::Comprehensive | Self::Collision)
    }
}

crate::text_enum! {
    /// What a factor looks at.
    pub enum FactorSubject {
        /// Age of the driver, in years.
        DriverAge = "DRIVER_AGE",
        /// Years the driver has had a licence.
        YearsLicensed = "YEARS_LICENSED",
        /// Moving violations and accidents at fault in three years.
        Violations = "VIOLATIONS",
        /// The driver's gender: 1 female, 2 male, 3 other. Barred in many states.
        Gender = "GENDER",
        /// The driver's insurance score in bands from 1 (best) to 5. Barred in many states.
        CreditBand = "CREDIT_BAND",
        /// Where the car is kept: the first three digits of the ZIP code as a number.
        Territory = "TERRITORY",
        /// Miles a year.
        AnnualMiles = "ANNUAL_MILES",
        /// What the car is worth, in whole dollars.
        VehicleValue = "VEHICLE_VALUE",
        /// The car's age in model years.
        VehicleAge = "VEHICLE_AGE",
        /// The deductible, in whole dollars.
        Deductible = "DEDUCTIBLE",
        /// The limit (per person, where there are two), in whole dollars.
        Limit = "LIMIT",
        /// Days without insurance before this one.
        PriorLapse = "PRIOR_LAPSE",
        /// Months the policy runs.
        Term = "TERM",
    }
}
impl FactorSubject {
    /// Whether it looks at a driver rather than at the car or the policy.
    pub const fn is_driver(self) -> bool {
        matches!(self, Self::DriverAge | Self::YearsLicensed | Self::Violations | Self::Gender | Self::CreditBand)
    }
}
crate::text_enum! {
    /// A driver's gender, where the insurer asks and the state lets it count.
    pub enum Gender {
        /// Female.
        Female = "FEMALE",
        /// Male.
        Male = "MALE",
        /// Neither, or not on the licence.
        Other = "OTHER",
    }
}
crate::text_enum! {
    /// Who besides the customer has an interest in the car.
    pub enum LenderInterest {
        /// Nobody.
        None = "NONE",
        /// A lender, who asks for comprehensive and collision.
        Loan = "LOAN",
        /// A lessor, who asks for the same and for high limits.
        Lease = "LEASE",
    }
}
