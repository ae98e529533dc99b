//! What is given: budgets, rewards, points and lotteries. Always live, like channels: a budget that runs dry is dry
//! for everybody, whatever version they stand in.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::entry::Schedule;
use crate::expr::Expr;
use crate::name::Name;
use crate::value::{Length, Money};

/// Everything that can be given, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Values {
    pub budgets: BTreeMap<Name, Budget>,
    pub rewards: BTreeMap<Name, Reward>,
    pub points: BTreeMap<Name, Points>,
    pub lotteries: BTreeMap<Name, Lottery>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub referrals: BTreeMap<Name, Referral>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    pub label: Option<Arc<str>>,
    pub total: Money,
    pub owner: Arc<str>,
    /// The share of the total at which the owner is told, as a fraction.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub alert: Option<Decimal>,
}

/// When something may be had. Days and hours are those of the bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Opening {
    /// First and last day, both whole.
    Days(Date, Date),
    /// Opens whenever the schedule occurs and closes at `until` of the same day.
    Every { schedule: Schedule, until: Time },
}

impl Opening {
    /// The last day on which it is open; `None` where there is no last.
    #[must_use]
    pub fn last(&self) -> Option<Date> {
        match self {
            Self::Days(_, last) => Some(*last),
            Self::Every { schedule, .. } => schedule.during.map(|(_, last)| last),
        }
    }
}

/// The stretch over which a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    Ever,
    Day,
    /// Monday to Sunday.
    Week,
    Month,
    Year,
    /// The opening that is going on.
    Opening,
    /// So many whole days, today included.
    Rolling(u16),
}

/// At most `most` in each period: minor units where it is of money, else pieces (of points: points).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub most: i64,
    /// It counts amounts, not pieces.
    pub of_amount: bool,
    pub period: Period,
    /// What is left is given, even if it is less than asked.
    pub partial: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reward {
    pub label: Option<Arc<str>>,
    /// `coupon`, `gift`, `cashback`, `right` or `discount`.
    pub kind: Name,
    /// What one of it is worth; without a value the step says the amount.
    pub value: Option<Money>,
    pub open: Option<Opening>,
    /// Of all customers together.
    pub stock: Option<Limit>,
    /// Of each customer.
    pub limits: Vec<Limit>,
    /// How long it stays valid.
    pub keep: Option<Length>,
    pub budget: Option<Name>,
    /// The task that hands it over, and by when.
    pub fulfil: Option<(Name, Length)>,
    /// Where it may be used: over the merchant's fields.
    pub merchant: Option<Expr>,
    /// Whose codes come with it, each from a file: as many as were imported can be given.
    #[serde(default)]
    pub codes: Option<Arc<str>>,
    /// The journeys that give it; none: any.
    #[serde(default)]
    pub only: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Points {
    pub label: Option<Arc<str>>,
    pub subject: Name,
    pub keep: Option<Length>,
    /// What one of them is worth, exactly: often less than the smallest coin.
    pub worth: Option<Worth>,
    pub limits: Vec<Limit>,
    pub budget: Option<Name>,
}

/// An amount of major units that need not be a whole number of the smallest coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    pub currency: crate::value::Currency,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lottery {
    pub label: Option<Arc<str>>,
    pub subject: Name,
    pub open: Option<Opening>,
    /// How long a chance stays valid.
    pub keep: Option<Length>,
    /// Chances of each customer.
    pub limits: Vec<Limit>,
    /// The published rules, a file of the project.
    pub rules: Option<Arc<str>>,
    /// In the order written; their odds together are at most one.
    pub prizes: Vec<Prize>,
    pub budget: Option<Name>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prize {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub value: Option<Money>,
    /// How many there are.
    pub count: Option<i64>,
    /// `1 in 2_000`
    pub odds: (u32, u32),
    pub gives: Option<Name>,
    /// `withheld` or `paid`: who bears the tax.
    pub tax: Option<Name>,
}

/// Who may bring whom. What both get stands in the program of its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Referral {
    pub label: Option<Arc<str>>,
    pub subject: Name,
    pub open: Option<Opening>,
    /// Whether the last link counts, not the first.
    pub is_last: bool,
    /// How long a link is good for.
    pub keep: Length,
    /// Of each inviter.
    pub limits: Vec<Limit>,
    /// `self`, `cycle`, `same_device`, …
    pub refuse: Vec<Name>,
}

