//! Reading settings one by one while collecting every fault, so that an operator mends them all at once.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

/// One wrong or missing setting. It names the setting and what is wrong, and never holds any of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// The setting's name, as in [`super::SETTINGS`].
    pub name: &'static str,
    /// What is wrong, in words fit for a log.
    pub detail: Cow<'static, str>,
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.detail)
    }
}

/// The result of reading the form of one value: what is wrong, as the end of a sentence about the setting.
pub type Form<T> = Result<T, Cow<'static, str>>;

/// The environment, and the faults found in it so far.
pub struct Reader<F> {
    read: F,
    faults: Vec<SettingFault>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub fn new(read: F) -> Self {
        Self {
            read,
            faults: Vec::new(),
        }
    }

    /// All faults, in the order of reading.
    pub fn into_faults(self) -> Vec<SettingFault> {
        self.faults
    }

    /// True where any setting read so far is wrong.
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    pub fn fault(&mut self, name: &'static str, detail: impl Into<Cow<'static, str>>) {
        self.faults.push(SettingFault {
            name,
            detail: detail.into(),
        });
    }

    /// The text of a setting; one that is empty or blank counts as absent, because an emptied line in a
    /// settings file is how people switch a setting off.
    pub fn text(&self, name: &'static str) -> Option<String> {
        (self.read)(name).filter(|text| !text.trim().is_empty())
    }

    /// An optional setting of some form; None where it is absent or faulty.
    pub fn optional<T>(&mut self, name: &'static str, form: impl FnOnce(&str) -> Form<T>) -> Option<T> {
        let text = self.text(name)?;
        form(&text).map_err(|detail| self.fault(name, detail)).ok()
    }

    /// A setting that must be there.
    pub fn required<T>(&mut self, name: &'static str, form: impl FnOnce(&str) -> Form<T>) -> Option<T> {
        if self.text(name).is_none() {
            self.fault(name, "is required and absent");
        }
        self.optional(name, form)
    }

    /// A decimal integer within bounds.
    pub fn integer(&mut self, name: &'static str, bounds: RangeInclusive<u32>, default: u32) -> u32 {
        let value = self.optional(name, |text| {
            let number = text
                .trim()
                .parse::<u32>()
                .ok()
                .filter(|number| bounds.contains(number));
            number.ok_or_else(|| {
                format!(
                    "must be a decimal integer from {} to {}",
                    bounds.start(),
                    bounds.end()
                )
                .into()
            })
        });
        value.unwrap_or(default)
    }
}

/// The items of a comma list, trimmed, each read by `form`; at most `most`, none twice. A fault tells the
/// position (from 1), since the value itself must not be told.
pub fn list<T: PartialEq>(text: &str, most: usize, mut form: impl FnMut(&str) -> Form<T>) -> Form<Vec<T>> {
    let mut items = Vec::new();
    for (index, part) in text.split(',').enumerate() {
        let position = index.saturating_add(1);
        if position > most {
            return Err(format!("holds more than {most} entries").into());
        }
        let item = form(part.trim()).map_err(|detail| Cow::from(format!("entry {position} {detail}")))?;
        if items.contains(&item) {
            return Err(format!("entry {position} repeats an earlier one").into());
        }
        items.push(item);
    }
    Ok(items)
}
