//! Money: whole minor units with a currency. Two currencies never meet.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An ISO 4217 code: three capitals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency of three ASCII capitals; `None` for anything else.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Digits behind the point (ISO 4217).
    #[must_use]
    pub fn digits(self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" | b"CLP" | b"ISK" | b"XAF" | b"XOF" => 0,
            b"BHD" | b"KWD" | b"OMR" | b"JOD" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (fen, cents).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    /// From major units; `None` if it has more digits than the currency or does not fit.
    #[must_use]
    pub fn from_major(amount: Decimal, currency: Currency) -> Option<Self> {
        let minor = amount.checked_mul(Decimal::from(10_i64.checked_pow(currency.digits())?))?;
        if !minor.fract().is_zero() {
            return None;
        }
        Some(Self { minor: i64::try_from(minor).ok()?, currency })
    }

    /// The amount in major units.
    #[must_use]
    pub fn major(self) -> Decimal {
        Decimal::new(self.minor, self.currency.digits())
    }

    /// `self * factor`, rounded half-even at the minor unit; `None` on overflow.
    #[must_use]
    pub fn times(self, factor: Decimal) -> Option<Self> {
        let exact = Decimal::from(self.minor).checked_mul(factor)?;
        let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        Some(Self { minor: i64::try_from(rounded).ok()?, ..self })
    }
}

impl fmt::Display for Money {
    /// `50000.00 CNY`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major(), self.currency)
    }
}
