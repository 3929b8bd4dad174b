//! RFC 8785 (JSON Canonicalization Scheme), written again from the RFC, so that the code under test is
//! not its own judge.

use serde_json::Value;

/// The canonical text of a value.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => ecmascript(number.as_f64().unwrap()),
        Value::String(text) => string(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            // Section 3.2.3: by UTF-16 code units.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let entries: Vec<_> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", string(key), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

/// Section 3.2.2.2.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// Section 3.2.2.3: ECMA-262, Number::toString with radix 10. Its k, n and s are the names here.
fn ecmascript(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let shortest = format!("{:e}", number.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap();
    let s = mantissa.replace('.', "");
    let k = i32::try_from(s.len()).unwrap();
    let n = exponent.parse::<i32>().unwrap() + 1;
    let text = if k <= n && n <= 21 {
        format!("{s}{}", "0".repeat((n - k) as usize))
    } else if 0 < n && n <= 21 {
        let (whole, fraction) = s.split_at(n as usize);
        format!("{whole}.{fraction}")
    } else if -6 < n && n <= 0 {
        format!("0.{}{s}", "0".repeat(-n as usize))
    } else {
        let power = format!("e{}{}", if n > 0 { '+' } else { '-' }, (n - 1).abs());
        if k == 1 {
            format!("{s}{power}")
        } else {
            let (first, rest) = s.split_at(1);
            format!("{first}.{rest}{power}")
        }
    };
    format!("{sign}{text}")
}

#[test]
fn the_numbers_of_rfc_8785_appendix_b() {
    for (bits, text) in [
        (0x0000_0000_0000_0000_u64, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
    ] {
        assert_eq!(ecmascript(f64::from_bits(bits)), text);
    }
}
