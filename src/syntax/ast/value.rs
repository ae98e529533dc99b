//! Items of what is given: budgets, rewards, points, lotteries, referrals.

use super::{Dur, Expr, Ident, Path, Pattern, Rate, Schedule, Text};
use crate::text::Span;

#[derive(Clone, Debug, PartialEq)]
pub enum BudgetItem {
    Total(Expr),
    Owner(Text),
    /// The share at which the owner is told.
    Alert(Expr),
    Error(Span),
}

/// When something may be had: days from to, or again and again.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// `2026-12-01..2027-02-28`
    Range(Expr),
    /// `every friday 10:00..12:00 during 2026-12-01..2027-02-28`
    Every(Box<Schedule>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum RewardItem {
    /// `coupon`, `gift`, `cashback`, `right`, `discount`
    Kind(Ident),
    Value(Expr),
    Open(Opening),
    Stock(Rate),
    Limit(Rate),
    Keep(Dur),
    /// `merchant where mcc in ["5541"]`
    Merchant(Expr),
    /// `fulfil ship_box within 10 workdays`: the task that hands it over.
    Fulfil {
        task: Path,
        within: Dur,
    },
    Budget(Path),
    /// `codes "高德地图"`: each comes with a code out of a file of this partner.
    Codes(Text),
    /// `only group_gift, group_welcome`: no other journey gives it.
    Only(Vec<Ident>),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum PointsItem {
    Keep(Dur),
    /// What one of them is worth.
    Worth(Expr),
    Limit(Rate),
    Budget(Path),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum LotteryItem {
    Open(Opening),
    /// `chance keep 7 days`
    ChanceKeep(Dur),
    Rules(Text),
    Prize {
        name: Ident,
        label: Option<Text>,
        items: Vec<PrizeItem>,
    },
    Limit(Rate),
    Budget(Path),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum PrizeItem {
    Value(Expr),
    Count(Expr),
    /// `odds 1 in 2_000`
    Odds {
        wins: Expr,
        of: Expr,
    },
    /// The reward it is.
    Gives(Path),
    /// `tax withheld`
    Tax(Ident),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReferralItem {
    Open(Opening),
    /// `link first_touch within 30 days`
    Link {
        rule: Ident,
        within: Dur,
    },
    Qualify(Vec<Pattern>),
    /// `inviter gets thanks_coupon`
    Inviter(Path),
    Invitee(Path),
    Limit(Rate),
    Refuse(Vec<Ident>),
    Budget(Path),
    Error(Span),
}
