//! Who the demo group is: its stores and its people.

use crate::auth::Role;

/// The group's code.
pub const GROUP_CODE: &str = "harbor";
/// The group's name.
pub const GROUP_NAME: &str = "Harbor Auto Group";
/// Everybody's password in the demo.
pub const PASSWORD: &str = "showroom-demo-2026";

/// A demo store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoStore {
    /// Short code.
    pub code: &'static str,
    /// Name on the sign.
    pub name: &'static str,
    /// Street address.
    pub street: &'static str,
    /// City.
    pub city: &'static str,
    /// State.
    pub state: &'static str,
    /// ZIP code.
    pub postal_code: &'static str,
    /// Telephone.
    pub phone: &'static str,
    /// IANA time zone.
    pub time_zone: chrono_tz::Tz,
    /// Key of its tax rules.
    pub tax_jurisdiction: &'static str,
    /// Days in which its own contract lets it call off a delivery that no lender has paid; none where the rules have a law.
    pub spot_delivery_days: Option<i32>,
    /// First letter of its stock numbers.
    pub letter: char,
    /// Area codes of its customers' telephones.
    pub area_codes: [&'static str; 2],
    /// ZIP codes its customers live in.
    pub customer_zips: [&'static str; 4],
}

/// Texas: sales tax with credit for the trade-in. North Carolina: highway-use tax. California: no credit for the trade-in.
pub const STORES: [DemoStore; 3] = [
    DemoStore {
        code: "austin",
        name: "Harbor Austin",
        street: "4100 Research Blvd",
        city: "Austin",
        state: "TX",
        postal_code: "78759",
        phone: "+15125550100",
        time_zone: chrono_tz::America::Chicago,
        tax_jurisdiction: "TX",
        spot_delivery_days: Some(10),
        letter: 'A',
        area_codes: ["512", "737"],
        customer_zips: ["78701", "78704", "78745", "78759"],
    },
    DemoStore {
        code: "raleigh",
        name: "Harbor Raleigh",
        street: "2600 Capital Blvd",
        city: "Raleigh",
        state: "NC",
        postal_code: "27604",
        phone: "+19195550100",
        time_zone: chrono_tz::America::New_York,
        tax_jurisdiction: "NC",
        spot_delivery_days: Some(10),
        letter: 'R',
        area_codes: ["919", "984"],
        customer_zips: ["27601", "27604", "27609", "27612"],
    },
    DemoStore {
        code: "sacramento",
        name: "Harbor Sacramento",
        street: "3300 Fulton Ave",
        city: "Sacramento",
        state: "CA",
        postal_code: "95821",
        phone: "+19165550100",
        time_zone: chrono_tz::America::Los_Angeles,
        tax_jurisdiction: "CA",
        spot_delivery_days: None,
        letter: 'S',
        area_codes: ["916", "279"],
        customer_zips: ["95814", "95816", "95821", "95825"],
    },
];

/// A person of the group who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoPerson {
    /// Sign-in name.
    pub login: &'static str,
    /// Name shown.
    pub name: &'static str,
    /// What they may do.
    pub role: Role,
    /// Codes of the stores.
    pub stores: &'static [&'static str],
}

/// Users for each role.
pub const PEOPLE: [DemoPerson; 8] = [
    DemoPerson { login: "admin@example.com", name: "Dana Whitfield", role: Role::GroupAdmin, stores: &["austin", "raleigh", "sacramento"] },
    DemoPerson { login: "manager.austin@example.com", name: "Marcus Ellery", role: Role::SalesManager, stores: &["austin"] },
    DemoPerson { login: "manager.raleigh@example.com", name: "Priya Halvorsen", role: Role::SalesManager, stores: &["raleigh"] },
    DemoPerson { login: "manager.sacramento@example.com", name: "Tomas Okafor", role: Role::SalesManager, stores: &["sacramento"] },
    DemoPerson { login: "sales.austin@example.com", name: "Riley Castellan", role: Role::Salesperson, stores: &["austin"] },
    DemoPerson { login: "sales.austin2@example.com", name: "Jun Abernathy", role: Role::Salesperson, stores: &["austin"] },
    DemoPerson { login: "sales.raleigh@example.com", name: "Noor Lindqvist", role: Role::Salesperson, stores: &["raleigh"] },
    DemoPerson { login: "sales.sacramento@example.com", name: "Elena Marchetti", role: Role::Salesperson, stores: &["sacramento"] },
];
