//! The pages of links that do not lead to a file.

use http::StatusCode;

/// A page in place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The link is not signed by this stack.
    Denied,
    /// The address does not belong to a file.
    NotFound,
    /// The link has expired, or the file failed or was erased.
    Gone,
    /// The file is still being fetched.
    Pending,
    /// The table or the bucket does not answer.
    Unavailable,
}

impl Page {
    /// Returns the HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Denied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::Pending | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns after how many seconds the link can be opened again. `None`: it never can.
    #[must_use]
    pub fn retry_after(self) -> Option<u16> {
        match self {
            Self::Pending | Self::Unavailable => Some(10),
            Self::Denied | Self::NotFound | Self::Gone => None,
        }
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Denied => (
                "This link is not complete",
                "Open the link from the message again, and copy all of it.",
            ),
            Self::NotFound => ("There is no such page", "Open the link from the message again."),
            Self::Gone => {
                ("This file is no longer available", "Ask the person who sent it to send it again.")
            }
            Self::Pending => ("This file is on its way", "Open the link again in a few seconds."),
            Self::Unavailable => (
                "This file cannot be opened at the moment",
                "Open the link again in a few seconds.",
            ),
        }
    }

    /// Returns the page as HTML.
    #[must_use]
    pub fn html(self) -> String {
        let (title, advice) = self.text();
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><h1>{title}</h1><p>{advice}</p></html>\n"
        )
    }
}