impl Reward {
    /// Whether a customer may find none left.
    #[must_use]
    pub fn runs_out(&self) -> bool {
        self.stock.is_some() || self.codes.is_some()
    }

    /// Whether this journey may give it and speak of it.
    #[must_use]
    pub fn is_given_by(&self, journey: Name) -> bool {
        self.only.is_empty() || self.only.contains(&journey)
    }
}

impl Referral {
    #[must_use]
    pub fn refuses(&self, whom: &str) -> bool {
        self.refuse.iter().any(|word| word.as_str() == whom)
    }
}

/// What a step gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Give {
    /// The value of `what` is the name of a reward.
    Reward {
        what: Expr,
        amount: Option<Expr>,
    },
    Points {
        points: Name,
        amount: Expr,
    },
    Chance {
        lottery: Name,
    },
    /// Points for a reward: both or neither.
    Exchange {
        amount: Expr,
        points: Name,
        what: Expr,
    },
    Draw {
        lottery: Name,
    },
    /// Whoever was invited has done what counts: once for ever. Nothing is given; it is an event.
    Qualify {
        referral: Name,
        inviter: Expr,
    },
}

/// What is common to all steps that give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Giving {
    pub give: Give,
    /// Tells two of one step apart.
    pub key: Option<Expr>,
    /// Where the amount that was given is kept.
    pub slot: Option<u16>,
    /// The journey's own budget, which counts beside the reward's.
    pub budget: Option<Name>,
    /// Who gets it, if not the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<super::Addressee>,
    /// It is for having invited by this referral, whose limits count too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Name>,
}

/// What becomes of giving, besides the names of prizes.
pub mod outcome {
    pub const GRANTED: &str = "granted";
    pub const SOLD_OUT: &str = "sold_out";
    pub const LIMITED: &str = "limited";
    pub const CLOSED: &str = "closed";
    pub const BUDGET_GONE: &str = "budget_gone";
    pub const REFUSED: &str = "refused";
    pub const TOO_FEW: &str = "too_few";
    pub const BLANK: &str = "blank";
    pub const NO_CHANCE: &str = "no_chance";
    pub const ALL: [&str; 9] =
        [GRANTED, SOLD_OUT, LIMITED, CLOSED, BUDGET_GONE, REFUSED, TOO_FEW, BLANK, NO_CHANCE];
}

/// The event of something given, which journeys can wait for and count.
pub const GRANTED: &str = "granted";

/// The source of events that the daemon makes itself where a gift is used: `source books`.
pub const BOOKS: &str = "books";

/// The events of who was invited: the link counts, and what counts was done.
pub const JOINED: &str = "joined";
pub const QUALIFIED: &str = "qualified";
/// Their fields: by which referral, and by whom.
pub const REFERRAL: &str = "referral";
pub const INVITER: &str = "inviter";

impl Values {
    /// Whatever can be granted: rewards, points, chances and prizes, by the name in events and traces.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        let lotteries = self.lotteries.iter().flat_map(|(name, lottery)| {
            let prizes = lottery.prizes.iter().map(|prize| below(*name, prize.name));
            [*name, chance(*name)]
                .into_iter()
                .chain(prizes)
                .chain(lottery.prizes.iter().map(|prize| prize.name))
        });
        let plain = self.budgets.keys().chain(self.rewards.keys()).chain(self.points.keys()).copied();
        let referrals = self.referrals.keys().flat_map(|name| [*name, inviters(*name)]);
        plain.chain(lotteries).chain(referrals)
    }
}

impl Give {
    /// The expressions in it.
    #[must_use]
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Reward { what, amount } => std::iter::once(what).chain(amount).collect(),
            Self::Points { amount, .. } => vec![amount],
            Self::Exchange { amount, what, .. } => vec![amount, what],
            Self::Qualify { inviter, .. } => vec![inviter],
            Self::Chance { .. } | Self::Draw { .. } => Vec::new(),
        }
    }
}

/// `weekly_draw.chance`
#[must_use]
pub fn chance(lottery: Name) -> Name {
    below(lottery, Name::new("chance"))
}

/// `friends.inviter`: what counts whom somebody has brought.
#[must_use]
pub fn inviters(referral: Name) -> Name {
    below(referral, Name::new(INVITER))
}

/// `weekly_draw.gift_box`
#[must_use]
pub fn below(lottery: Name, prize: Name) -> Name {
    Name::new(&format!("{lottery}.{prize}"))
}
