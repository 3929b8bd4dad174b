//! Reading the audit log, the export, the erasure: for now no route of theirs.

use super::operation::Operation;
use crate::edge::route::Route;

pub(super) const fn describe(_: Route) -> Option<Operation> {
    None
}
