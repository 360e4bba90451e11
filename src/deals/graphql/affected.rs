//! Whom to tell when a rule was wrong (Regulation Z, 12 CFR 1026.22(a)(1)).

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::node::{DealNode, parts};
use crate::deals::service::Deals;
use crate::graphql::context::{actor, service};
use crate::graphql::page::{self, Connection, PageArgs};
use crate::graphql::{GqlError, GqlResult};
use crate::kernel::id::{ProgramId, RuleVersionId, TypedId};

/// A deal whose customer was told figures by a rule.
#[derive(Debug, Clone, SimpleObject)]
pub struct AffectedDeal {
    /// The deal, with the customer to notify.
    deal: DealNode,
    /// How many of its quotes used the rule; 0 when only its present figures do, as in a cash deal.
    quotes: i32,
    /// True when the customer accepted one of them.
    accepted: bool,
    /// When the rule was first used here.
    first_used_at: DateTime<Utc>,
    /// When it was last used here.
    last_used_at: DateTime<Utc>,
}

/// What a list of affected deals has beyond its items.
#[derive(Debug)]
pub struct AffectedTotals(Uuid);

/// What a list of affected deals has beyond its items.
#[Object(name = "AffectedDealTotals")]
impl AffectedTotals {
    /// How many deals there are in all your stores. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(service::<Deals>(ctx)?.count_affected(&actor(ctx)?.managing_scope(), self.0).await?)
    }
}

/// Queries about what a rule did.
#[derive(Debug, Default)]
pub struct AffectedQuery;

#[Object]
impl AffectedQuery {
    /// Deals whose quotes or figures were calculated with one version of a rule (a dated row of taxes, fees, programs or
    /// insurance), in the order they were opened: the customers to notify when it turns out to be wrong. Managers only.
    async fn quotes_affected_by(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version of the rule: `rul_…` of a line, a quote's rule or a tax rule, or a program's `prg_…`.")] rule_version: ID,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> GqlResult<Connection<AffectedDeal, AffectedTotals>> {
        let scope = actor(ctx)?.managing_scope();
        if scope.is_empty() {
            return Err(GqlError::forbidden("Who was quoted with a rule is shown to managers."));
        }
        let rule = match (RuleVersionId::parse(&rule_version), ProgramId::parse(&rule_version)) {
            (Ok(id), _) => id.0,
            (_, Ok(id)) => id.0,
            _ => return Err(GqlError::bad_input("ruleVersion: expected an id that begins with \"rul_\" or \"prg_\"")),
        };
        let args = PageArgs::<Uuid>::read(first, after.as_deref())?;
        let look = ctx.look_ahead();
        let wanted = parts(&look.field("nodes").field("deal")).or(parts(&look.field("edges").field("node").field("deal")));
        let found = service::<Deals>(ctx)?.affected(&scope, rule, args.after, args.limit(), wanted).await?;
        let (rows, rooms): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let nodes = rows.into_iter().zip(DealNode::together(rooms)).map(|(row, deal)| AffectedDeal {
            deal,
            quotes: i32::try_from(row.quotes).unwrap_or(i32::MAX),
            accepted: row.accepted,
            first_used_at: row.first_at,
            last_used_at: row.last_at,
        });
        let key = |node: &AffectedDeal| node.deal.deal().id.0;
        Ok(page::connection(nodes.collect(), args.first, AffectedTotals(rule), key, |node| node))
    }
}
