//! [`Sql`] on the storage of a Durable Object. Bound by hand where `worker` binds without `catch`, because an
//! error there would be a trap, and `transactionSync`, which it does not bind at all.

use crate::error::{Error, Result};
use crate::sql::{Row, Sql, Value};
use crate::types::Timestamp;
use js_sys::{Array, Uint8Array};
use std::cell::RefCell;
use std::collections::HashMap;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::State;

#[wasm_bindgen]
extern "C" {
    type JsStorage;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &JsStorage) -> JsSql;
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &JsStorage,
        body: &mut dyn FnMut() -> std::result::Result<JsValue, JsValue>,
    ) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &JsStorage, at_ms: f64) -> std::result::Result<js_sys::Promise, JsValue>;

    type JsSql;
}

// One crossing a statement. An error of a row shows only when it is stepped to, so all are, always. Where there is none,
// as after every change, nothing is handed back.
#[wasm_bindgen(inline_js = r#"
    export function exec(sql, statement, params) {
        const rows = sql.exec(statement, ...params).raw().toArray();
        return rows.length === 0 ? undefined : rows;
    }
"#)]
extern "C" {
    #[wasm_bindgen(catch)]
    fn exec(sql: &JsSql, statement: &JsValue, params: &Array) -> std::result::Result<Option<Array>, JsValue>;
}

thread_local! {
    /// The statements that were run before as the platform's own strings, by the place where each lies.
    static STATEMENTS: RefCell<HashMap<(usize, usize), JsValue>> = RefCell::default();
}

/// A statement as the platform's own string: it crosses once an isolate, and is known again by the platform.
fn known(statement: &'static str) -> JsValue {
    let place = (statement.as_ptr() as usize, statement.len());
    STATEMENTS.with_borrow_mut(|known| {
        known
            .entry(place)
            .or_insert_with(|| JsValue::from_str(statement))
            .clone()
    })
}

/// An object's own storage.
pub struct Storage {
    storage: JsStorage,
    sql: JsSql,
}

impl Storage {
    /// The storage of the object that `state` belongs to.
    #[must_use]
    pub fn new(state: &State) -> Self {
        let storage: JsStorage = JsValue::from(state.storage().as_raw()).unchecked_into();
        let sql = storage.sql();
        Self { storage, sql }
    }
}

impl Storage {
    /// Has the object woken at `at`, instead of at whatever moment was set before. The write is part of the same
    /// turn's output gate, so nothing waits for it here.
    ///
    /// # Errors
    /// `internal_error` if the platform refuses.
    pub fn wake_at(&self, at: Timestamp) -> Result<()> {
        #[allow(clippy::cast_precision_loss)] // A number of milliseconds is far below 2^53.
        let promise = self
            .storage
            .set_alarm(at.as_millis() as f64)
            .map_err(|error| fault(&error))?;
        // A rejection breaks the object's output gate, which answers for it; here it only must not go unhandled.
        wasm_bindgen_futures::spawn_local(async move {
            let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
        });
        Ok(())
    }
}

impl Sql for Storage {
    fn exec(&self, statement: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let bound: Array = params.iter().map(to_js).collect();
        let rows = exec(&self.sql, &known(statement), &bound).map_err(|error| fault(&error))?;
        let Some(rows) = rows else {
            return Ok(Vec::new());
        };
        rows.iter()
            .map(|row| {
                row.unchecked_into::<Array>()
                    .iter()
                    .map(|value| from_js(&value))
                    .collect()
            })
            .map(|columns: Result<Vec<Value>>| columns.map(Row))
            .collect()
    }

    fn exec_script(&self, script: &'static str) -> Result<()> {
        self.exec(script, &[]).map(|_| ())
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let mut refused = None;
        let outcome = self.storage.transaction_sync(&mut || match body() {
            Ok(()) => Ok(JsValue::UNDEFINED),
            Err(error) => {
                refused = Some(error);
                Err(JsValue::from_str("rolled back"))
            }
        });
        match (refused, outcome) {
            (Some(error), _) => Err(error),
            (None, Ok(_)) => Ok(()),
            (None, Err(error)) => Err(fault(&error)),
        }
    }
}

fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        #[allow(clippy::cast_precision_loss)] // `Value` promises integers within 2^53.
        Value::Integer(value) => JsValue::from_f64(*value as f64),
        Value::Text(value) => JsValue::from_str(value),
        Value::Blob(value) => Uint8Array::from(value.as_slice()).into(),
    }
}

fn from_js(value: &JsValue) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let Some(number) = value.as_f64() {
        #[allow(clippy::cast_possible_truncation)]
        return Ok(Value::Integer(number as i64));
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text));
    }
    if value.is_instance_of::<js_sys::ArrayBuffer>() {
        return Ok(Value::Blob(Uint8Array::new(value).to_vec()));
    }
    Err(Error::fault("a column has a type that no table has"))
}

/// The engine's message names tables and columns, never values.
fn fault(error: &JsValue) -> Error {
    let message = error
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()));
    Error::fault(message.unwrap_or_else(|| "storage failed".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, missing_docs)]
mod tests {
    use super::*;
    use crate::error::Code;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen(inline_js = r#"
        // The platform's storage as far as the adapter sees it: rows are the parameters handed back.
        export function fakeStorage(log) {
            const rows = (list) => ({ raw: () => ({ toArray: () => list }) });
            return {
                sql: {
                    exec(statement, ...params) {
                        log.push(`${statement} ${params.map((p) => p?.constructor?.name ?? 'null').join()}`);
                        if (statement === 'FAIL') throw new Error('no such table: t');
                        if (statement === 'FAIL LATE') return { raw: () => ({ toArray: () => { throw new Error('late'); } }) };
                        if (statement === 'ODD') return rows([[true]]);
                        return rows([params.map((p) => p instanceof Uint8Array ? p.slice().buffer : p)]);
                    },
                },
                transactionSync(body) {
                    log.push('begin');
                    try { const result = body(); log.push('commit'); return result; }
                    catch (error) { log.push('rollback'); throw error; }
                },
            };
        }
    "#)]
    extern "C" {
        #[wasm_bindgen(js_name = fakeStorage)]
        fn fake_storage(log: &Array) -> JsStorage;
    }

    fn storage() -> (Storage, Array) {
        let log = Array::new();
        let storage = fake_storage(&log);
        let sql = storage.sql();
        (Storage { storage, sql }, log)
    }

    fn text(log: &Array) -> Vec<String> {
        log.iter().map(|line| line.as_string().unwrap()).collect()
    }

    #[wasm_bindgen_test]
    fn every_value_comes_back_as_it_went() {
        let (storage, log) = storage();
        let values = [
            Value::Null,
            Value::Integer(-9_007_199_254_740_991),
            Value::Text("Zoë".into()),
            Value::Blob(vec![0, 255]),
            Value::Blob(vec![]),
        ];
        let rows = storage.exec("ECHO", &values).unwrap();
        assert_eq!(rows, [Row(values.to_vec())]);
        assert_eq!(text(&log), ["ECHO null,Number,String,Uint8Array,Uint8Array"]);
    }

    #[wasm_bindgen_test]
    fn an_error_of_the_engine_is_an_error_and_not_a_trap() {
        let (storage, _) = storage();
        for (statement, message) in [("FAIL", "no such table: t"), ("FAIL LATE", "late")] {
            let error = storage.exec(statement, &[]).unwrap_err();
            assert_eq!(
                (error.code, error.internal.as_deref()),
                (Code::InternalError, Some(message))
            );
        }
        assert!(storage.exec("ODD", &[]).is_err());
    }

    #[wasm_bindgen_test]
    fn a_transaction_rolls_back_on_an_error_and_passes_it_on() {
        let (storage, log) = storage();
        let outcome = storage.transaction(&mut || {
            storage.transaction(&mut || storage.exec("A", &[]).map(|_| ()))?;
            storage.transaction(&mut || Err(Error::new(Code::StaleVersion, "x")))
        });
        assert_eq!(outcome.unwrap_err().code, Code::StaleVersion);
        assert_eq!(
            text(&log),
            ["begin", "begin", "A ", "commit", "begin", "rollback", "rollback"]
        );
    }
}
