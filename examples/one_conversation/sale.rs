//! The talk, step by step.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::Options;
use crate::client::{Client, Outcome, Trouble};

const DEAL: &str = "deal { id version state payment { amount } amountFinanced { amount } totalPrice { amount } }";

/// In dollars: enough for any car of the demo, and less than the cheapest costs.
const DOWN_PAYMENT: &str = "2000.00";

/// Prints each step with its time.
struct Table {
    begun: Instant,
    step: Instant,
}

impl Table {
    fn new() -> Self {
        println!("{:<34} {:>9}  what came of it", "step", "time");
        println!("{}", "-".repeat(100));
        Self { begun: Instant::now(), step: Instant::now() }
    }

    fn row(&mut self, step: &str, outcome: &str) {
        println!("{step:<34} {:>6} ms  {outcome}", self.step.elapsed().as_millis());
        self.step = Instant::now();
    }
}

/// Plays the sale.
pub async fn play(options: &Options) -> Outcome<()> {
    let mut table = Table::new();
    let mut tablet = Client::new(&options.url);
    let who = sign_in(&mut tablet, &options.login, &options.password).await?;
    table.row("sign in", &who);

    let (customer, name, wishes) = find_customer(&tablet, options.lead).await?;
    table.row("find the customer of a lead", &name);
    table.row("read what they want", &wishes);

    let mut cars = best_cars(&tablet, &customer).await?.into_iter();
    let (vehicle, title) = cars.next().ok_or_else(|| Trouble("nothing on the lot matches this customer".into()))?;
    table.row("take the best match", &title);

    #[expect(clippy::disallowed_methods, reason = "a client has a clock of its own; it only makes the keys unique")]
    let run = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
    let key = |step: &str| format!("one-conversation-{run}-{step}");
    let open = json!({ "customerId": customer, "vehicleId": vehicle, "idempotencyKey": key("open") });
    let mut deal = tablet.act("dealOpen", &mutation("dealOpen"), open).await?;
    table.row("open the deal", &money(&deal, "totalPrice", "total"));

    let id = text(&deal, "/deal/id");
    let watch = "subscription($id: ID!) { dealChanged(id: $id) { state version } }";
    let mut live = tablet.subscribe(watch, json!({ "id": id })).await?;
    live.next().await?;
    table.row("a second tablet watches", "dealChanged is open");

    let structure = json!({ "downPayment": DOWN_PAYMENT, "termMonths": 72 });
    deal = step(&tablet, "dealStructure", &deal, &key("structure"), structure).await?;
    table.row(&format!("structure: {DOWN_PAYMENT} down, 72 months"), &money(&deal, "amountFinanced", "to finance"));

    deal = quote(&tablet, &deal, &key("quote")).await?;
    // Nobody lends on this car with this money: another term helps, or the next best car.
    for round in 1..=10 {
        let Some(declined) = declined(&deal) else { break };
        table.row("ask lenders and insurers", &declined.said);
        if let Some(term) = declined.fitting_term {
            let structure = json!({ "downPayment": DOWN_PAYMENT, "termMonths": term });
            deal = step(&tablet, "dealStructure", &deal, &key(&format!("structure {round}")), structure).await?;
            table.row(&format!("structure: {DOWN_PAYMENT} down, {term} months"), &money(&deal, "amountFinanced", "to finance"));
        } else {
            let (vehicle, title) =
                cars.next().ok_or_else(|| Trouble(format!("no lender takes any of their matches. {}", declined.said)))?;
            deal = step(&tablet, "dealSwapVehicle", &deal, &key(&format!("swap {round}")), json!({ "vehicleId": vehicle })).await?;
            table.row("swap the car, keep the deal", &title);
        }
        deal = quote(&tablet, &deal, &key(&format!("quote {round}"))).await?;
    }
    let (finance, insurance, said) = quotes(&deal)?;
    table.row("ask lenders and insurers", &said);

    deal = step(&tablet, "quoteAccept", &deal, &key("finance"), json!({ "quoteId": finance })).await?;
    table.row("the customer picks a payment", &money(&deal, "payment", "a month"));
    if let Some(insurance) = insurance {
        deal = step(&tablet, "quoteAccept", &deal, &key("insurance"), json!({ "quoteId": insurance })).await?;
        table.row("and an insurance", "accepted");
    }
    for (verb, label) in [("dealPresent", "present the figures"), ("dealAgree", "agree"), ("dealContract", "sign: the car is theirs")] {
        deal = step(&tablet, verb, &deal, &key(verb), json!({})).await?;
        table.row(label, &text(&deal, "/deal/state"));
    }

    let heard = follow(&mut live).await?;
    live.close().await?;
    table.row("the second tablet saw it", &heard);
    println!("{}", "-".repeat(100));
    println!("{:<34} {:>6} ms  one conversation, nobody was handed to a finance desk", "in all", table.begun.elapsed().as_millis());
    Ok(())
}

