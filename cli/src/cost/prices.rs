//! List prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// List prices in USD, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// The AWS region.
    pub region: String,
    /// The date of the prices.
    pub as_of: String,
    /// Where the prices are published.
    pub source: String,
    /// USD per call, unit, GB, GB-second or month, by name.
    pub usd: BTreeMap<String, f64>,
}

/// Error of overriding a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The text is not `name=usd`.
    #[error("'{0}' is not a price: write name=usd, such as write_unit=0.00000076")]
    Unreadable(String),
    /// There is no price with that name.
    #[error("no price '{0}': use one of {1}")]
    Unknown(String, String),
}

impl Prices {
    /// Returns the price with a name; NaN if there is none, so that a missing price is not counted as free.
    #[must_use]
    pub fn price(&self, name: &str) -> f64 {
        self.usd.get(name).copied().unwrap_or(f64::NAN)
    }

    /// Overrides a price. `given` is `name=usd`.
    ///
    /// # Errors
    /// If the text cannot be parsed, or there is no price with that name.
    pub fn set(&mut self, given: &str) -> Result<(), PriceError> {
        let unreadable = || PriceError::Unreadable(given.to_owned());
        let (name, usd) = given.split_once('=').ok_or_else(unreadable)?;
        let usd: f64 = usd.trim().parse().map_err(|_| unreadable())?;
        if !usd.is_finite() || usd < 0.0 {
            return Err(unreadable());
        }
        let known = || self.usd.keys().cloned().collect::<Vec<_>>().join(", ");
        if !self.usd.contains_key(name.trim()) {
            return Err(PriceError::Unknown(name.to_owned(), known()));
        }
        self.usd.insert(name.trim().to_owned(), usd);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_prices_by_name() {
        let mut prices: Prices = serde_json::from_str(super::super::PRICES).unwrap();
        assert_eq!(prices.set("read_unit = 0.5"), Ok(()));
        assert!((prices.price("read_unit") - 0.5).abs() < f64::EPSILON);
        for bad in ["read_unit", "read_unit=x", "read_unit=-1", "read_unit=NaN"] {
            assert_eq!(prices.set(bad), Err(PriceError::Unreadable(bad.into())));
        }
        assert!(matches!(prices.set("reads=1"), Err(PriceError::Unknown(..))));
    }
}
