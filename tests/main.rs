//! All tests that go through the product's doors or need a database, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::zombie_processes,
    clippy::used_underscore_binding,
    reason = "a test fails by panicking"
)]

#[path = "../examples/one_conversation/client.rs"]
mod client;
#[path = "../examples/showroom_load/figures.rs"]
mod figures;
mod helpers;
#[path = "../examples/partner_sim/sim.rs"]
mod partner_sim;
#[path = "../examples/showroom_load/showroom.rs"]
mod showroom;
#[path = "../examples/thirty_one_minutes/story.rs"]
mod thirty_one_minutes;

mod auth_ends;
mod auth_sessions;
mod channels_events;
mod channels_leads;
mod chaos;
mod cli_import;
mod customers_identity;
mod customers_preferences;
mod db_connections;
mod db_notices;
mod deals_approvals;
mod deals_deliveries;
mod deals_deposits;
mod deals_desk;
mod deals_feeds;
mod deals_figures;
mod deals_holds;
mod deals_idle;
mod deals_insured;
mod deals_markup;
mod deals_menu;
mod deals_plan;
mod deals_products;
mod deals_races;
mod deals_recall;
mod deals_replacements;
mod deals_replay;
mod deals_returns;
mod deals_room;
mod deals_rules;
mod deals_sale;
mod deals_seats;
mod deals_secrets;
mod deals_swap;
mod deals_waivers;
mod deals_written;
mod demo_load;
mod embedded;
mod finance_api;
mod finance_book;
mod finance_bytes;
mod finance_domain;
mod finance_engine;
mod finance_exchange;
mod finance_laws;
mod finance_oracles;
mod finance_replays;
mod finance_rows;
mod finance_rules;
mod house;
mod http_graphql;
mod http_kit;
mod http_product;
mod http_server;
mod http_socket;
mod insights_performance;
mod insurance_engine;
mod insurance_rating;
mod inventory_door;
mod inventory_feeds;
mod inventory_live;
mod inventory_lot;
mod matching_customer;
mod privacy_output;
mod schema;
mod showroom_load;
mod story;
mod walk;
