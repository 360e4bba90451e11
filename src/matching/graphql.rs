//! Matches as clients see them: `customer.matches`.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::relax::Relaxation;
use super::score::{Contribution, Match, Matches};
use super::service::{Matching, MatchingError};
use crate::auth::Scope;
use crate::customers::{Preference, PreferenceAttribute};
use crate::graphql::context::service;
use crate::graphql::{GqlError, GqlResult};
use crate::inventory::graphql::VehicleNode;
use crate::inventory::{Inventory, Vehicle, VehicleParts, VehicleStatus};
use crate::kernel::id::VehicleId;

/// Cars shown when `first` is not given.
const FIRST_DEFAULT: i32 = 10;
/// Most cars of one answer.
const FIRST_MAX: i32 = 50;
/// Read beyond what was asked for, in case some were taken a moment ago.
const SPARE: usize = 5;

impl From<MatchingError> for GqlError {
    fn from(error: MatchingError) -> Self {
        match error {
            MatchingError::Db(error) => error.into(),
            MatchingError::Estimate => Self::internal(error),
        }
    }
}

/// Cars for one customer, the best first, and what would unlock more.
#[derive(Debug, SimpleObject)]
#[graphql(name = "CustomerMatches")]
pub struct MatchesNode {
    /// The best cars that are available now; ties go to the lower price.
    nodes: Vec<MatchNode>,
    /// What one relaxation would unlock, the most first: "$1,500 more: 6 cars".
    relaxations: Vec<RelaxationNode>,
    /// How many available cars of your stores were compared.
    considered: i32,
    /// How many of them meet everything the customer must have (or, without a must, everything they said).
    meeting_all: i32,
}

/// A car with its score.
#[derive(Debug)]
pub struct MatchNode {
    vehicle: Vehicle,
    found: Match,
}

/// A car with its score and why.
#[Object(name = "CustomerMatch")]
impl MatchNode {
    /// The car as it is now.
    async fn vehicle(&self) -> VehicleNode {
        VehicleNode::from(self.vehicle.clone())
    }
    /// From 0 to 100. When the customer must have something, 50 and more means that every must is met.
    async fn score(&self) -> i32 {
        i32::from(self.found.score)
    }
    /// What speaks for it: wishes that are met or nearly met, the heaviest first.
    async fn reasons(&self) -> Vec<ContributionNode> {
        self.found.contributions.iter().filter(|c| c.points > 0).map(ContributionNode::from).collect()
    }
    /// What it lacks: wishes that are not met, the heaviest first. Near misses are in `reasons` as well, with part of the points.
    async fn missed(&self) -> Vec<ContributionNode> {
        self.found.contributions.iter().filter(|c| !c.met).map(ContributionNode::from).collect()
    }
}

/// The cars of a scope that could stand in for one that was taken: by what the customer said, and like the one they chose.
pub async fn replacements_for(
    ctx: &Context<'_>,
    scope: &Scope,
    preferences: &[Preference],
    taken: &Vehicle,
    count: usize,
) -> GqlResult<Vec<MatchNode>> {
    let found = service::<Matching>(ctx)?.best(scope, preferences, Some(taken), count + SPARE).await?;
    let nodes = fresh(ctx, scope, found.best).await?;
    // Nor one that may be gone as well: the store's feed no longer names it.
    let there = |node: &MatchNode| node.vehicle.id != taken.id && node.vehicle.missing_since.is_none();
    Ok(nodes.into_iter().filter(there).take(count).collect())
}

async fn fresh(ctx: &Context<'_>, scope: &Scope, best: Vec<Match>) -> GqlResult<Vec<MatchNode>> {
    let ids: Vec<VehicleId> = best.iter().map(|m| m.vehicle).collect();
    let vehicles = service::<Inventory>(ctx)?.find_many(scope, &ids, VehicleParts::ALL).await?;
    let mut available: HashMap<VehicleId, Vehicle> =
        vehicles.into_iter().filter(|v| v.status == VehicleStatus::Available).map(|v| (v.id, v)).collect();
    Ok(best.into_iter().filter_map(|found| available.remove(&found.vehicle).map(|vehicle| MatchNode { vehicle, found })).collect())
}

/// What one wish did to the score.
#[derive(Debug, SimpleObject)]
#[graphql(name = "MatchReason")]
pub struct ContributionNode {
    /// What it is about.
    attribute: PreferenceAttribute,
    /// The wish, `prf_…`; null when it follows from the car they chose before.
    preference_id: Option<ID>,
    /// Points earned.
    points: i32,
    /// Points that could be earned: importance × how it is known × confidence.
    max_points: i32,
    /// The wish is met.
    met: bool,
    /// The customer must have it.
    must: bool,
    /// The figure is an estimate; the deal has the exact one.
    estimate: bool,
    /// Why, for reading aloud.
    sentence: String,
}

impl From<&Contribution> for ContributionNode {
    fn from(c: &Contribution) -> Self {
        Self {
            attribute: c.attribute,
            preference_id: c.preference.map(ID::from),
            points: i32::try_from(c.points).unwrap_or(i32::MAX),
            max_points: i32::try_from(c.max).unwrap_or(i32::MAX),
            met: c.met,
            must: c.must,
            estimate: c.estimate,
            sentence: c.sentence.clone(),
        }
    }
}

/// One wish let go or widened.
#[derive(Debug, SimpleObject)]
#[graphql(name = "MatchRelaxation")]
pub struct RelaxationNode {
    /// What it is about.
    attribute: PreferenceAttribute,
    /// The wish, `prf_…`; null when it follows from the car they chose before.
    preference_id: Option<ID>,
    /// How many more cars that unlocks.
    unlocks: i32,
    /// For reading aloud: "$1,500 more: 6 cars".
    sentence: String,
}

impl From<Relaxation> for RelaxationNode {
    fn from(r: Relaxation) -> Self {
        Self {
            attribute: r.attribute,
            preference_id: r.preference.map(ID::from),
            unlocks: i32::try_from(r.unlocks).unwrap_or(i32::MAX),
            sentence: r.sentence,
        }
    }
}

/// The best cars in the scope's stores for these preferences. Each is read fresh; what was taken a moment ago is left out.
pub async fn matches_of(ctx: &Context<'_>, scope: &Scope, preferences: &[Preference], first: Option<i32>) -> GqlResult<MatchesNode> {
    let first = first.unwrap_or(FIRST_DEFAULT);
    if !(1..=FIRST_MAX).contains(&first) {
        return Err(GqlError::bad_input(format!("first: must be from 1 to {FIRST_MAX}")));
    }
    let wanted = usize::try_from(first).unwrap_or(0);
    let Matches { best, relaxations, considered, meeting_all } =
        service::<Matching>(ctx)?.best(scope, preferences, None, wanted + SPARE).await?;
    let nodes = fresh(ctx, scope, best).await?;
    Ok(MatchesNode {
        nodes: nodes.into_iter().take(wanted).collect(),
        relaxations: relaxations.into_iter().map(RelaxationNode::from).collect(),
        considered: i32::try_from(considered).unwrap_or(i32::MAX),
        meeting_all: i32::try_from(meeting_all).unwrap_or(i32::MAX),
    })
}
