//! The container of an export: a ZIP (APPNOTE.TXT 6.3) of which every byte outside the files follows from the files.
//! It is written without seeking; a check builds those bytes again and compares, so that nothing in it is free.
//!
//! Each file is stored without compression and followed by its data descriptor (general purpose bit 3). Files that
//! may pass 4 GiB have descriptors of 64-bit sizes and a ZIP64 field; the central directory has such fields only
//! where they are needed, as ordinary tools write it.

use super::{Fault, Place, Result};
use crc::{CRC_32_ISO_HDLC, Crc, Digest, Table};
use std::fmt;
use std::sync::LazyLock;

/// A file of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name: ASCII, no folder.
    pub name: &'static str,
    /// Whether it may pass 4 GiB.
    pub is_large: bool,
}

/// A file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Which.
    pub member: Member,
    /// CRC-32 of its bytes.
    pub crc: u32,
    /// How many there are.
    pub bytes: u64,
}

/// A moment as MS-DOS writes it: time, date.
pub type Stamp = (u16, u16);

const STORED: u16 = 0;
/// Data descriptor (bit 3), name in UTF-8 (bit 11).
const FLAGS: u16 = 0x0808;
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;
/// Made on Unix, by version 4.5.
const MADE_BY: u16 = 0x032d;
/// A regular file that its owner may write and everybody may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;
const NONE_32: u32 = u32::MAX;
/// Bytes of the end record, which comes last.
const END_BYTES: u64 = 22;
/// Most bytes behind the files: ten names and their records.
const MAX_TAIL_BYTES: u64 = 4096;

/// The moment of an RFC 3339 text in UTC, with the two seconds of exactness that the format has.
#[must_use]
pub fn stamp(at: &str) -> Stamp {
    let part = |from: usize, to: usize| at.get(from..to).and_then(|text| text.parse::<u16>().ok());
    let part = |from, to| part(from, to).unwrap_or(0);
    let year = part(0, 4).saturating_sub(1980).min(127);
    let date = (year << 9) | (part(5, 7) << 5) | part(8, 10);
    let time = (part(11, 13) << 11) | (part(14, 16) << 5) | (part(17, 19) >> 1);
    (time, date)
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn text(mut self, value: &[u8]) -> Self {
        self.0.extend(value);
        self
    }
}

const fn length(name: &str) -> u16 {
    // Names are ours and short.
    name.len() as u16
}

/// What stands in front of a file (section 4.3.7).
#[must_use]
pub fn local_header(member: Member, stamp: Stamp) -> Vec<u8> {
    let (version, size, extra) = if member.is_large {
        (VERSION_ZIP64, NONE_32, 20)
    } else {
        (VERSION, 0, 0)
    };
    let header = Bytes::default()
        .u32(0x0403_4b50)
        .u16(version)
        .u16(FLAGS)
        .u16(STORED);
    let header = header.u16(stamp.0).u16(stamp.1).u32(0).u32(size).u32(size);
    let header = header
        .u16(length(member.name))
        .u16(extra)
        .text(member.name.as_bytes());
    if member.is_large {
        header.u16(1).u16(16).u64(0).u64(0).0
    } else {
        header.0
    }
}

/// What stands behind a file (section 4.3.9).
#[must_use]
pub fn descriptor(file: &Written) -> Vec<u8> {
    let descriptor = Bytes::default().u32(0x0807_4b50).u32(file.crc);
    if file.member.is_large {
        descriptor.u64(file.bytes).u64(file.bytes).0
    } else {
        descriptor.u32(small(file.bytes)).u32(small(file.bytes)).0
    }
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(NONE_32)
}

/// How many bytes a file takes with its header and descriptor.
fn span(file: &Written) -> u64 {
    let around = local_header(file.member, (0, 0))
        .len()
        .saturating_add(descriptor(file).len());
    file.bytes.saturating_add(around as u64)
}

/// What stands behind all files: the central directory and the end records (sections 4.3.12 to 4.3.16).
#[must_use]
pub fn tail(files: &[Written], stamp: Stamp) -> Vec<u8> {
    let mut all = Bytes::default();
    let mut offset = 0_u64;
    for file in files {
        let mut extra = Bytes::default();
        if file.bytes >= u64::from(NONE_32) {
            extra = extra.u64(file.bytes).u64(file.bytes);
        }
        if offset >= u64::from(NONE_32) {
            extra = extra.u64(offset);
        }
        let extra = if extra.0.is_empty() {
            extra
        } else {
            Bytes::default().u16(1).u16(extra.0.len() as u16).text(&extra.0)
        };
        let version = if file.member.is_large || !extra.0.is_empty() {
            VERSION_ZIP64
        } else {
            VERSION
        };
        all = all
            .u32(0x0201_4b50)
            .u16(MADE_BY)
            .u16(version)
            .u16(FLAGS)
            .u16(STORED);
        all = all.u16(stamp.0).u16(stamp.1).u32(file.crc);
        all = all.u32(small(file.bytes)).u32(small(file.bytes));
        all = all.u16(length(file.member.name)).u16(extra.0.len() as u16);
        all = all.u16(0).u16(0).u16(0).u32(ATTRIBUTES).u32(small(offset));
        all = all.text(file.member.name.as_bytes()).text(&extra.0);
        offset = offset.saturating_add(span(file));
    }
    let (count, size) = (files.len() as u64, all.0.len() as u64);
    if offset >= u64::from(NONE_32) {
        let at = offset.saturating_add(size);
        all = all
            .u32(0x0606_4b50)
            .u64(44)
            .u16(MADE_BY)
            .u16(VERSION_ZIP64)
            .u32(0)
            .u32(0);
        all = all.u64(count).u64(count).u64(size).u64(offset);
        all = all.u32(0x0706_4b50).u32(0).u64(at).u32(1);
    }
    let count = count as u16;
    all = all.u32(0x0605_4b50).u16(0).u16(0).u16(count).u16(count);
    all.u32(small(size)).u32(small(offset)).u16(0).0
}

