//! Books and lotteries as JSON, alike at the door and on the command line.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::audit::Balance;
use super::referral::id_of;
use crate::lottery::file::Header;

use crate::store::{CodeRow, Drawn, EdgeRow, EntryRow, LotteryRow, RefusalRow};

/// Milliseconds since 1970 as people write an instant.
#[must_use]
pub fn moment(ms: Option<i64>) -> Option<String> {
    Timestamp::from_millisecond(ms?).ok().map(|at| at.to_string())
}

#[must_use]
pub fn balance(balance: &Balance) -> Json {
    json!({
        "account": balance.account, "unit": balance.unit, "most": balance.most, "given": balance.given,
        "held": balance.held, "used": balance.used, "left": balance.left, "under_way": balance.under_way,
        "alerted": moment(balance.alerted), "gone": moment(balance.gone),
    })
}

#[must_use]
pub fn entry(row: &EntryRow) -> Json {
    let it = &row.entry;
    json!({
        "at": moment(Some(row.at)), "act": it.act.as_str(), "from": it.from.as_str(), "account": it.account,
        "amount": it.amount, "unit": it.unit, "holder": row.holder, "gift": row.gift, "key": row.key,
        "until": moment(row.until),
    })
}

/// What everybody may know of it. The seed only once it is over.
#[must_use]
pub fn lottery(row: &LotteryRow) -> Json {
    json!({
        "name": row.name, "commitment": row.commitment, "terms": row.terms, "published": moment(Some(row.made)),
        "ends": moment(row.ends), "revealed": moment(row.revealed),
        "seed": row.seed().map(crate::lottery::Seed::reveal),
        "draws": row.head.draws, "head": row.head.link, "won": row.head.won,
    })
}

/// The first line of its file.
#[must_use]
pub fn header(row: &LotteryRow) -> Header {
    Header {
        lottery: row.name.clone(),
        terms: row.terms.clone(),
        commitment: row.commitment.clone(),
        seed: row.seed().map(crate::lottery::Seed::reveal),
        draws: row.head.draws,
        head: row.head.link.clone(),
    }
}

/// A code that was handed out.
#[must_use]
pub fn code(row: &CodeRow) -> Json {
    json!({
        "referral": row.referral, "inviter": id_of(&row.inviter), "code": row.code, "made": moment(Some(row.made)),
    })
}

/// Who was brought by whom.
#[must_use]
pub fn edge(row: &EdgeRow) -> Json {
    json!({
        "referral": row.referral, "inviter": id_of(&row.inviter), "invitee": id_of(&row.invitee), "code": row.code,
        "since": moment(Some(row.at)), "until": moment(Some(row.until)),
    })
}

/// Links that did not count.
#[must_use]
pub fn refusal(row: &RefusalRow) -> Json {
    json!({
        "referral": row.referral, "inviter": id_of(&row.inviter), "invitee": id_of(&row.invitee),
        "reason": row.reason, "first": moment(Some(row.first)), "last": moment(Some(row.last)), "times": row.times,
    })
}

/// A draw; who drew only for those who may know.
#[must_use]
pub fn draw(drawn: &Drawn, with_holder: bool) -> Json {
    let mut json = serde_json::to_value(&drawn.record).unwrap_or_default();
    if let Some(fields) = json.as_object_mut().filter(|_| with_holder) {
        fields.insert("holder".to_owned(), Json::from(&*drawn.holder));
        fields.insert("key".to_owned(), Json::from(&*drawn.key));
    }
    json
}
