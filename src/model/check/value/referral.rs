//! `referral payroll_mgm "代发老带新" of customer { link first_touch within 30 days; qualify on …; inviter gets … }`

use super::Reader;
use super::limit::Whose;
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::Pattern;
use crate::model::Referral;
use crate::model::check::length;
use crate::model::check::pattern::Messages;
use crate::model::check::world::Kind;
use crate::name::Name;
use crate::syntax::ast::{self, ReferralItem};
use crate::value::Length;

/// Whom a referral can turn away.
const REFUSED: [&str; 5] = ["cycle", "existing_customer", "same_address", "same_device", "self"];

#[derive(Default)]
struct Parts {
    open: Option<crate::program::Opening>,
    link: Option<(bool, Length)>,
    qualify: Vec<Pattern>,
    inviter: Option<Name>,
    invitee: Option<Name>,
    limits: Vec<crate::program::value::Limit>,
    refuse: Vec<Name>,
    budget: Option<Name>,
    uses: crate::model::Uses,
}

pub(super) fn referral(reader: &mut Reader, items: &[ReferralItem]) -> Option<Referral> {
    let subject = reader.subject()?;
    if reader.world.entity(subject).is_some_and(|entity| entity.parent.is_some()) {
        let what = format!("is of `{subject}`, who cannot be invited");
        reader.complain(
            code::REFERRAL,
            &what,
            "somebody is invited who has a row of their own",
            "write `of customer`, or another entity without a parent",
        );
    }
    let mut parts = Parts::default();
    for item in items {
        one(reader, item, subject, &mut parts);
    }
    if !items.iter().any(|item| matches!(item, ReferralItem::Error(_))) {
        required(reader, items);
    }
    let Parts { open, link, qualify, inviter, invitee, limits, refuse, budget, uses } = parts;
    Some(Referral {
        name: reader.declared.name,
        label: reader.label(),
        subject,
        open,
        link: link?,
        qualify,
        inviter,
        invitee,
        limits,
        refuse,
        budget,
        uses,
        span: reader.declared.span,
    })
}

fn required(reader: &mut Reader, items: &[ReferralItem]) {
    if !items.iter().any(|item| matches!(item, ReferralItem::Link { .. })) {
        reader.complain(
            code::REFERRAL,
            "does not say whose link counts",
            "`link` is missing",
            "write `link first_touch within 30 days`, or `last_touch`",
        );
    }
    if !items.iter().any(|item| matches!(item, ReferralItem::Qualify(_))) {
        reader.complain(
            code::REFERRAL,
            "does not say what counts",
            "`qualify` is missing",
            "write `qualify on` and what the invited one must do",
        );
    }
}

fn one(reader: &mut Reader, item: &ReferralItem, subject: Name, parts: &mut Parts) {
    match item {
        ReferralItem::Open(opening) => parts.open = reader.opening(opening),
        ReferralItem::Link { rule, within } => {
            let last = match rule.name.as_str() {
                "first_touch" => false,
                "last_touch" => true,
                _ => {
                    let headline = format!("`{}` is no rule for links", rule.name);
                    let finding = Diagnostic::new(code::REFERRAL, rule.span, headline).label("not a rule");
                    reader.report(finding.help("write `first_touch` or `last_touch`"));
                    false
                }
            };
            let length = length::positive(*within, reader.sink);
            reader.once(&mut parts.link, Some((last, length)), "link", rule.span);
        }
        ReferralItem::Qualify(patterns) => qualify(reader, patterns, subject, parts),
        ReferralItem::Inviter(path) => {
            let reward = reader.named(path, Kind::Reward);
            reader.once(&mut parts.inviter, reward, "inviter", path.span);
        }
        ReferralItem::Invitee(path) => {
            let reward = reader.named(path, Kind::Reward);
            reader.once(&mut parts.invitee, reward, "invitee", path.span);
        }
        ReferralItem::Limit(rate) => {
            let limit = reader.limit(rate, Whose::Inviter, parts.open.as_ref(), None);
            parts.limits.extend(limit);
        }
        ReferralItem::Refuse(words) => words.iter().for_each(|word| refused(reader, *word, parts)),
        ReferralItem::Budget(path) => {
            let budget = reader.budget(path, None);
            reader.once(&mut parts.budget, budget, "budget", path.span);
        }
        ReferralItem::Error(_) => {}
    }
}

fn refused(reader: &mut Reader, word: ast::Ident, parts: &mut Parts) {
    if !REFUSED.contains(&word.name.as_str()) {
        let headline = format!("`{}` is nobody that a referral can turn away", word.name);
        let finding = Diagnostic::new(code::REFERRAL, word.span, headline).label("not known");
        let help = suggest::did_you_mean(word.name.as_str(), REFUSED);
        reader.report(finding.help(help.unwrap_or_else(|| format!("write `{}`", REFUSED.join("`, `")))));
    }
    parts.refuse.push(word.name);
}

/// What the invited one does.
fn qualify(reader: &mut Reader, patterns: &[ast::Pattern], subject: Name, parts: &mut Parts) {
    let mut checker = reader.checker(Some(subject));
    for written in patterns {
        match checker.occurs(&written.occurrence, Messages::Any) {
            Some(Ok(happening)) => parts.qualify.push(checker.pattern(written, happening).0),
            Some(Err(_)) => {}
            None => {
                let headline = "an event of the invited one is wanted here".to_owned();
                let finding =
                    Diagnostic::new(code::NOT_AN_EVENT, written.span, headline).label("not an event");
                checker.report(finding.help(format!("name an event `of {subject}`")));
            }
        }
    }
    parts.uses = std::mem::take(&mut checker.uses);
    reader.absorb(&mut checker);
}
