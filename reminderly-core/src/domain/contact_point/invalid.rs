//! Why a text is no contact point.

/// Why a text is no contact point. Never carries the text: it is personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidContactPoint {
    /// No valid number of the named or default region.
    #[error("not a valid phone number")]
    Phone,
    /// The number has an extension, which a text message cannot reach.
    #[error("the phone number has an extension; give a direct number")]
    PhoneExtension,
    /// A spreadsheet has turned the number into scientific notation; its last digits are lost.
    #[error("a spreadsheet has rounded the phone number; format the column as text and export it again")]
    SpreadsheetNumber,
    /// A short code or an emergency number: these are not people.
    #[error("a short code or an emergency number, not a person's phone number")]
    ShortCode,
    /// A national number without a region to complete it.
    #[error("the phone number lacks its country code and no default region was named")]
    MissingRegion,
    /// The default region is no ISO 3166-1 alpha-2 code, or has no numbering plan.
    #[error("unknown region for phone numbers: expected an ISO 3166-1 alpha-2 code such as US")]
    UnknownRegion,
    /// No e-mail address, or one of a form that is not worth its risk (a display name, quotes, a literal IP address).
    #[error("not a valid e-mail address")]
    Email,
    /// The domain has characters outside ASCII.
    #[error("the domain of the e-mail address is not in ASCII; give its xn-- form")]
    UnicodeEmailDomain,
}

impl InvalidContactPoint {
    /// The stable name in reports and rejected rows.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Phone => "invalid_phone",
            Self::PhoneExtension => "phone_extension",
            Self::SpreadsheetNumber => "spreadsheet_number",
            Self::ShortCode => "short_code",
            Self::MissingRegion => "missing_region",
            Self::UnknownRegion => "unknown_region",
            Self::Email => "invalid_email",
            Self::UnicodeEmailDomain => "unicode_email_domain",
        }
    }
}
