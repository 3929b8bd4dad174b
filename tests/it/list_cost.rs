//! What a page of the list costs in a shard with a million customers: its own rows, wherever it lies and whatever it
//! is filtered by.

use crate::support::Workerd;
use user_api::customer::profile::Plan;
use user_api::customer::status::Status;
use user_api::directory::MIGRATIONS;
use user_api::directory::list::{self, Place, Query};
use user_api::email::EmailIndex;
use user_api::sql::migrate;
use user_api::types::{CustomerId, Timestamp};

const CUSTOMERS: i64 = 1_000_000;
const LIMIT: u32 = 101;
/// Machine steps of SQLite for each row of a page, at most, and for the page itself.
const STEPS_PER_ROW: u64 = 40;

/// A shard with that many customers, three to a millisecond, of every status and plan. The indexes are made after
/// the rows, which is quicker and gives the same file as far as a query can tell.
fn shard() -> Workerd {
    let sql = Workerd::new();
    migrate(&sql, MIGRATIONS).unwrap();
    sql.raw(|db| {
        let mut select = db
            .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
            .unwrap();
        let indexes: Vec<(String, String)> = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        drop(select);
        db.execute_batch("BEGIN").unwrap();
        for (name, _) in &indexes {
            db.execute_batch(&format!("DROP INDEX {name}")).unwrap();
        }
        db.execute_batch(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CUSTOMERS})
             INSERT INTO customers (customer_id, rev, created_at, status, plan, email_index)
             SELECT printf('cust_%07d', i), 1, i / 3,
                    CASE i % 4 WHEN 0 THEN 'active' WHEN 1 THEN 'suspended' WHEN 2 THEN 'cancelled'
                               ELSE 'pending_verification' END,
                    CASE i / 4 % 4 WHEN 0 THEN 'free' WHEN 1 THEN 'starter' WHEN 2 THEN 'pro' ELSE 'enterprise' END,
                    CAST(printf('%032d', i) AS BLOB) FROM n"
        ))
        .unwrap();
        for (_, create) in &indexes {
            db.execute_batch(create).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
    });
    sql
}

fn query(depth: i64) -> Query {
    Query {
        status: None,
        plan: None,
        email_index: None,
        from: Timestamp::from_millis(0),
        after: Place {
            created_at: Timestamp::from_millis((CUSTOMERS - depth) / 3),
            customer_id: CustomerId::parse(&format!("cust_{:07}", CUSTOMERS - depth)),
        },
        limit: LIMIT,
    }
}

#[test]
fn a_page_of_a_million_customers_costs_its_own_rows_wherever_it_lies_and_whatever_it_is_filtered_by() {
    let sql = shard();
    let cost = |query: &Query| {
        sql.forget_counts();
        let rows = list::page(&sql, query).unwrap().rows.len();
        assert_eq!(sql.rows_read.get(), rows as u64);
        (rows, sql.engine_steps.get())
    };
    let combinations = [
        (None, None),
        (Some(Status::Suspended), None),
        (None, Some(Plan::Pro)),
        (Some(Status::Cancelled), Some(Plan::Enterprise)),
    ];
    for (status, plan) in combinations {
        let mut all = Vec::new();
        for depth in [0, 1_000, 500_000, 990_000] {
            let query = Query {
                status,
                plan,
                ..query(depth)
            };
            let (rows, steps) = cost(&query);
            assert_eq!(rows, LIMIT as usize, "{status:?} {plan:?} at {depth}");
            all.push(steps);
            // Within a window of creation the page is not dearer either.
            let window = Query {
                from: Timestamp::from_millis((CUSTOMERS - depth) / 3 - 3_000),
                ..query
            };
            all.push(cost(&window).1);
        }
        let (least, most) = (*all.iter().min().unwrap(), *all.iter().max().unwrap());
        println!("{status:?} {plan:?}: {least} to {most} steps for {LIMIT} rows");
        assert!(
            most <= u64::from(LIMIT) * STEPS_PER_ROW,
            "{status:?} {plan:?}: {all:?}"
        );
        assert!(most - least <= 20, "the depth shows: {all:?}");
    }
    let mut index = [b'0'; 32];
    index[26..].copy_from_slice(b"424242");
    let by_email = Query {
        email_index: Some(EmailIndex::new(index)),
        ..query(0)
    };
    let (rows, steps) = cost(&by_email);
    assert_eq!(rows, 1);
    assert!(steps <= 2 * STEPS_PER_ROW, "{steps}");
}
