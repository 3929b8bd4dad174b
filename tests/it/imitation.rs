//! The imitation refuses what workerd refuses; else the other tests would prove too little.

use crate::support::{Harm, Workerd};
use user_api::error::Error;
use user_api::sql::{Sql, Value};

fn error(result: user_api::error::Result<impl std::fmt::Debug>) -> String {
    result.unwrap_err().internal.as_ref().unwrap().to_string()
}

#[test]
fn numbers_bind_as_doubles_and_no_further_than_2_to_the_53() {
    let sql = Workerd::new();
    let rows = sql
        .exec("SELECT typeof(?), ?", &[5.into(), (1 << 53).into()])
        .unwrap();
    assert_eq!(rows[0].0, ["real".into(), Value::Integer(1 << 53)]);
    assert!(error(sql.exec("SELECT ?", &[((1_i64 << 53) + 1).into()])).contains("2^53"));
    assert!(error(sql.exec("SELECT 9007199254740993", &[])).contains("2^53"));
}

#[test]
fn what_workerd_refuses_is_refused() {
    let sql = Workerd::new();
    assert!(error(sql.exec("BEGIN", &[])).contains("not authorized"));
    assert!(error(sql.exec("SAVEPOINT a", &[])).contains("not authorized"));
    assert!(error(sql.exec("-- hidden\n  commit;", &[])).contains("not authorized"));
    assert!(error(sql.exec("PRAGMA user_version", &[])).contains("not authorized"));
    assert!(
        error(sql.exec_script("CREATE TABLE t (a); PRAGMA user_version = 3;")).contains("not authorized")
    );
    assert!(error(sql.exec("SELECT 1", &vec![Value::Null; 101])).contains("too many"));
    assert!(error(sql.exec("SELECT 1; SELECT 2", &[])).contains("more than one"));
}

#[test]
fn an_inner_transaction_is_a_savepoint_of_the_outer_one() {
    let sql = Workerd::new();
    sql.exec_script("CREATE TABLE t (a INTEGER) STRICT;").unwrap();
    sql.transaction(&mut || {
        sql.exec("INSERT INTO t VALUES (1)", &[])?;
        let inner = sql.transaction(&mut || {
            sql.exec("INSERT INTO t VALUES (2)", &[])?;
            Err(Error::fault("no"))
        });
        assert!(inner.is_err());
        sql.transaction(&mut || sql.exec("INSERT INTO t VALUES (3)", &[]).map(|_| ()))
    })
    .unwrap();
    let rows = sql.exec("SELECT group_concat(a) FROM t", &[]).unwrap();
    assert_eq!(rows[0].text(0).unwrap(), "1,3");
    assert_eq!((sql.rows_written.get(), sql.rows_read.get()), (3, 1));
}

#[test]
fn a_crash_keeps_what_was_committed_and_nothing_else() {
    for sql in [Workerd::new(), Workerd::on_disk()] {
        sql.exec_script("CREATE TABLE t (a INTEGER) STRICT;").unwrap();
        let insert = || sql.transaction(&mut || sql.exec("INSERT INTO t VALUES (1)", &[]).map(|_| ()));
        let count = || {
            sql.exec("SELECT count(*) FROM t", &[]).unwrap()[0]
                .integer(0)
                .unwrap()
        };
        for (operation, harm, kept) in [
            (1, Harm::CrashBefore, 0),
            (1, Harm::CrashAfter, 0),
            (2, Harm::CrashBefore, 0),
            (2, Harm::Error, 0),
            (2, Harm::CrashAfter, 1),
        ] {
            sql.arm(operation, harm);
            insert().unwrap_err();
            assert_eq!(sql.is_dead(), harm != Harm::Error);
            sql.reopen();
            assert_eq!(count(), kept, "{operation} {harm:?}");
        }
    }
}
