//! [`Sql`] on the storage of a Durable Object. Bound by hand where `worker` binds without `catch`, because an
//! error there would be a trap, and `transactionSync`, which it does not bind at all.

use crate::error::{Error, Result};
use crate::sql::{Row, Sql, Value};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen::{JsCast, intern};
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

    type JsSql;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &JsSql, statement: &str, params: &Array) -> std::result::Result<JsCursor, JsValue>;

    type JsCursor;
    #[wasm_bindgen(method, catch)]
    fn raw(this: &JsCursor) -> std::result::Result<JsRows, JsValue>;

    type JsRows;
    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &JsRows) -> std::result::Result<Array, JsValue>;
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

impl Sql for Storage {
    fn exec(&self, statement: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let bound: Array = params.iter().map(to_js).collect();
        // An error of a row shows only when it is stepped to, so all are, always.
        let rows = self
            .sql
            .exec(intern(statement), &bound)
            .and_then(|cursor| cursor.raw())
            .and_then(|rows| rows.to_array())
            .map_err(|error| fault(&error))?;
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
