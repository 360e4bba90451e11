//! What the customer says to the menu: every product is taken or declined before the deal is signed.

use serde::Serialize;
use serde_json::json;

use super::{Answer, Change, DealError, Deals, Refusal, RefusalCode, Target};
use crate::auth::{Actor, Scope};
use crate::db::{By, DbError, Tx};
use crate::deals::menu::MenuLine;
use crate::deals::states::DealVerb;
use crate::deals::store::menu::{self, MenuDecision};
use crate::deals::store::room::Room;
use crate::deals::store::table::OnTable;
use crate::finance::CustomerNeeds;
use crate::kernel::id::{DealId, ProductId};

/// What the customer declines. What is on the deal is taken.
#[derive(Debug, Clone, Serialize)]
pub struct DecideMenu {
    /// Which deal.
    pub target: Target,
    /// Every product the customer may have and does not want.
    pub declined: Vec<ProductId>,
}

impl Deals {
    /// Records that every product of the menu was taken or declined, at which price and payment.
    pub async fn decide_menu(&self, actor: &Actor, by: By, wish: DecideMenu) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "dealMenuDecide", &wish, async |tx: &mut Tx| self.decide_menu_in(tx, actor, &wish).await)
            .await
    }

    async fn decide_menu_in(&self, tx: &mut Tx, actor: &Actor, wish: &DecideMenu) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        let mut deal = before.deal.clone();
        deal.state = Self::step(&before, DealVerb::DecideMenu, false)?;
        let shown = self.desk.menu(&Self::case(&before, &before.structure), CustomerNeeds::default());
        let lines = shown.map_err(|error| Refusal::unpriced(&error).of(deal.id))?.decided(&wish.declined).map_err(|open| {
            let code = if open.unknown { RefusalCode::UnknownProduct } else { RefusalCode::MenuUndecided };
            Refusal::new(code, "declined", open.words).of(deal.id)
        })?;
        let codes = |taken: bool| lines.iter().filter(|l| l.taken == taken).map(|l| l.code.as_str()).collect::<Vec<_>>();
        let detail = json!({ "taken": codes(true), "declined": codes(false) });
        let now = tx.now();
        menu::insert(tx.conn(), deal.id, actor.user_id(), now, &lines).await?;
        self.write(tx, &before, Change::of(deal, "menu_decided", detail)).await
    }

    /// What was said to the menu of a deal, newest first. Empty outside the scope.
    pub async fn menu_decisions(&self, scope: &Scope, deal: DealId) -> Result<Vec<MenuDecision>, DbError> {
        menu::list(&mut *self.db.read().await?, scope, deal).await
    }

    /// Whether nothing of the menu is left to decide.
    pub(super) fn menu_decided(&self, before: &OnTable) -> bool {
        let (deal, car) = (&before.deal, &before.car);
        before.menu_decided || !self.desk.menu_due(before.group_id, &deal.terms, car.condition, before.today)
    }

    /// The same for a deal that is only looked at.
    pub(in crate::deals) fn menu_decided_of(&self, room: &Room) -> bool {
        let Some(known) = &room.steps else { return true };
        known.menu_decided || !self.desk.menu_due(known.group_id, &room.deal.terms, known.basis.condition, known.today)
    }
}

/// What a customer who was shown the menu has not said, or said twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deals) struct Undecided {
    /// A product that is not on the menu.
    pub(in crate::deals) unknown: bool,
    /// In a sentence.
    pub(in crate::deals) words: String,
}

impl crate::deals::menu::Menu {
    /// Every product of the menu as it was taken or declined.
    pub(in crate::deals) fn decided(&self, declined: &[ProductId]) -> Result<Vec<MenuLine>, Undecided> {
        let says = |words: String| Err(Undecided { unknown: false, words });
        if declined.iter().any(|id| !self.items.iter().any(|item| item.product.id == *id)) {
            return Err(Undecided { unknown: true, words: "A product is not on the menu of this deal.".to_owned() });
        }
        let names = |open: Vec<&str>| open.join(", ");
        let twice: Vec<&str> =
            self.items.iter().filter(|i| i.selected && declined.contains(&i.product.id)).map(|i| i.product.name.as_str()).collect();
        if !twice.is_empty() {
            return says(format!("On the deal and declined: {}. Take it off the deal, or let it stand.", names(twice)));
        }
        // What this customer can't have is not theirs to decline.
        let shown = || self.items.iter().filter(|item| item.selected || item.entry.refusals.is_empty());
        let open: Vec<&str> =
            shown().filter(|i| !i.selected && !declined.contains(&i.product.id)).map(|i| i.product.name.as_str()).collect();
        if !open.is_empty() {
            return says(format!("Neither taken nor declined: {}.", names(open)));
        }
        Ok(shown()
            .map(|item| MenuLine {
                product_id: item.product.id,
                code: item.product.code.clone(),
                name: item.product.name.clone(),
                taken: item.selected,
                price: item.price.price,
                payment_with: item.with.as_ref().and_then(|figures| figures.payment),
                payment_without: item.without.payment,
            })
            .collect())
    }
}
