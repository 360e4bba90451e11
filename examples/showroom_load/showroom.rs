//! A showroom full of tablets on two servers: everybody signs in, opens a deal, watches it, and works on it at a person's pace, while a
//! colleague signs for one car after another. Every tablet that has that car on its screen must be told.
//!
//! The load is open-loop: when a tablet wants something is drawn beforehand, whatever the servers do, and a time is counted from that
//! moment. A server that falls behind cannot hide it by being asked less.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::client::{Client, Live, Outcome, Trouble};
use crate::figures::{Figures, Operation};

/// What is played.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Addresses of two servers on one database.
    pub servers: [String; 2],
    /// Sign-in names, one per tablet; their tablets alternate between the servers.
    pub people: Vec<String>,
    /// Who signs for the cars.
    pub seller: String,
    /// Everybody's password.
    pub password: String,
    /// Cars that are signed for. Fewer when there are fewer pairs of tablets, or cars.
    pub sales: usize,
    /// How long.
    pub duration: Duration,
    /// A tablet reads its deal room about so often: from half to one and a half times this.
    pub read_every: Duration,
    /// And changes the down payment about so often.
    pub write_every: Duration,
}

/// How long a tablet that was not told is waited for after the end.
const GRACE: Duration = Duration::from_secs(3);
/// Requests at a time while everything is set up.
const AT_ONCE: usize = 8;

const ROOM: &str = "query DealRoom($id: ID!) { deal(id: $id) {
    id number state version kind termMonths updatedAt price { amount currency } downPayment { amount } payment { amount } paymentIsEstimate
    totalPrice { amount } vehicle { id title status price { amount } } customer { id displayName }
    hold { reason expiresAt extensions } queuePlace { position length } deposits { id status outcomeKnown amount { amount } }
    nextSteps { code say ready who } vehicleTaken replacements(first: 3) { score vehicle { id title price { amount } } } } }";
const WATCH: &str = "subscription Watch($id: ID!) { dealChanged(id: $id) { id version state payment { amount } hold { reason expiresAt }
    queuePlace { position } deposits { id status outcomeKnown } vehicleTaken replacements(first: 3) { score vehicle { id title price { amount } } } } }";

/// A deal on a screen.
struct Deal {
    client: Arc<Client>,
    server: usize,
    id: String,
    version: i64,
    /// What makes the keys of this tablet and run its own.
    name: String,
}

/// A sale: on which server, when the seller pressed, and when the answer was there.
#[derive(Debug, Clone, Copy)]
struct Sale {
    server: usize,
    pressed: Instant,
    answered: Instant,
}

/// Plays the plan. Keys and names carry `run`, so that it can be played on one database many times.
pub async fn play(plan: &Plan, run: &str) -> Outcome<Figures> {
    let tablets = &sign_in_all(plan).await?;
    let sellers = &[seller(plan, 0).await?, seller(plan, 1).await?];
    let first = tablets.first().ok_or_else(|| Trouble("a showroom without tablets".into()))?;
    // Two tablets in a row, one on each server, have the same car on the screen.
    let cars = &free_cars(&first.0, &first.1, plan.sales.min(tablets.len() / 2)).await?;
    let car_of = |tablet: usize| (tablet / 2).checked_rem(cars.len()).unwrap_or_default();

    let to_sell: Vec<Deal> = stream::iter(cars.iter().enumerate().map(|(n, car)| async move {
        let (client, store) = sellers.get(n % 2).ok_or_else(|| Trouble("no seller".into()))?;
        let mut deal = open(client, store, car, n % 2, &format!("{run}-sale-{n}"), json!({ "kind": "CASH" })).await?;
        for verb in ["dealPresent", "dealAgree"] {
            deal.step(verb, json!({}), verb).await?;
        }
        Outcome::Ok(deal)
    }))
    .buffered(AT_ONCE)
    .try_collect()
    .await?;
    let sales: Arc<Vec<Mutex<Option<Sale>>>> = Arc::new(cars.iter().map(|_| Mutex::new(None)).collect());
    let (mut everybody, stop, mut deals) = (JoinSet::new(), CancellationToken::new(), Vec::new());
    let opening = stream::iter(tablets.iter().enumerate().map(|(n, (client, store))| async move {
        let car = cars.get(car_of(n)).ok_or_else(|| Trouble("the lot has no free car".into()))?;
        let mut deal = open(client, store, car, n % 2, &format!("{run}-tablet-{n}"), json!({})).await?;
        deal.step("dealStructure", json!({ "downPayment": "3000.00", "termMonths": 60 }), "begin").await?;
        let live = client.subscribe(WATCH, json!({ "id": deal.id })).await?;
        Outcome::Ok((deal, live, car_of(n)))
    }));
    let mut opening = std::pin::pin!(opening.buffered(AT_ONCE));
    while let Some((deal, live, car)) = opening.try_next().await? {
        // Read from now on: the server closes a socket whose client does not answer its pings.
        everybody.spawn(listen(live, deal.server, Arc::clone(&sales), car, stop.clone()));
        deals.push(deal);
    }

    let begin = Instant::now() + Duration::from_millis(500);
    let end = begin + plan.duration;
    for (deal, seed) in deals.into_iter().zip((0_u64..).step_by(2)) {
        everybody.spawn(read(Arc::clone(&deal.client), deal.id.clone(), Pace::new(seed, begin, end, plan.read_every)));
        everybody.spawn(write(deal, Pace::new(seed + 1, begin, end, plan.write_every)));
    }
    let ending = async move {
        sleep_until(end + GRACE).await;
        stop.cancel();
        Figures::default()
    };
    everybody.spawn(ending);
    everybody.spawn(sell(to_sell, sales, begin, plan.duration));
    let mut figures = Figures::default();
    while let Some(part) = everybody.join_next().await {
        figures.add(part?);
    }
    Ok(figures)
}