async fn sign_in(tablet: &mut Client, login: &str, password: &str) -> Outcome<String> {
    let query = "mutation($input: SignInInput!) { signIn(input: $input) {
        tokens { accessToken } viewer { displayName stores { store { name } } } userErrors { message } } }";
    let input = json!({ "login": login, "password": password, "deviceLabel": "one_conversation" });
    let payload = tablet.act("signIn", query, input).await?;
    tablet.sign_in_with(text(&payload, "/tokens/accessToken"));
    Ok(format!("{}, {}", text(&payload, "/viewer/displayName"), text(&payload, "/viewer/stores/0/store/name")))
}

/// The customer of a lead who has wishes; the newest lead is number 0.
async fn find_customer(tablet: &Client, lead: usize) -> Outcome<(String, String, String)> {
    let query = "{ leads(first: 50) { nodes { id customer { id displayName preferences(effectiveOnly: true) { text } contradictions { sentence } } } } }";
    let data = tablet.send(query, json!({})).await?;
    let leads = list(&data, "/leads/nodes");
    let customer = leads
        .iter()
        .filter_map(|lead| lead.get("customer"))
        .filter(|c| list(c, "/preferences").len() > 2)
        .nth(lead)
        .ok_or_else(|| Trouble(format!("lead {lead} has no customer with wishes; is this the demo?")))?;
    let mut wishes: Vec<String> = list(customer, "/preferences").iter().take(3).map(|p| text(p, "/text")).collect();
    wishes.extend(list(customer, "/contradictions").iter().take(1).map(|c| text(c, "/sentence")));
    Ok((text(customer, "/id"), text(customer, "/displayName"), wishes.join("; ")))
}

/// The best matches: the car, and a sentence.
async fn best_cars(tablet: &Client, customer: &str) -> Outcome<Vec<(String, String)>> {
    let query = "query($id: ID!) { customer(id: $id) { matches(first: 5) { considered nodes {
        score vehicle { id title status price { amount } } } } } }";
    let data = tablet.send(query, json!({ "id": customer })).await?;
    let considered = data.pointer("/customer/matches/considered").cloned().unwrap_or_default();
    let car = |best: &Value| {
        let score = best.get("score").cloned().unwrap_or_default();
        let line =
            format!("{} for ${}, score {score} of {considered} cars", text(best, "/vehicle/title"), text(best, "/vehicle/price/amount"));
        (text(best, "/vehicle/id"), line)
    };
    Ok(list(&data, "/customer/matches/nodes").iter().map(car).collect())
}

