//! The story, step by step, and its timeline.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::client::{Client, Live, Outcome, Trouble};

/// Who takes part.
#[derive(Debug, Clone, Copy)]
pub struct People<'a> {
    /// Sells to the reporter.
    pub seller: &'a str,
    /// Sells the same car to somebody else.
    pub rival: &'a str,
    /// Says yes.
    pub manager: &'a str,
    /// Of all three.
    pub password: &'a str,
}

/// A step of the story.
#[derive(Debug, Clone)]
pub struct Step {
    /// What people did.
    pub what: &'static str,
    /// How long people take for it, in minutes: simulated.
    pub minutes: u32,
    /// How long the machine took: measured.
    pub machine: Duration,
    /// What came of it.
    pub outcome: String,
}

/// What happened, in order.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The steps.
    pub steps: Vec<Step>,
    /// Parts of the deal that had to be entered again after the car was gone.
    pub work_lost: usize,
    /// How often the customer was handed to somebody else.
    pub hand_offs: usize,
    /// From the rival's signature to the tablet that shows it.
    pub told_after: Duration,
    /// From the manager's yes to the tablet that shows it.
    pub yes_after: Duration,
}

impl Timeline {
    /// People's minutes in all.
    pub fn minutes(&self) -> u32 {
        self.steps.iter().map(|step| step.minutes).sum()
    }

    /// The machine's time in all.
    pub fn machine(&self) -> Duration {
        self.steps.iter().map(|step| step.machine).sum()
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>6}  {:<44} {:>9}  what came of it", "minute", "what happens", "machine")?;
        let mut minute = 0;
        for step in &self.steps {
            writeln!(f, "{minute:>6}  {:<44} {:>6} ms  {}", step.what, step.machine.as_millis(), step.outcome)?;
            minute += step.minutes;
        }
        writeln!(f, "\npeople's minutes (simulated) {}, machine time (measured) {} ms", self.minutes(), self.machine().as_millis())?;
        writeln!(
            f,
            "car taken to tablet told {} ms, manager's yes to tablet {} ms",
            self.told_after.as_millis(),
            self.yes_after.as_millis()
        )?;
        write!(f, "work lost {}, hand-offs {}", self.work_lost, self.hand_offs)
    }
}

const DEAL: &str = "deal { id version state payment { amount } downPayment { amount } totalPrice { amount } }";

/// One person with a tablet, and the deal on it.
struct Tablet {
    client: Client,
    run: u128,
    step: u32,
    deal: String,
    store: String,
}

