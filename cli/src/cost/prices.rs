//! List prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// List prices in USD, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// Where they hold.
    pub region: String,
    /// When they were read.
    pub as_of: String,
    /// Whence they are.
    pub source: String,
    /// In USD a piece, a GB, a GB-second or a month.
    pub usd: BTreeMap<String, f64>,
}

/// Why a price is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPrice {
    /// It is not `name=value`.
    #[error("'{0}' is not a price: write name=usd, such as write_unit=0.00000076")]
    Unreadable(String),
    /// There is none of that name.
    #[error("there is no price '{0}': there are {1}")]
    Unknown(String, String),
}

impl Prices {
    /// The price of that name; nothing is free of charge by mistake, as [`Prices::set`] knows the names.
    #[must_use]
    pub fn of(&self, name: &str) -> f64 {
        self.usd.get(name).copied().unwrap_or(f64::NAN)
    }

    /// Sets a price given as `name=usd`.
    ///
    /// # Errors
    /// If it cannot be read, or there is none of that name.
    pub fn set(&mut self, given: &str) -> Result<(), BadPrice> {
        let unreadable = || BadPrice::Unreadable(given.to_owned());
        let (name, usd) = given.split_once('=').ok_or_else(unreadable)?;
        let usd: f64 = usd.trim().parse().map_err(|_| unreadable())?;
        if !usd.is_finite() || usd < 0.0 {
            return Err(unreadable());
        }
        let known = || self.usd.keys().cloned().collect::<Vec<_>>().join(", ");
        if !self.usd.contains_key(name.trim()) {
            return Err(BadPrice::Unknown(name.to_owned(), known()));
        }
        self.usd.insert(name.trim().to_owned(), usd);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_set_by_name() {
        let mut prices: Prices = serde_json::from_str(super::super::PRICES).unwrap();
        assert_eq!(prices.set("read_unit = 0.5"), Ok(()));
        assert!((prices.of("read_unit") - 0.5).abs() < f64::EPSILON);
        for bad in ["read_unit", "read_unit=x", "read_unit=-1", "read_unit=NaN"] {
            assert_eq!(prices.set(bad), Err(BadPrice::Unreadable(bad.into())));
        }
        assert!(matches!(prices.set("reads=1"), Err(BadPrice::Unknown(..))));
    }
}
