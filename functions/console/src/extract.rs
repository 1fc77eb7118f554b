//! Paths, queries and bodies, whose faults are problems of ours.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts};

use crate::problem::Problem;

/// A path's parts.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);

/// A query.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub struct Query<T>(pub T);

/// A body.
#[derive(Debug, Clone, Copy, FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub struct Json<T>(pub T);

impl From<JsonRejection> for Problem {
    fn from(why: JsonRejection) -> Self {
        Self::bad_request(why.body_text())
    }
}