/// When a tablet wants something next: drawn, not asked.
struct Pace {
    state: u64,
    due: Instant,
    end: Instant,
    every: Duration,
}

impl Pace {
    fn new(seed: u64, begin: Instant, end: Instant, every: Duration) -> Self {
        let mut pace = Self { state: seed, due: begin, end, every };
        // Nobody begins at the same moment.
        pace.due = begin + pace.draw(0);
        pace
    }

    /// From `least` hundredths of the period, over a whole period (SplitMix64).
    fn draw(&mut self, least: u32) -> Duration {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let hundredths = u32::try_from((z ^ (z >> 31)) % 101).unwrap_or_default();
        self.every * (least + hundredths) / 100
    }

    /// Waits for the next moment, which may have passed already; none after the end.
    async fn next(&mut self) -> Option<Instant> {
        let due = self.due;
        if due >= self.end {
            return None;
        }
        self.due = due + self.draw(50);
        sleep_until(due).await;
        Some(due)
    }
}

async fn read(client: Arc<Client>, deal: String, mut pace: Pace) -> Figures {
    let mut figures = Figures::default();
    while let Some(due) = pace.next().await {
        match client.send(ROOM, json!({ "id": deal })).await {
            Ok(data) if data.pointer("/deal/id").is_some() => figures.took(Operation::DealRoom, due.elapsed()),
            Ok(_) => figures.failed(Operation::DealRoom, "the deal is not there"),
            Err(error) => figures.failed(Operation::DealRoom, &error.to_string()),
        }
    }
    figures
}

async fn write(mut deal: Deal, mut pace: Pace) -> Figures {
    let (mut figures, mut step) = (Figures::default(), 0_u32);
    while let Some(due) = pace.next().await {
        step += 1;
        let down = format!("{}.00", 3_000 + step % 10 * 100);
        match deal.step("dealStructure", json!({ "downPayment": down }), &format!("write-{step}")).await {
            Ok(()) => figures.took(Operation::Write, due.elapsed()),
            Err(error) => figures.failed(Operation::Write, &error.to_string()),
        }
    }
    figures
}

/// Signs for one car after another, evenly over the first nine tenths of the time.
async fn sell(deals: Vec<Deal>, sales: Arc<Vec<Mutex<Option<Sale>>>>, begin: Instant, duration: Duration) -> Figures {
    let mut figures = Figures::default();
    let every = duration * 9 / 10 / u32::try_from(deals.len()).unwrap_or(u32::MAX).max(1);
    for ((mut deal, sale), n) in deals.into_iter().zip(sales.iter()).zip(0_u32..) {
        sleep_until(begin + every * n).await;
        // Whoever hears of it while it is being answered waits here until both moments are known.
        let mut sale = sale.lock().await;
        let pressed = Instant::now();
        match deal.step("dealContract", json!({}), "sign").await {
            Ok(()) => {
                figures.took(Operation::Sign, pressed.elapsed());
                *sale = Some(Sale { server: deal.server, pressed, answered: Instant::now() });
            }
            Err(error) => figures.failed(Operation::Sign, &error.to_string()),
        }
    }
    figures
}