impl Tablet {
    async fn sign_in(url: &str, login: &str, password: &str, run: u128) -> Outcome<Self> {
        let mut client = Client::new(url);
        let query = "mutation($input: SignInInput!) { signIn(input: $input) {
            tokens { accessToken } viewer { stores { store { id } } } userErrors { message } } }";
        let input = json!({ "login": login, "password": password, "deviceLabel": "thirty_one_minutes" });
        let payload = client.act("signIn", query, input).await?;
        client.sign_in_with(text(&payload, "/tokens/accessToken"));
        Ok(Self { client, run, step: 0, deal: String::new(), store: text(&payload, "/viewer/stores/0/store/id") })
    }

    fn key(&mut self) -> String {
        self.step += 1;
        format!("thirty-one-{}-{}-{}", self.run, self.deal, self.step)
    }

    /// A mutation of one input; `selection` is what its payload is asked for.
    async fn act(&mut self, field: &str, mut input: Value, selection: &str) -> Outcome<Value> {
        let kind = format!("{}{}Input", field.get(..1).unwrap_or_default().to_uppercase(), field.get(1..).unwrap_or_default());
        let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {selection} userErrors {{ message }} }} }}");
        let key = self.key();
        if let Some(input) = input.as_object_mut() {
            input.insert("idempotencyKey".into(), key.into());
        }
        self.client.act(field, &query, input).await
    }

    /// A step on the deal as it stands now.
    async fn step(&mut self, field: &str, more: Value, selection: &str) -> Outcome<Value> {
        let now = self.client.send("query($id: ID!) { deal(id: $id) { version } }", json!({ "id": self.deal })).await?;
        let mut input = json!({ "dealId": self.deal, "expectedVersion": now.pointer("/deal/version") });
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        self.act(field, input, selection).await
    }

    async fn open(&mut self, customer: &str, vehicle: &str, more: Value) -> Outcome<()> {
        let mut input = json!({ "customerId": customer, "vehicleId": vehicle });
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        let opened = self.act("dealOpen", input, DEAL).await?;
        self.deal = text(&opened, "/deal/id");
        Ok(())
    }

    async fn customer(&mut self, given: &str, family: &str) -> Outcome<String> {
        let input = json!({ "storeId": self.store, "givenName": given, "familyName": family });
        let made = self.act("customerCreate", input, "customer { id }").await?;
        Ok(text(&made, "/customer/id"))
    }

    /// The best offer of a lender, chosen.
    async fn choose_payment(&mut self) -> Outcome<String> {
        self.step("dealQuote", json!({}), DEAL).await?;
        let query = "query($id: ID!) { deal(id: $id) { financeQuotes(open: true) { id payment { amount } } } }";
        let data = self.client.send(query, json!({ "id": self.deal })).await?;
        let quotes = list(&data, "/deal/financeQuotes");
        let cents = |quote: &&Value| text(quote, "/payment/amount").replace('.', "").parse::<i64>().unwrap_or(i64::MAX);
        let best = quotes.iter().min_by_key(cents).ok_or_else(|| Trouble("no lender takes these figures".into()))?;
        let chosen = self.step("quoteAccept", json!({ "quoteId": best.get("id") }), DEAL).await?;
        Ok(format!("{} offers, ${} a month", quotes.len(), text(&chosen, "/deal/payment/amount")))
    }
}

/// Notes the steps.
struct Clock {
    timeline: Timeline,
    since: Instant,
}

impl Clock {
    fn step(&mut self, what: &'static str, minutes: u32, outcome: impl Into<String>) {
        self.timeline.steps.push(Step { what, minutes, machine: self.since.elapsed(), outcome: outcome.into() });
        self.since = Instant::now();
    }
}

