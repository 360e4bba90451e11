//! Every insurer with its rows, as one view.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::{Barred, Coverage, Demand, Factor, InsuranceRows, Insurer, LenderInterest, Minimum, PayPlan, Rate};
use crate::kernel::id::{GroupId, InsurerId};

/// Whether a half-open range of days contains a day.
pub(in crate::insurance) fn holds(from: Option<NaiveDate>, to: Option<NaiveDate>, on: NaiveDate) -> bool {
    from.is_none_or(|from| from <= on) && to.is_none_or(|to| on < to)
}

/// Every insurer with its rows, by insurer and state. Part of the rule snapshot.
#[derive(Debug, Clone, Default)]
pub struct InsuranceBook {
    insurers: Vec<Arc<Insurer>>,
    rates: HashMap<(InsurerId, String), Vec<Rate>>,
    factors: HashMap<InsurerId, Vec<Factor>>,
    minimums: HashMap<String, Vec<Minimum>>,
    barred: HashMap<String, Vec<Barred>>,
    pay_plans: HashMap<InsurerId, Vec<PayPlan>>,
    demands: HashMap<GroupId, Vec<Demand>>,
}

impl InsuranceBook {
    /// Sorts rows into a book.
    pub fn new(rows: InsuranceRows) -> Self {
        let mut book = Self { insurers: rows.insurers.into_iter().map(Arc::new).collect(), ..Self::default() };
        for (insurer, state, rate) in rows.rates {
            book.rates.entry((insurer, state)).or_default().push(rate);
        }
        for (insurer, factor) in rows.factors {
            book.factors.entry(insurer).or_default().push(factor);
        }
        for minimum in rows.minimums {
            book.minimums.entry(minimum.state.clone()).or_default().push(minimum);
        }
        for barred in rows.barred {
            book.barred.entry(barred.state.clone()).or_default().push(barred);
        }
        for (insurer, plan) in rows.pay_plans {
            book.pay_plans.entry(insurer).or_default().push(plan);
        }
        for (group, demand) in rows.demands {
            book.demands.entry(group).or_default().push(demand);
        }
        book
    }

    /// The factors a state bars on a day.
    pub fn barred<'b>(&'b self, state: &str, on: NaiveDate) -> impl Iterator<Item = &'b Barred> + use<'b> {
        self.barred.get(state).into_iter().flatten().filter(move |b| holds(b.effective_from, b.effective_to, on))
    }

    /// How an insurer's premiums can be paid on a day.
    pub fn pay_plans(&self, insurer: InsurerId, on: NaiveDate) -> impl Iterator<Item = &PayPlan> {
        self.pay_plans.get(&insurer).into_iter().flatten().filter(move |p| holds(p.effective_from, p.effective_to, on))
    }

    /// What a lender asks: its own row, else the one for every lender.
    pub fn demand(&self, group: GroupId, lender: Option<&str>, interest: LenderInterest, on: NaiveDate) -> Option<&Demand> {
        let holding = |demand: &&Demand| demand.interest == interest && holds(demand.effective_from, demand.effective_to, on);
        let rows = || self.demands.get(&group).into_iter().flatten().filter(holding);
        rows().find(|d| lender.is_some() && d.lender_code.as_deref() == lender).or_else(|| rows().find(|d| d.lender_code.is_none()))
    }

    /// The insurers of a group, by code.
    pub fn insurers(&self, group: GroupId) -> impl Iterator<Item = &Arc<Insurer>> {
        self.insurers.iter().filter(move |i| i.group_id == group)
    }

    /// One insurer.
    pub fn insurer(&self, id: InsurerId) -> Option<&Arc<Insurer>> {
        self.insurers.iter().find(|i| i.id == id)
    }

    /// What a state asks of every driver on a day.
    pub fn minimum(&self, state: &str, on: NaiveDate) -> Option<&Minimum> {
        self.minimums.get(state)?.iter().find(|m| holds(m.effective_from, m.effective_to, on))
    }

    pub(in crate::insurance) fn rate(&self, insurer: InsurerId, state: &str, coverage: Coverage, on: NaiveDate) -> Option<&Rate> {
        let rates = self.rates.get(&(insurer, state.to_owned()))?;
        rates.iter().find(|r| r.coverage == coverage && holds(r.effective_from, r.effective_to, on))
    }

    pub(in crate::insurance) fn factors(&self, insurer: InsurerId) -> &[Factor] {
        self.factors.get(&insurer).map_or(&[], Vec::as_slice)
    }
}
