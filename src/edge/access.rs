//! Who may call what: for every operation and every kind of caller what comes of it. `docs/ACCESS.md` is made from
//! this table and the end-to-end tests try every cell of it. An operation without its row does not compile.

use crate::edge::route::Route;
use crate::error::Code;

/// A kind of caller, as far as that decides what it may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Without a credential.
    Nobody,
    /// The owner of a customer.
    Owner,
    /// A user of the customer that is not its owner.
    Member,
    /// The owner of another customer, who would act on this one.
    Stranger,
    /// The owner of a customer that is suspended.
    Suspended,
    /// An API key of the customer, with every scope.
    Integration,
    /// An API key of the customer, without any scope that helps.
    Unscoped,
    /// A super-admin whose token names a customer of its own.
    Admin,
    /// A service, by its key or by its token.
    Service,
    /// A credential of a kind that may call it, but expired.
    Expired,
    /// A credential of a kind that may call it, but revoked.
    Revoked,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Nobody,
        Self::Owner,
        Self::Member,
        Self::Stranger,
        Self::Suspended,
        Self::Integration,
        Self::Unscoped,
        Self::Admin,
        Self::Service,
        Self::Expired,
        Self::Revoked,
    ];

    /// What the documentation calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::Owner => "owner",
            Self::Member => "other user",
            Self::Stranger => "user of another customer",
            Self::Suspended => "suspended owner",
            Self::Integration => "API key",
            Self::Unscoped => "API key without the scope",
            Self::Admin => "admin",
            Self::Service => "service",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// What comes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is carried out.
    Served,
    /// It is carried out on the caller's own customer; that of somebody else it can neither name nor reach.
    OwnOnly,
    /// It is refused, before anything is looked at that it asks for.
    Refused(Code),
}

/// What an operation demands of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing; a credential is not looked at.
    Anyone,
    /// A user, or an API key with the scope; reading, which every status but `erased` allows.
    ReadByCustomer,
    /// The same, but changing something.
    WriteByCustomer,
    /// An API key with the scope.
    Integration,
    /// A user; reading, or what is as harmless.
    ReadByUser,
    /// A user, changing something.
    WriteByUser,
    /// The customer's owner, reading.
    ReadByOwner,
    /// The customer's owner, changing something.
    WriteByOwner,
    /// An administrator.
    Admin,
    /// A service.
    Service,
}

impl Route {
    /// What this operation demands of its caller.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::GetCustomer
            | Self::GetStatus
            | Self::GetUsage
            | Self::ListAudit
            | Self::GetAuditHead
            | Self::GetAuditEntry => Rule::ReadByCustomer,
            Self::PutCustomer | Self::PatchCustomer => Rule::WriteByCustomer,
            Self::ConsumeLimits | Self::ReleaseLease => Rule::Integration,
            Self::ListKeys
            | Self::GetKey
            | Self::GetLimits
            // Every status but `erased` allows it, like reading.
            | Self::ExportCustomer
            | Self::GetErasure
            | Self::RequestErasure
            | Self::WithdrawErasure => Rule::ReadByOwner,
            Self::CreateKey | Self::PatchKey | Self::RevokeKey | Self::RotateKey | Self::PutLimits => {
                Rule::WriteByOwner
            }
            Self::RevokeTokens
            | Self::GetCustomerAlias
            | Self::GetSession
            | Self::GetUser
            | Self::GetPreferences => Rule::ReadByUser,
            Self::PutUser | Self::PatchUser | Self::PutPreferences | Self::PatchPreferences => {
                Rule::WriteByUser
            }
            Self::PutStatus
            | Self::AdminGetCustomer
            | Self::AdminPutCustomer
            | Self::AdminPatchCustomer
            | Self::AdminPutStatus
            | Self::AdminSuspend
            | Self::AdminActivate
            | Self::AdminRevokeTokens
            | Self::AdminGetLimits
            | Self::AdminPutLimits
            | Self::AdminGetUsage
            | Self::AdminListAudit
            | Self::AdminGetAuditHead
            | Self::AdminExport
            | Self::AdminGetErasure
            | Self::AdminRequestErasure
            | Self::AdminWithdrawErasure
            | Self::ListCustomers
            | Self::CreateCustomer
            | Self::GetOperatorLog => Rule::Admin,
            Self::EnsureCustomer | Self::ServicePutEmail | Self::ImportRecords | Self::Rewrap | Self::ServiceRevokeTokens => {
                Rule::Service
            }
            Self::Health
            | Self::Ready
            | Self::Problem
            | Self::ResourceMetadata
            | Self::SigningKeys
            | Self::OpenApi
            | Self::Docs
            | Self::DocsStyle
            | Self::Dashboard
            | Self::DashboardFile => Rule::Anyone,
        }
    }

    /// What comes of it when that kind of caller calls it.
    #[must_use]
    pub const fn access(self, kind: Kind) -> Access {
        self.rule().access(kind)
    }
}

impl Rule {
    const fn access(self, kind: Kind) -> Access {
        use Access::{OwnOnly, Refused, Served};
        match (self, kind) {
            (Self::Anyone, _) => Served,
            (_, Kind::Nobody) => Refused(Code::AuthenticationRequired),
            (Self::Integration, Kind::Expired) => Refused(Code::InvalidApiKey),
            (_, Kind::Expired) => Refused(Code::TokenExpired),
            (_, Kind::Revoked) => Refused(Code::TokenRevoked),
            (Self::Admin, Kind::Admin)
            | (Self::Service, Kind::Service)
            | (Self::Integration | Self::ReadByCustomer | Self::WriteByCustomer, Kind::Integration) => Served,
            (Self::Integration | Self::ReadByCustomer | Self::WriteByCustomer, Kind::Unscoped) => {
                Refused(Code::InsufficientScope)
            }
            (Self::Admin | Self::Service | Self::Integration, _)
            | (_, Kind::Integration | Kind::Unscoped | Kind::Service)
            | (Self::ReadByOwner | Self::WriteByOwner, Kind::Member) => Refused(Code::Forbidden),
            (Self::WriteByCustomer | Self::WriteByUser | Self::WriteByOwner, Kind::Suspended) => {
                Refused(Code::CustomerSuspended)
            }
            (_, Kind::Stranger | Kind::Admin) => OwnOnly,
            (_, Kind::Owner | Kind::Member | Kind::Suspended) => Served,
        }
    }
}