/// Asks lenders and insurers. The answer has their quotes, and the lenders that decline with their reasons.
async fn quote(tablet: &Client, deal: &Value, key: &str) -> Outcome<Value> {
    let query = "mutation($input: DealQuoteInput!) { dealQuote(input: $input) {
        deal { id version financeQuotes(open: true) { id apr payment { amount } } insuranceQuotes(open: true) { id monthlyPremium { amount } } }
        declined { fittingTermMonths reasons program { lender { name } } } userErrors { message } } }";
    let input = json!({ "dealId": deal.pointer("/deal/id"), "expectedVersion": deal.pointer("/deal/version"), "idempotencyKey": key });
    tablet.act("dealQuote", query, input).await
}

/// Lenders who all declined.
struct Declined {
    /// The term that one of them would take the deal for.
    fitting_term: Option<i64>,
    /// Who, and why.
    said: String,
}

/// When no lender takes the deal: the one that would take it for another term, the longest; else the first.
fn declined(quoted: &Value) -> Option<Declined> {
    if !list(quoted, "/deal/financeQuotes").is_empty() {
        return None;
    }
    let declined = list(quoted, "/declined");
    let term = |lender: &Value| lender.get("fittingTermMonths").and_then(Value::as_i64);
    let lender = declined.iter().rev().max_by_key(|lender| term(lender)).unwrap_or(&Value::Null);
    Some(Declined { fitting_term: term(lender), said: format!("{}: {}", text(lender, "/program/lender/name"), text(lender, "/reasons/0")) })
}

/// The quotes of this round: the lowest payment, the lowest premium, and a sentence.
fn quotes(quoted: &Value) -> Outcome<(String, Option<String>, String)> {
    let (finance, insurance) = (list(quoted, "/deal/financeQuotes"), list(quoted, "/deal/insuranceQuotes"));
    let best = lowest(&finance, "/payment/amount").ok_or_else(|| Trouble("no lender made an offer".into()))?;
    let cover = lowest(&insurance, "/monthlyPremium/amount");
    let said = format!(
        "{} lenders' offers, best ${} at {} % APR; {} insurers, best ${} a month",
        finance.len(),
        text(best, "/payment/amount"),
        text(best, "/apr"),
        insurance.len(),
        cover.map_or_else(|| "-".into(), |c| text(c, "/monthlyPremium/amount")),
    );
    Ok((text(best, "/id"), cover.map(|c| text(c, "/id")), said))
}

fn lowest<'a>(quotes: &'a [Value], amount: &str) -> Option<&'a Value> {
    quotes.iter().min_by_key(|quote| text(quote, amount).replace('.', "").parse::<i64>().unwrap_or(i64::MAX))
}

/// A step on the deal as it stands.
async fn step(tablet: &Client, field: &str, deal: &Value, key: &str, more: Value) -> Outcome<Value> {
    let mut input = json!({ "dealId": deal.pointer("/deal/id"), "expectedVersion": deal.pointer("/deal/version"), "idempotencyKey": key });
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    tablet.act(field, &mutation(field), input).await
}

/// Mutations of a deal are all of one shape: `dealOpen(input: DealOpenInput!)`.
fn mutation(field: &str) -> String {
    let kind = format!("{}{}Input", field.get(..1).unwrap_or_default().to_uppercase(), field.get(1..).unwrap_or_default());
    format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {DEAL} userErrors {{ message }} }} }}")
}

/// Reads the subscription until the deal is signed.
async fn follow(live: &mut crate::client::Live) -> Outcome<String> {
    let mut seen = 0;
    loop {
        let event = tokio::time::timeout(Duration::from_secs(5), live.next())
            .await
            .map_err(|_| Trouble("the subscription fell silent before the deal was signed".into()))??;
        seen += 1;
        if text(&event, "/dealChanged/state") == "CONTRACTED" {
            return Ok(format!(
                "{seen} events, the last at version {}",
                event.pointer("/dealChanged/version").cloned().unwrap_or_default()
            ));
        }
    }
}

fn money(payload: &Value, field: &str, what: &str) -> String {
    format!("${} {what}", text(payload, &format!("/deal/{field}/amount")))
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned()
}

fn list(value: &Value, pointer: &str) -> Vec<Value> {
    value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
}