/// Listens until the car is gone; a tablet of the other server counts. A car that was sold and never heard of is a failure.
async fn listen(mut live: Live, server: usize, sales: Arc<Vec<Mutex<Option<Sale>>>>, car: usize, stop: CancellationToken) -> Figures {
    let mut figures = Figures::default();
    let told = loop {
        match stop.run_until_cancelled(live.next()).await {
            Some(Ok(event)) if event.pointer("/dealChanged/vehicleTaken").is_some_and(Value::is_string) => break Some(Instant::now()),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                figures.failed(Operation::ToldFromTap, &error.to_string());
                return figures;
            }
            None => break None,
        }
    };
    let sale = match sales.get(car) {
        Some(sale) => *sale.lock().await,
        None => None,
    };
    match (sale.filter(|sale| sale.server != server), told) {
        (Some(sale), Some(told)) => {
            figures.took(Operation::ToldFromTap, told.duration_since(sale.pressed));
            figures.took(Operation::ToldFromAnswer, told.saturating_duration_since(sale.answered));
        }
        (Some(_), None) => figures.failed(Operation::ToldFromTap, "the car was sold and the tablet was not told"),
        (None, _) => {}
    }
    // It stays on the screen: later changes are read too.
    let _ = stop.run_until_cancelled(async { while live.next().await.is_ok() {} }).await;
    let _ = live.close().await;
    figures
}

impl Deal {
    /// A step on the deal as the tablet knows it.
    async fn step(&mut self, field: &str, more: Value, key: &str) -> Outcome<()> {
        let mut input = json!({ "dealId": self.id, "expectedVersion": self.version, "idempotencyKey": format!("{}-{key}", self.name) });
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        let done = act(&self.client, field, input, "deal { id version payment { amount } totalPrice { amount } }").await?;
        self.version = done.pointer("/deal/version").and_then(Value::as_i64).unwrap_or(self.version);
        Ok(())
    }
}

type Tablet = (Arc<Client>, String);

async fn sign_in_all(plan: &Plan) -> Outcome<Vec<Tablet>> {
    let all = plan.people.iter().enumerate().map(|(n, login)| sign_in(plan, n % 2, login));
    stream::iter(all).buffered(AT_ONCE).try_collect().await
}

async fn seller(plan: &Plan, server: usize) -> Outcome<Tablet> {
    sign_in(plan, server, &plan.seller).await
}

/// A signed-in tablet with a connection of its own, and its store.
async fn sign_in(plan: &Plan, server: usize, login: &str) -> Outcome<Tablet> {
    let mut client = Client::new(plan.servers.get(server).map_or("", String::as_str));
    let query = "mutation($input: SignInInput!) { signIn(input: $input) {
        tokens { accessToken } viewer { stores { store { id } } } userErrors { message } } }";
    let input = json!({ "login": login, "password": plan.password, "deviceLabel": "showroom_load" });
    let payload = client.act("signIn", query, input).await?;
    client.sign_in_with(text(&payload, "/tokens/accessToken"));
    Ok((Arc::new(client), text(&payload, "/viewer/stores/0/store/id")))
}

/// Cars of the store that nobody has.
async fn free_cars(client: &Client, store: &str, most: usize) -> Outcome<Vec<String>> {
    let query =
        "query($store: ID!, $after: String) { vehicles(filter: { storeIds: [$store], statuses: [AVAILABLE] }, first: 100, after: $after) {
        nodes { id price { amount } } pageInfo { endCursor hasNextPage } } }";
    let (mut cars, mut after) = (Vec::new(), Value::Null);
    while cars.len() < most {
        let page = client.send(query, json!({ "store": store, "after": after })).await?;
        let nodes = page.pointer("/vehicles/nodes").and_then(Value::as_array).cloned().unwrap_or_default();
        cars.extend(nodes.iter().filter(|car| car.pointer("/price/amount").is_some()).map(|car| text(car, "/id")));
        if page.pointer("/vehicles/pageInfo/hasNextPage") != Some(&Value::Bool(true)) {
            break;
        }
        after = page.pointer("/vehicles/pageInfo/endCursor").cloned().unwrap_or_default();
    }
    cars.truncate(most);
    Ok(cars)
}

/// A new customer and their deal.
async fn open(client: &Arc<Client>, store: &str, car: &str, server: usize, name: &str, more: Value) -> Outcome<Deal> {
    let person = json!({ "storeId": store, "givenName": "Ruth", "familyName": name, "idempotencyKey": format!("{name}-customer") });
    let made = act(client, "customerCreate", person, "customer { id }").await?;
    let mut input = json!({ "customerId": text(&made, "/customer/id"), "vehicleId": car, "idempotencyKey": format!("{name}-open") });
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    let opened = act(client, "dealOpen", input, "deal { id version }").await?;
    let version = opened.pointer("/deal/version").and_then(Value::as_i64).unwrap_or_default();
    Ok(Deal { client: Arc::clone(client), server, id: text(&opened, "/deal/id"), version, name: name.to_owned() })
}

/// A mutation of one input; `selection` is what its payload is asked for.
async fn act(client: &Client, field: &str, input: Value, selection: &str) -> Outcome<Value> {
    let kind = format!("{}{}Input", field.get(..1).unwrap_or_default().to_uppercase(), field.get(1..).unwrap_or_default());
    let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {selection} userErrors {{ message }} }} }}");
    client.act(field, &query, input).await
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned()
}
