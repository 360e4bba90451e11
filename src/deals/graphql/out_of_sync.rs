//! What a stale write is told: what was done since the version it knew, and which parts differ.

use async_graphql::{Context, Json, SimpleObject};
use serde_json::Value;

use super::parts::EventNode;
use crate::deals::service::{Answer, Deals, RefusalCode};
use crate::deals::store::room::HistoryEvent;
use crate::graphql::GqlResult;
use crate::graphql::context::{actor, service};

/// What happened to a deal since the version a tablet knew.
#[derive(Debug, SimpleObject)]
#[graphql(name = "DealOutOfSync")]
pub(super) struct OutOfSyncNode {
    /// The version the tablet knew.
    expected_version: i32,
    /// The version now.
    version: i32,
    /// What was done in between, by whom, oldest first; at most 100.
    events: Vec<EventNode>,
    /// Which parts of the structure differ, from what the tablet knew to what stands.
    changed: Vec<ChangedPart>,
}

/// A part of a deal's structure that differs.
#[derive(Debug, SimpleObject)]
#[graphql(name = "DealChangedPart")]
pub(super) struct ChangedPart {
    /// Which, as the input of `dealStructure` names it: `price`, `tradeIns`.
    part: String,
    /// What the tablet knew, as JSON. An amount is a text such as `"700.00"`.
    before: Json<Value>,
    /// What stands now, as JSON. An amount is a text such as `"700.00"`.
    after: Json<Value>,
}

/// The parts that differ after all these events: the first "before" and the last "after" of each.
fn changed_parts(events: &[HistoryEvent]) -> Vec<ChangedPart> {
    let mut parts: Vec<ChangedPart> = Vec::new();
    let changes = events.iter().filter_map(|event| event.detail.get("changed")?.as_array()).flatten();
    for change in changes {
        let value = |name: &str| Json(change.get(name).cloned().unwrap_or_default());
        let Some(part) = change.get("part").and_then(Value::as_str) else { continue };
        match parts.iter_mut().find(|known| known.part == part) {
            Some(known) => known.after = value("after"),
            None => parts.push(ChangedPart { part: part.to_owned(), before: value("before"), after: value("after") }),
        }
    }
    parts.retain(|part| part.before.0 != part.after.0);
    parts
}

/// Read only for a stale write, and only when it is selected.
pub(super) async fn out_of_sync(ctx: &Context<'_>, answer: &Answer) -> GqlResult<Option<OutOfSyncNode>> {
    let stale = answer.refused.iter().find(|refusal| refusal.code == RefusalCode::DealOutOfSync);
    let known = stale.and_then(|refusal| refusal.deal_id.zip(refusal.expected_version));
    let Some((deal, expected_version)) = known.filter(|_| ctx.look_ahead().field("outOfSync").exists()) else { return Ok(None) };
    let events = service::<Deals>(ctx)?.events_since(&actor(ctx)?.selling_scope(), deal, expected_version).await?;
    let version = |event: &HistoryEvent| event.detail.get("version").and_then(Value::as_i64).and_then(|v| i32::try_from(v).ok());
    Ok(Some(OutOfSyncNode {
        expected_version,
        version: events.iter().filter_map(version).max().unwrap_or(expected_version),
        changed: changed_parts(&events),
        events: events.into_iter().map(EventNode::from).collect(),
    }))
}
