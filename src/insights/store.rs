//! The SQL over the audit trail. Periods are days at the store.

use sqlx::PgConnection;

use super::model::{LostCount, Performance, Period, ReasonCount, Spread, Steps};
use crate::db::DbError;
use crate::kernel::id::StoreId;

/// How a store did in a period.
pub(super) async fn performance(conn: &mut PgConnection, store: StoreId, period: Period) -> Result<Performance, DbError> {
    let steps = steps(conn, store, period).await?;
    let takeovers = takeovers(conn, store, period).await?;
    let [seconds_to_agreement, hand_offs, swaps] = talks(conn, store, period).await?;
    let seconds_to_answer = answers(conn, store, period).await?;
    let seconds_from_greeting = greeted(conn, store, period).await?;
    let lost_reasons = lost(conn, store, period).await?;
    Ok(Performance { steps, seconds_to_agreement, seconds_from_greeting, hand_offs, swaps, seconds_to_answer, takeovers, lost_reasons })
}

async fn steps(conn: &mut PgConnection, store: StoreId, period: Period) -> Result<Steps, DbError> {
    let steps = sqlx::query_as!(
        Steps,
        r#"SELECT count(DISTINCT a.subject_id) FILTER (WHERE verb = 'greeted') AS "greeted!", count(DISTINCT a.subject_id) FILTER (WHERE verb = 'opened') AS "opened!",
             count(DISTINCT a.subject_id) FILTER (WHERE verb = 'presented') AS "presented!", count(DISTINCT a.subject_id) FILTER (WHERE verb = 'agreed') AS "agreed!",
             count(DISTINCT a.subject_id) FILTER (WHERE verb = 'contracted') AS "contracted!", count(DISTINCT a.subject_id) FILTER (WHERE verb = 'lost') AS "lost!",
             count(DISTINCT a.subject_id) FILTER (WHERE verb = 'cancelled') AS "cancelled!",
             count(DISTINCT a.subject_id) FILTER (WHERE verb = 'delivered') AS "delivered!", count(DISTINCT a.subject_id) FILTER (WHERE verb = 'unwound') AS "unwound!",
             count(DISTINCT a.subject_id) FILTER (WHERE verb = 'returned') AS "returned!"
           FROM audit_event a JOIN store s ON s.id = a.store_id
           WHERE a.store_id = $1 AND a.at >= $2::date::timestamp AT TIME ZONE s.time_zone AND a.at < $3::date::timestamp AT TIME ZONE s.time_zone
             AND a.verb IN ('greeted', 'opened', 'presented', 'agreed', 'contracted', 'lost', 'cancelled', 'delivered', 'unwound',
               'returned') AND a.subject_kind IN ('DEAL', 'CUSTOMER')"#,
        store.0,
        period.from,
        period.until,
    )
    .fetch_one(conn)
    .await?;
    Ok(steps)
}

/// Of deals with their first yes in the period: seconds from the chosen car, hand-offs and swaps until then.
async fn talks(conn: &mut PgConnection, store: StoreId, period: Period) -> Result<[Spread; 3], DbError> {
    let row = sqlx::query!(
        r#"WITH agreed AS (
             SELECT a.subject_id, min(a.at) AS at FROM audit_event a JOIN store s ON s.id = a.store_id
             WHERE a.store_id = $1 AND a.subject_kind = 'DEAL' AND a.verb = 'agreed'
               AND a.at >= $2::date::timestamp AT TIME ZONE s.time_zone AND a.at < $3::date::timestamp AT TIME ZONE s.time_zone
             GROUP BY a.subject_id),
           first_yes AS (
             SELECT * FROM agreed y
             WHERE NOT EXISTS (SELECT FROM audit_event e WHERE e.subject_id = y.subject_id AND e.verb = 'agreed' AND e.at < y.at)),
           talk AS (
             SELECT extract(epoch FROM y.at - min(e.at) FILTER (WHERE e.verb = 'opened'))::bigint AS seconds,
               count(*) FILTER (WHERE e.verb = 'taken_over' AND NOT (e.detail ->> 'samePerson')::boolean) AS hand_offs,
               count(*) FILTER (WHERE e.verb = 'vehicle_swapped') AS swaps
             FROM first_yes y JOIN audit_event e ON e.subject_id = y.subject_id AND e.subject_kind = 'DEAL' AND e.at <= y.at
             GROUP BY y.subject_id, y.at)
           SELECT count(seconds) AS "timed!", coalesce(sum(seconds), 0)::bigint AS "seconds!",
             percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds_median, percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds) AS seconds_p90,
             count(*) AS "deals!", coalesce(sum(hand_offs), 0)::bigint AS "hand_offs!",
             percentile_disc(0.5) WITHIN GROUP (ORDER BY hand_offs) AS hand_offs_median, percentile_disc(0.9) WITHIN GROUP (ORDER BY hand_offs) AS hand_offs_p90,
             coalesce(sum(swaps), 0)::bigint AS "swaps!",
             percentile_disc(0.5) WITHIN GROUP (ORDER BY swaps) AS swaps_median, percentile_disc(0.9) WITHIN GROUP (ORDER BY swaps) AS swaps_p90
           FROM talk"#,
        store.0,
        period.from,
        period.until,
    )
    .fetch_one(conn)
    .await?;
    Ok([
        Spread { count: row.timed, total: row.seconds, median: row.seconds_median, p90: row.seconds_p90 },
        Spread { count: row.deals, total: row.hand_offs, median: row.hand_offs_median, p90: row.hand_offs_p90 },
        Spread { count: row.deals, total: row.swaps, median: row.swaps_median, p90: row.swaps_p90 },
    ])
}

