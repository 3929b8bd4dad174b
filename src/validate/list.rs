//! Lists of objects in a body.

use super::{Edit, Fields, pointer};
use crate::error::{Error, Fault, Result};
use serde_json::Value;

impl Fields {
    /// Takes a list of at most `max` objects that have named fields of their own. The values of faulty entries
    /// may be missing from the result; [`Fields::finish`] then refuses the body.
    pub fn objects<T>(
        &mut self,
        name: &str,
        max: usize,
        read: impl FnMut(&mut Fields) -> Option<T>,
    ) -> Edit<Vec<T>> {
        match self.raw(name) {
            Edit::Keep => Edit::Keep,
            Edit::Clear => Edit::Clear,
            Edit::Set(Value::Array(items)) => {
                let base = pointer(&self.base, name);
                Edit::Set(read_objects(&base, items, max, &mut self.faults, read))
            }
            Edit::Set(_) => {
                self.fault(name, "Must be a list.");
                Edit::Keep
            }
        }
    }
}

/// Reads a body that is a list of at most `max` objects.
///
/// # Errors
/// `validation_failed` with all faults.
pub fn objects<T>(
    items: Vec<Value>,
    max: usize,
    read: impl FnMut(&mut Fields) -> Option<T>,
) -> Result<Vec<T>> {
    let mut faults = Vec::new();
    let list = read_objects("#", items, max, &mut faults, read);
    if faults.is_empty() {
        Ok(list)
    } else {
        Err(Error::validation(faults))
    }
}

fn read_objects<T>(
    base: &str,
    items: Vec<Value>,
    max: usize,
    faults: &mut Vec<Fault>,
    mut read: impl FnMut(&mut Fields) -> Option<T>,
) -> Vec<T> {
    if items.len() > max {
        faults.push(Fault {
            pointer: base.to_owned(),
            detail: format!("Must have at most {max} entries.").into(),
        });
        return Vec::new();
    }
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let base = format!("{base}/{index}");
        let Value::Object(map) = item else {
            faults.push(Fault {
                pointer: base,
                detail: "Must be an object.".into(),
            });
            continue;
        };
        let mut inner = Fields {
            map,
            base,
            faults: Vec::new(),
        };
        list.extend(read(&mut inner));
        inner.refuse_rest(&[]);
        faults.append(&mut inner.faults);
    }
    list
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::natural;
    use super::*;
    use crate::json;
    use serde_json::json;

    #[test]
    fn faults_in_a_list_point_at_their_entry() {
        let body =
            json!({"list": [{"n": 1}, 2, {"n": 0, "x": 1}, {}], "many": [{}, {}, {}, {}, {}], "no": {}});
        let mut fields = Fields::new(json::parse_object(body.to_string().as_bytes()).unwrap());
        let read = |inner: &mut Fields| {
            let number = inner.field("n", |value| natural(value, 1..=9));
            inner.required("n", number)
        };
        assert_eq!(fields.objects("list", 4, read), Edit::Set(vec![1]));
        fields.objects("many", 4, read);
        fields.objects("no", 4, read);
        let error = fields.finish(&[]).unwrap_err();
        let pointers: Vec<_> = error.faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "#/list/1",
                "#/list/2/n",
                "#/list/2/x",
                "#/list/3/n",
                "#/many",
                "#/no"
            ]
        );
        assert_eq!(objects(vec![json!({"n": 9})], 1, read).unwrap(), [9]);
        let error = objects(vec![json!({"n": 10})], 1, read).unwrap_err();
        assert_eq!(error.faults.first().unwrap().pointer, "#/0/n");
    }
}