/// Plays the story.
pub async fn play(url: &str, people: &People<'_>) -> Outcome<Timeline> {
    #[expect(clippy::disallowed_methods, reason = "a client has a clock of its own; it only makes the keys unique")]
    let run = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
    let mut tablet = Tablet::sign_in(url, people.seller, people.password, run).await?;
    let mut rival = Tablet::sign_in(url, people.rival, people.password, run + 1).await?;
    let mut manager = Tablet::sign_in(url, people.manager, people.password, run + 2).await?;
    let mut clock = Clock { timeline: Timeline::default(), since: Instant::now() };

    let (silver, title) = two_alike(&tablet).await?;
    let customer = tablet.customer("Ruth", "Reporter").await?;
    let wish = json!({ "customerId": customer, "attribute": "BODY_STYLE", "operator": "IS", "value": "SUV", "importance": "SHOULD" });
    tablet.act("preferenceState", wish, "preference { id }").await?;
    clock.step("greeted; what she wants is written down", 4, "one customer, one thread");

    tablet.open(&customer, &silver, json!({})).await?;
    let watch = "subscription($id: ID!) { dealChanged(id: $id) { version salesperson { id } vehicleTaken
        replacements(first: 10) { vehicle { id title } } approval { status } } }";
    let mut live = tablet.client.subscribe(watch, json!({ "id": tablet.deal })).await?;
    live.next().await?;
    clock.step("she chooses the silver one", 6, title);

    structure(&mut tablet, 12_000).await?;
    clock.step("price, money down, her old car", 8, "trade-in $12,000.00, $3,000.00 down, 60 months");

    let needs = json!({ "needs": { "roughRoads": true, "streetParking": true, "milesPerYear": 14000 } });
    tablet.step("dealAnswersRecord", needs, DEAL).await?;
    let suggested = suggestion(&tablet).await?;
    clock.step("her roads and her street: protection", 4, suggested);

    let offers = tablet.choose_payment().await?;
    clock.step("lenders answer, she picks a payment", 6, offers);

    // 28 minutes of work. Then the other tablet signs for the same car.
    let (before, agreed) = (kept(&tablet).await?, payment(&tablet).await?);
    let other = rival.customer("Carl", "Quick").await?;
    rival.open(&other, &silver, json!({ "kind": "CASH" })).await?;
    for verb in ["dealPresent", "dealAgree", "dealContract"] {
        rival.step(verb, json!({}), DEAL).await?;
    }
    let signed = Instant::now();
    let told = until(&mut live, |event| event.pointer("/dealChanged/vehicleTaken").is_some_and(Value::is_string)).await?;
    clock.timeline.told_after = signed.elapsed();
    clock.step("the silver one is sold away under the deal", 0, text(&told, "/dealChanged/vehicleTaken"));

    let (next, swapped) = swap(&mut tablet, list(&told, "/dealChanged/replacements")).await?;
    let (after, now) = (kept(&tablet).await?, payment(&tablet).await?);
    clock.timeline.work_lost = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    // A cheaper car may cost her less, even with nothing down; never more. Until a lender answers it is an estimate.
    if now > agreed.saturating_add(1) {
        clock.timeline.work_lost += 1;
    }
    let changed = list(&swapped, "/lines").iter().filter(|line| text(line, "/change/amount") != "0.00").count();
    let said = format!(
        "{}: {changed} lines differ, {} things looked at again, ${now} a month (${agreed} before)",
        next,
        list(&swapped, "/rechecks").len()
    );
    clock.step("swap: one tap, her payment does not rise", 1, said);

    structure(&mut tablet, 12_500).await?;
    let offers = tablet.choose_payment().await?;
    clock.step("$500 more for her old car", 0, offers);

    let asks = "subscription($store: ID!) { approvals(storeId: $store) { id status dealNumber deal { id } findings { kind } } }";
    let mut office = manager.client.subscribe(asks, json!({ "store": manager.store })).await?;
    tablet.step("approvalRequest", json!({ "note": "She leaves without it" }), "approval { id }").await?;
    let ours = tablet.deal.clone();
    let question =
        until(&mut office, |event| text(event, "/approvals/deal/id") == ours && text(event, "/approvals/status") == "PENDING").await?;
    clock.step("the manager is asked, in the office", 0, format!("rule {}", text(&question, "/approvals/findings/0/kind")));
    let yes = json!({ "approvalId": question.pointer("/approvals/id"), "decision": "APPROVE" });
    manager.act("approvalDecide", yes, "approval { status }").await?;
    let decided = Instant::now();
    until(&mut live, |event| text(event, "/dealChanged/approval/status") == "APPROVED").await?;
    clock.timeline.yes_after = decided.elapsed();
    clock.step("yes, while she watches", 1, "bound to exactly these figures");

    for (verb, what, minutes) in [
        ("dealPresent", "every line and the total price", 1),
        ("dealAgree", "she says yes", 0),
        ("dealContract", "signed; nothing is printed", 0),
    ] {
        let done = tablet.step(verb, json!({}), DEAL).await?;
        clock.step(what, minutes, text(&done, "/deal/state"));
    }
    clock.timeline.hand_offs = hand_offs(&tablet).await?;
    live.close().await?;
    office.close().await?;
    Ok(clock.timeline)
}

/// A car of which the store has another one like it, and its title.
async fn two_alike(tablet: &Tablet) -> Outcome<(String, String)> {
    let query = "query($store: ID!) { vehicles(filter: { storeIds: [$store], makes: [\"Toyota\"] }, first: 100) { nodes { id make model title price { amount } } } }";
    let data = tablet.client.send(query, json!({ "store": tablet.store })).await?;
    let cars = list(&data, "/vehicles/nodes");
    let alike = |car: &&Value| cars.iter().filter(|other| text(other, "/model") == text(car, "/model")).count() > 1;
    let rav4 = cars.iter().filter(alike).max_by_key(|car| text(car, "/model") == "RAV4");
    let car = rav4.ok_or_else(|| Trouble("the lot has no two Toyotas alike; is this the demo?".into()))?;
    Ok((text(car, "/id"), format!("{} for ${}", text(car, "/title"), text(car, "/price/amount"))))
}

