//! `audit.csv`: the log for spreadsheets (RFC 4180), UTF-8 with a byte order mark, since some programs guess
//! otherwise. No cell is ever a formula: one that begins like a formula gets an apostrophe in front (OWASP, "CSV
//! Injection"), and every cell is quoted.

use serde_json::{Map, Value};

/// The byte order mark and the line of names.
pub const BEGIN: &str = "\u{feff}\"number\",\"time\",\"actor kind\",\"actor\",\"action\",\"target\",\"outcome\",\
\"request\",\"address\",\"program\",\"caller's request id\",\"token\",\"changed\",\"details\",\"hash\"\r\n";

/// With what a cell begins that a spreadsheet might carry out. The wide ones are read as the narrow ones.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The line of an entry. `details` says whether its detail is shown.
pub fn line(out: &mut Vec<u8>, header: &Value, detail: &Map<String, Value>, details: &str, hash: &str) {
    let of = |pointer: &str| match header.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let known = |name: &str| match detail.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let cells = [
        of("/seq"),
        of("/at"),
        of("/actor/kind"),
        of("/actor/id"),
        of("/action"),
        of("/target"),
        of("/outcome"),
        of("/requestId"),
        known("ip"),
        known("userAgent"),
        known("callerRequestId"),
        known("jti"),
        known("changed"),
        details.to_owned(),
        hash.to_owned(),
    ];
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(quoted(cell).bytes());
    }
    out.extend(b"\r\n");
}

fn quoted(text: &str) -> String {
    // White space in front does not keep every program from reading a formula.
    let is_formula = text.starts_with(FORMULA) || text.trim_start().starts_with(FORMULA);
    let shield = if is_formula { "'" } else { "" };
    format!("\"{shield}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_out_of_its_quotes() {
        for (text, cell) in [
            ("plain", "\"plain\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("  =1", "\"'  =1\""),
            ("\r=1", "\"'\r=1\""),
            ("＝1", "\"'＝1\""),
            ("a\",=1", "\"a\"\",=1\""),
            ("\"=1", "\"\"\"=1\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text), cell);
        }
    }
}
