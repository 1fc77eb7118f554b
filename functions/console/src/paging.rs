//! Lists, page by page.

use axum::extract::rejection::{PathRejection, QueryRejection};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// Which page is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// The `next` of the page before; the first page, if left out.
    pub cursor: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub limit: Option<u16>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; nothing, if this is the last.
    pub next: Option<String>,
}

impl Paging {
    /// At most so many.
    ///
    /// # Errors
    /// If it is not from 1 to 100.
    pub fn most(&self) -> Result<u16, Problem> {
        match self.limit.unwrap_or(50) {
            most @ 1..=100 => Ok(most),
            _ => Err(Problem::bad_request("limit goes from 1 to 100")),
        }
    }

    /// Where the page before ended.
    ///
    /// # Errors
    /// If that is none of ours.
    pub fn after<C: DeserializeOwned>(&self) -> Result<Option<C>, Problem> {
        let Some(cursor) = self.cursor.as_deref() else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap_or_default();
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|_| Problem::bad_request("cursor is not the next of a page"))
    }
}

impl<T> Page<T> {
    /// A page whose last place is `ended`; the list's end, if there is none.
    pub fn ending(items: Vec<T>, ended: Option<&impl Serialize>) -> Self {
        let ended = ended.and_then(|ended| serde_json::to_vec(ended).ok());
        Self { items, next: ended.map(|ended| URL_SAFE_NO_PAD.encode(ended)) }
    }
}

impl From<QueryRejection> for Problem {
    fn from(why: QueryRejection) -> Self {
        Self::bad_request(why.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(why: PathRejection) -> Self {
        Self::bad_request(why.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_ends_with_is_where_the_next_begins() {
        let ended = ("a#b".to_owned(), 7);
        let page = Page::ending(vec![1], Some(&ended));
        let paging = Paging { cursor: page.next, limit: None };
        assert_eq!(paging.after::<(String, i32)>().unwrap(), Some(ended));
        let bad = Paging { cursor: Some("x".into()), limit: Some(0) };
        assert!(bad.after::<(String, i32)>().is_err() && bad.most().is_err());
    }
}