async fn structure(tablet: &mut Tablet, allowance: u32) -> Outcome<()> {
    let trade = json!([{ "modelYear": 2017, "make": "Honda", "model": "CR-V", "odometerMiles": 88000, "allowance": format!("{allowance}.00"),
        "actualCashValue": "11900.00" }]);
    let mut more = json!({ "tradeIns": trade });
    if allowance == 12_000 {
        more = json!({ "tradeIns": more.get("tradeIns"), "downPayment": "3000.00", "termMonths": 60 });
    }
    tablet.step("dealStructure", more, DEAL).await?;
    Ok(())
}

/// The best replacement that some lender finances at her payment: its title, and what the swap changed.
async fn swap(tablet: &mut Tablet, replacements: Vec<Value>) -> Outcome<(String, Value)> {
    let told =
        "deal { version } lines { label change { amount } } totals { code before { amount } after { amount } } rechecks { sentence }";
    let mut refused = "there is no replacement".into();
    for car in replacements {
        let wish = json!({ "vehicleId": text(&car, "/vehicle/id"), "holdConstant": "PAYMENT" });
        match tablet.step("dealSwapVehicle", wish, told).await {
            Ok(swapped) => return Ok((text(&car, "/vehicle/title"), swapped)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// What the menu suggests from her own answers.
async fn suggestion(tablet: &Tablet) -> Outcome<String> {
    let query = "query($id: ID!) { deal(id: $id) { productMenu { items { suggestedBecause product { name } } } } }";
    let data = tablet.client.send(query, json!({ "id": tablet.deal })).await?;
    let items = list(&data, "/deal/productMenu/items");
    let suggested = items.iter().find(|item| !list(item, "/suggestedBecause").is_empty());
    Ok(suggested.map_or_else(
        || "nothing to suggest".to_owned(),
        |item| format!("{}: {}", text(item, "/product/name"), text(item, "/suggestedBecause/0")),
    ))
}

/// What the customer and the salesperson entered: it must be there after the swap without entering it again.
async fn kept(tablet: &Tablet) -> Outcome<Vec<Value>> {
    let query = "query($id: ID!) { deal(id: $id) { customer { id } kind termMonths annualMiles creditTier buyerJurisdiction
        tradeIns { modelYear make model allowance { amount } } products { productId } customerNeeds { roughRoads streetParking milesPerYear } } }";
    let data = tablet.client.send(query, json!({ "id": tablet.deal })).await?;
    let deal = data.get("deal").and_then(Value::as_object).cloned().unwrap_or_default();
    Ok(deal.into_iter().map(|(_, value)| value).collect())
}

/// Her payment, in whole dollars.
async fn payment(tablet: &Tablet) -> Outcome<i64> {
    let data = tablet.client.send("query($id: ID!) { deal(id: $id) { payment { amount } } }", json!({ "id": tablet.deal })).await?;
    Ok(text(&data, "/deal/payment/amount").split('.').next().unwrap_or_default().parse()?)
}

/// How many others than the one who opened the deal moved it, but for the manager's answer.
async fn hand_offs(tablet: &Tablet) -> Outcome<usize> {
    let query = "query($id: ID!) { deal(id: $id) { salesperson { id } history(first: 100) { nodes { verb by { id } } } } }";
    let data = tablet.client.send(query, json!({ "id": tablet.deal })).await?;
    let seller = text(&data, "/deal/salesperson/id");
    let moved = |event: &&Value| !matches!(text(event, "/verb").as_str(), "approved" | "approval_requested");
    let others = list(&data, "/deal/history/nodes").iter().filter(moved).filter(|event| text(event, "/by/id") != seller).count();
    Ok(others)
}

async fn until(live: &mut Live, holds: impl Fn(&Value) -> bool) -> Outcome<Value> {
    let heard = async {
        loop {
            let event = live.next().await?;
            if holds(&event) {
                return Outcome::Ok(event);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.map_err(|_| Trouble("the subscription fell silent".into()))?
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned()
}

fn list(value: &Value, pointer: &str) -> Vec<Value> {
    value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
}