/// Bytes that can be read from any place.
pub trait Source {
    /// How many there are.
    fn length(&self) -> u64;

    /// Fills `out` with those from `offset` on.
    ///
    /// # Errors
    /// A sentence, if they cannot be had.
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> std::result::Result<(), String>;
}

impl Source for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> std::result::Result<(), String> {
        let from = usize::try_from(offset).ok();
        let bytes = from.and_then(|from| self.get(from..from.checked_add(out.len())?));
        out.copy_from_slice(bytes.ok_or("it ends too early")?);
        Ok(())
    }
}

fn fault(what: impl Into<String>) -> Fault {
    Fault::new(Place::Archive, what)
}

/// Reads bytes that must be there.
///
/// # Errors
/// That they are not.
pub fn read(source: &mut dyn Source, offset: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| fault("a size is absurd"))?];
    source.read_at(offset, &mut bytes).map_err(fault)?;
    Ok(bytes)
}

/// The sizes and checksums that the central directory gives for exactly these files, and the moment that it gives
/// for the first. Only hints: [`frame`] judges them.
///
/// # Errors
/// What is wrong with the container.
pub fn directory(source: &mut dyn Source, members: &[Member]) -> Result<(Vec<Written>, Stamp)> {
    let total = source.length();
    let from = total.saturating_sub(MAX_TAIL_BYTES);
    let end = total
        .checked_sub(END_BYTES)
        .ok_or_else(|| fault("it is too short for a ZIP"))?;
    let bytes = read(source, from, total.saturating_sub(from))?;
    let at = |offset: u64| usize::try_from(offset.checked_sub(from)?).ok();
    let take = |offset: u64, count: usize| -> Option<u64> {
        let start = at(offset)?;
        let part = bytes.get(start..start.checked_add(count)?)?;
        let mut word = [0; 8];
        word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        Some(u64::from_le_bytes(word))
    };
    let size = take(end.saturating_add(12), 4);
    let zip64 = take(end.saturating_add(16), 4) == Some(u64::from(NONE_32));
    let records = if zip64 { 76 } else { 0 };
    let mut place = size
        .and_then(|size| end.checked_sub(size)?.checked_sub(records))
        .ok_or_else(|| fault("it does not end as our ZIPs do"))?;
    let stamp = (
        take(place.saturating_add(12), 2),
        take(place.saturating_add(14), 2),
    );
    let mut files = Vec::new();
    for &member in members {
        let parsed = || -> Option<(Written, u64)> {
            let crc = u32::try_from(take(place.checked_add(16)?, 4)?).ok()?;
            let mut bytes = take(place.checked_add(24)?, 4)?;
            let (name, extra) = (take(place.checked_add(28)?, 2)?, take(place.checked_add(30)?, 2)?);
            let behind = place.checked_add(46)?.checked_add(name)?;
            if bytes == u64::from(NONE_32) {
                bytes = take(behind.checked_add(4)?, 8)?;
            }
            Some((Written { member, crc, bytes }, behind.checked_add(extra)?))
        };
        let (file, next) = parsed().ok_or_else(|| fault("its directory is no list of our files"))?;
        files.push(file);
        place = next;
    }
    let part = |part: Option<u64>| part.and_then(|part| u16::try_from(part).ok()).unwrap_or(0);
    Ok((files, (part(stamp.0), part(stamp.1))))
}

/// Where each file begins, once every byte that is of no file has been found to be the one that it must be.
///
/// # Errors
/// Where the container differs from what the files demand.
pub fn frame(source: &mut dyn Source, files: &[Written], stamp: Stamp) -> Result<Vec<u64>> {
    let mut offset = 0_u64;
    let mut begins = Vec::new();
    for file in files {
        let header = local_header(file.member, stamp);
        let name = file.member.name;
        same(
            source,
            offset,
            &header,
            &format!("the header of {name} is not the expected one"),
        )?;
        let begin = offset.saturating_add(header.len() as u64);
        let end = begin.saturating_add(file.bytes);
        let told = format!("what follows {name} is not the expected descriptor");
        same(source, end, &descriptor(file), &told)?;
        begins.push(begin);
        offset = offset.saturating_add(span(file));
    }
    let tail = tail(files, stamp);
    if source.length() != offset.saturating_add(tail.len() as u64) {
        return Err(fault("it is longer or shorter than its files demand"));
    }
    same(source, offset, &tail, "its directory is not the expected one")?;
    Ok(begins)
}

fn same(source: &mut dyn Source, offset: u64, wanted: &[u8], told: &str) -> Result<()> {
    let found = read(source, offset, wanted.len() as u64)?;
    if found == wanted { Ok(()) } else { Err(fault(told)) }
}

/// Reads 16 bytes at a time, by 16 kB of tables, which are made when the first file begins: in the module they would be
/// 16 kB that do not compress.
static CRC: LazyLock<Crc<u32, Table<16>>> = LazyLock::new(|| Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC));

/// CRC-32 and size of a file as its bytes come by.
#[derive(Clone)]
pub struct Sum {
    crc: Digest<'static, u32, Table<16>>,
    /// Bytes so far.
    pub bytes: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            crc: CRC.digest(),
            bytes: 0,
        }
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sum")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Sum {
    /// Counts these bytes in.
    pub fn add(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    /// What was written of the file.
    #[must_use]
    pub fn written(&self, member: Member) -> Written {
        Written {
            member,
            crc: self.crc.clone().finalize(),
            bytes: self.bytes,
        }
    }
}
