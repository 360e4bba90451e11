//! The group, its stores and its people.

use futures::future::try_join_all;

use super::LoadError;
use crate::app::App;
use crate::auth::{AuthError, Role};
use crate::dealers::NewStore;
use crate::demo::group::{DemoPerson, DemoStore, GROUP_CODE, GROUP_NAME, PASSWORD, PEOPLE, STORES};
use crate::demo::store;
use crate::kernel::id::GroupId;
use crate::kernel::money::Currency;

pub(super) async fn load(app: &App) -> Result<String, LoadError> {
    let known = store::group_id(&mut *app.db.read().await?, GROUP_CODE).await?;
    let group = match known {
        Some(id) => GroupId(id),
        None => app.dealers.create_group(GROUP_CODE, GROUP_NAME).await?,
    };
    for at in &STORES {
        if app.dealers.store_by_code(at.code).is_none() {
            let store = app.dealers.create_store(group, &opened(at)).await?;
            if at.spot_delivery_days.is_some() {
                app.dealers.set_spot_days(store, at.spot_delivery_days).await?;
            }
        }
    }
    // Hashing a password takes its time on purpose; the people do not wait for each other.
    try_join_all(PEOPLE.iter().map(|person| add(app, group, person))).await?;
    Ok(format!("{} stores, {} people", STORES.len(), PEOPLE.len()))
}

fn opened(at: &DemoStore) -> NewStore {
    NewStore {
        code: at.code.into(),
        name: at.name.into(),
        street: at.street.into(),
        city: at.city.into(),
        state: at.state.into(),
        postal_code: at.postal_code.into(),
        phone: Some(at.phone.into()),
        time_zone: at.time_zone,
        currency: Currency::USD,
        tax_jurisdiction: at.tax_jurisdiction.into(),
    }
}

async fn add(app: &App, group: GroupId, person: &DemoPerson) -> Result<(), LoadError> {
    if store::user_exists(&mut *app.db.read().await?, person.login).await? {
        return Ok(());
    }
    let stores = app.dealers.stores();
    let roles: Vec<_> =
        person.stores.iter().filter_map(|code| stores.by_code(code)).map(|store| (store.id, person.role)).collect::<Vec<(_, Role)>>();
    match app.auth.create_person(group, person.login, person.name, PASSWORD.into(), &roles).await {
        Ok(_) | Err(AuthError::LoginTaken) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
