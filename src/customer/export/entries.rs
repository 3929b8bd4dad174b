//! Entries of the log as the export reads them: many in one text, a line each. A row each would cost the platform's
//! heap an array, a string and two buffers an entry, and of a long log that garbage is more than all else together.

use crate::error::{Error, Result};
use crate::sql::Sql;

/// Most entries that are read at once. The platform keeps something of each statement, of each piece handed over too,
/// until its heap has grown by tens of megabytes, so the fewer the better.
const CHUNK_ENTRIES: i64 = 256;
/// From this size on no further entry is read with those before it, in bytes of their headers and details; an entry
/// has at most some 70 KB, and most have less than one.
const CHUNK_BYTES: i64 = 256 * 1024;

/// An entry as it is stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// Its number.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Its detail, sealed; None once it is no longer kept.
    pub detail: Option<Vec<u8>>,
    /// Its header, which as JSON holds no line break.
    pub header: &'a str,
}

/// The lines of the entries after `after`, up to `until`; empty where there are none.
///
/// # Errors
/// `internal_error` if the engine fails.
pub fn read(sql: &dyn Sql, after: i64, until: i64) -> Result<String> {
    let rows = sql.exec(
        "SELECT group_concat(line, char(10)) FROM (SELECT seq || ' ' || hex(hash) || ' ' || \
         coalesce(hex(detail), '-') || ' ' || header AS line FROM audit WHERE seq > ?1 AND seq <= \
         (SELECT max(seq) FROM (SELECT seq, sum(octet_length(header) + coalesce(octet_length(detail), 0)) OVER \
         (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM \
         (SELECT seq, header, detail FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)) \
         WHERE coalesce(before, 0) < ?4) ORDER BY seq)",
        &[after.into(), until.into(), CHUNK_ENTRIES.into(), CHUNK_BYTES.into()],
    )?;
    let text = rows.first().map(|row| row.text_or_null(0)).transpose()?;
    Ok(text.flatten().unwrap_or_default().to_owned())
}

/// The entry of a line.
///
/// # Errors
/// `internal_error` if it is none.
pub fn parse(line: &str) -> Result<Stored<'_>> {
    let unreadable = || Error::fault("an audit entry is unreadable");
    let mut parts = line.splitn(4, ' ');
    let mut part = || parts.next().ok_or_else(unreadable);
    let (seq, hash, detail, header) = (part()?, part()?, part()?, part()?);
    let detail = match detail {
        "-" => None,
        digits => Some(unhex(digits).ok_or_else(unreadable)?),
    };
    let hash = unhex(hash).and_then(|hash| hash.try_into().ok());
    Ok(Stored {
        seq: seq.parse().map_err(|_| unreadable())?,
        hash: hash.ok_or_else(unreadable)?,
        detail,
        header,
    })
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'A'..=b'F' => byte.checked_sub(b'A').map(|digit| digit.saturating_add(10)),
        _ => None,
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    bytes.collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_or_refused_whole() {
        let hash = "0F".repeat(32);
        let line = format!("7 {hash} 00FF {{\"a\": \"b c\"}}");
        let stored = parse(&line).unwrap();
        assert_eq!(
            stored,
            Stored {
                seq: 7,
                hash: [15; 32],
                detail: Some(vec![0, 255]),
                header: "{\"a\": \"b c\"}",
            }
        );
        assert_eq!(parse(&format!("7 {hash} - {{}}")).unwrap().detail, None);
        for wrong in [
            String::new(),
            format!("7 {hash} -"),
            format!("x {hash} - {{}}"),
            format!("7 {hash}00 - {{}}"),
            format!("7 {hash} 0 {{}}"),
            format!("7 {hash} 0G {{}}"),
            format!("7 {hash} 0f {{}}"),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }
}
