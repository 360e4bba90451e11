//! Setting a structure aside to compare with.

use serde::Serialize;
use serde_json::json;

use super::{Answer, Change, DealError, Deals, Refusal, RefusalCode, StructureWish, Target};
use crate::auth::Actor;
use crate::db::{By, DbError, Tx};
use crate::deals::model::SCENARIOS_MAX;
use crate::deals::states::DealVerb;
use crate::deals::store::room::{ScenarioRow, insert_scenario};

/// A wish to save a scenario.
#[derive(Debug, Clone, Serialize)]
pub struct SaveScenario {
    /// Which deal.
    pub target: Target,
    /// "with the trade", "longer term".
    pub label: String,
    /// What is different from the deal's structure; nothing keeps the structure as it is.
    pub change: StructureWish,
}

impl Deals {
    /// Saves a structure with its figures beside the deal, which itself stays as it is.
    pub async fn save_scenario(&self, actor: &Actor, by: By, wish: SaveScenario) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "dealScenarioSave", &wish, async |tx: &mut Tx| self.save_scenario_in(tx, actor, &wish).await)
            .await
    }

    async fn save_scenario_in(&self, tx: &mut Tx, actor: &Actor, wish: &SaveScenario) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        let id = before.deal.id;
        if !before.deal.state.is_open() {
            return Err(Refusal::wrong_state(&before.deal, DealVerb::Structure).into());
        }
        let change = self.resolve(&before, wish.change.clone()).map_err(|e| e.about(id))?;
        let structure = before.structure.changed(change).map_err(|out| DealError::from(out).about(id))?;
        let figures = self.desk.figures(&Self::case(&before, &structure)).map_err(|problem| Refusal::unpriced(&problem).of(id))?;
        let corrupt = |e: serde_json::Error| DbError::Corrupt(e.to_string());
        let row = ScenarioRow {
            id: self.db.new_id(),
            label: wish.label.clone(),
            structure: serde_json::to_value(&structure).map_err(corrupt)?,
            figures: serde_json::to_value(&figures).map_err(corrupt)?,
            created_by: actor.user_id(),
            created_at: tx.now(),
        };
        if !insert_scenario(tx.conn(), id, &row, SCENARIOS_MAX).await? {
            let message = format!("This deal has {SCENARIOS_MAX} scenarios already.");
            return Err(Refusal::new(RefusalCode::TooManyScenarios, "dealId", message).of(id).into());
        }
        let detail = json!({ "scenarioId": row.id, "figures": figures.headline() });
        let answer = self.write(tx, &before, Change::of(before.deal.clone(), "scenario_saved", detail)).await?;
        Ok(Answer { scenario_id: Some(row.id), ..answer })
    }
}
