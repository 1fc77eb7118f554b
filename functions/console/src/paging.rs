//! Cursor-based pagination.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// The pagination parameters of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// The `next` of the previous page. Leave it out for the first page.
    pub cursor: Option<String>,
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub limit: Option<u16>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last page.
    pub next: Option<String>,
}

impl Paging {
    /// Returns the maximum number of items.
    ///
    /// # Errors
    /// If it is not from 1 to 100.
    pub fn page_size(&self) -> Result<u16, Problem> {
        match self.limit.unwrap_or(50) {
            limit @ 1..=100 => Ok(limit),
            _ => Err(Problem::bad_request("limit must be from 1 to 100")),
        }
    }

    /// Returns the position after which the page starts; `None` for the first page.
    ///
    /// # Errors
    /// If the cursor was not issued for this list.
    pub fn decode_cursor<C: DeserializeOwned>(&self) -> Result<Option<C>, Problem> {
        let Some(cursor) = self.cursor.as_deref() else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap_or_default();
        let decoded = serde_json::from_slice(&bytes);
        let detail = "cursor is invalid: send the next of the previous page of the same list";
        decoded.map(Some).map_err(|_| Problem::bad_request(detail))
    }
}

impl<T> Page<T> {
    /// Returns a page that ends at `last`; `None` means that no page follows.
    pub fn with_cursor(items: Vec<T>, last: Option<&impl Serialize>) -> Self {
        let last = last.and_then(|last| serde_json::to_vec(last).ok());
        Self { items, next: last.map(|last| URL_SAFE_NO_PAD.encode(last)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_cursor_decodes_to_the_end_of_the_page() {
        let last = ("a#b".to_owned(), 7);
        let page = Page::with_cursor(vec![1], Some(&last));
        let paging = Paging { cursor: page.next, limit: None };
        assert_eq!(paging.decode_cursor::<(String, i32)>().unwrap(), Some(last));
        let invalid = Paging { cursor: Some("x".into()), limit: Some(0) };
        assert!(invalid.decode_cursor::<(String, i32)>().is_err() && invalid.page_size().is_err());
    }
}