/// Seconds from the first greeting of the day to the deal's first yes. A deal whose customer was greeted by nobody that day is not
/// measured: nobody knows when their visit began.
async fn greeted(conn: &mut PgConnection, store: StoreId, period: Period) -> Result<Spread, DbError> {
    let row = sqlx::query!(
        r#"WITH yes AS (
             SELECT a.subject_id, d.customer_id, s.time_zone, min(a.at) AS at
             FROM audit_event a JOIN store s ON s.id = a.store_id JOIN deal d ON d.id = a.subject_id
             WHERE a.store_id = $1 AND a.subject_kind = 'DEAL' AND a.verb = 'agreed'
               AND a.at >= $2::date::timestamp AT TIME ZONE s.time_zone AND a.at < $3::date::timestamp AT TIME ZONE s.time_zone
             GROUP BY a.subject_id, d.customer_id, s.time_zone),
           visit AS (
             SELECT extract(epoch FROM y.at - (
                 SELECT min(g.at) FROM audit_event g
                 WHERE g.subject_kind = 'CUSTOMER' AND g.subject_id = y.customer_id AND g.verb = 'greeted' AND g.store_id = $1 AND g.at <= y.at
                   AND g.at >= (y.at AT TIME ZONE y.time_zone)::date::timestamp AT TIME ZONE y.time_zone))::bigint AS seconds
             FROM yes y
             WHERE NOT EXISTS (SELECT FROM audit_event e WHERE e.subject_id = y.subject_id AND e.verb = 'agreed' AND e.at < y.at))
           SELECT count(seconds) AS "count!", coalesce(sum(seconds), 0)::bigint AS "total!",
             percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds) AS p90
           FROM visit"#,
        store.0,
        period.from,
        period.until,
    )
    .fetch_one(conn)
    .await?;
    Ok(Spread { count: row.count, total: row.total, median: row.median, p90: row.p90 })
}

/// Why deals were lost.
async fn lost(conn: &mut PgConnection, store: StoreId, period: Period) -> Result<Vec<LostCount>, DbError> {
    let reasons = sqlx::query_as!(
        LostCount,
        r#"SELECT a.detail ->> 'reasonCode' AS reason, count(*) AS "count!"
           FROM audit_event a JOIN store s ON s.id = a.store_id
           WHERE a.store_id = $1 AND a.subject_kind = 'DEAL' AND a.verb = 'lost'
             AND a.at >= $2::date::timestamp AT TIME ZONE s.time_zone AND a.at < $3::date::timestamp AT TIME ZONE s.time_zone
           GROUP BY 1 ORDER BY count(*) DESC, 1"#,
        store.0,
        period.from,
        period.until,
    )
    .fetch_all(conn)
    .await?;
    Ok(reasons)
}

/// Seconds a question to a manager waited.
async fn answers(conn: &mut PgConnection, store: StoreId, period: Period) -> Result<Spread, DbError> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", coalesce(sum((a.detail ->> 'waitedSeconds')::bigint), 0)::bigint AS "total!",
             percentile_disc(0.5) WITHIN GROUP (ORDER BY (a.detail ->> 'waitedSeconds')::bigint) AS median,
             percentile_disc(0.9) WITHIN GROUP (ORDER BY (a.detail ->> 'waitedSeconds')::bigint) AS p90
           FROM audit_event a JOIN store s ON s.id = a.store_id
           WHERE a.store_id = $1 AND a.subject_kind = 'DEAL' AND a.verb IN ('approved', 'approval_declined', 'counter_offered')
             AND a.at >= $2::date::timestamp AT TIME ZONE s.time_zone AND a.at < $3::date::timestamp AT TIME ZONE s.time_zone"#,
        store.0,
        period.from,
        period.until,
    )
    .fetch_one(conn)
    .await?;
    Ok(Spread { count: row.count, total: row.total, median: row.median, p90: row.p90 })
}

async fn takeovers(conn: &mut PgConnection, store: StoreId, period: Period) -> Result<Vec<ReasonCount>, DbError> {
    let reasons = sqlx::query_as!(
        ReasonCount,
        r#"SELECT a.detail ->> 'reason' AS "reason!", count(*) AS "count!",
             count(*) FILTER (WHERE (a.detail ->> 'unsaved')::boolean) AS "unsaved!", count(*) FILTER (WHERE (a.detail ->> 'kept')::boolean) AS "kept!"
           FROM audit_event a JOIN store s ON s.id = a.store_id
           WHERE a.store_id = $1 AND a.subject_kind = 'DEAL' AND a.verb = 'taken_over'
             AND a.at >= $2::date::timestamp AT TIME ZONE s.time_zone AND a.at < $3::date::timestamp AT TIME ZONE s.time_zone
           GROUP BY 1 ORDER BY count(*) DESC, 1"#,
        store.0,
        period.from,
        period.until,
    )
    .fetch_all(conn)
    .await?;
    Ok(reasons)
}
