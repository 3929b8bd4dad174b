//! `/customer/me`.

use super::bodies::{CustomerPatch, CustomerPut};
use super::operation::Operation;
use crate::customer::profile::CustomerView;
use crate::customer::status::StatusView;
use crate::edge::route::Route;
use crate::error::Code;

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::GetCustomer => Operation::new("Read the customer")
            .answers::<CustomerView<'_>>(200, "The customer.")
            .versioned(),
        Route::PutCustomer => Operation::new("Replace the customer's writable fields")
            .body::<CustomerPut>()
            .answers::<CustomerView<'_>>(200, "The customer after the change.")
            .problems(&[Code::FieldNotWritable])
            .versioned(),
        Route::PatchCustomer => Operation::new("Change the customer")
            .body::<CustomerPatch>()
            .answers::<CustomerView<'_>>(200, "The customer after the change.")
            .problems(&[Code::FieldNotWritable])
            .versioned(),
        Route::GetStatus => Operation::new("Read the customer's status")
            .answers::<StatusView<'_>>(200, "The status, since when, and why.")
            .versioned(),
        Route::GetCustomerAlias => Operation::new("Read the customer, as older dashboards do")
            .about("The same as GET `/customer/me`.")
            .answers::<CustomerView<'_>>(200, "The customer.")
            .versioned(),
        _ => return None,
    })
}
