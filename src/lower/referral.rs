//! A referral as a journey of its own: a link begins it, it waits for what counts, and gives to both.

use crate::expr::{Anchor, BinaryOp, Expr, Pattern, Source};
use crate::model::journey::{Awaited, GiveTail, Step, StepKind, WaitArm};
use crate::model::{Journey, Model, Referral};
use crate::name::Name;
use crate::program::value::{self, INVITER, JOINED, REFERRAL};
use crate::program::{Addressee, Enter, Give, Giving, Reenter, Values};
use crate::value::Value;

/// All that can be given, with who may bring whom.
pub(super) fn values(model: &Model) -> Values {
    let referral = |it: &Referral| value::Referral {
        label: it.label.clone(),
        subject: it.subject,
        open: it.open.clone(),
        is_last: it.link.0,
        keep: it.link.1,
        limits: it.limits.clone(),
        refuse: it.refuse.clone(),
    };
    let referrals = model.referrals.iter().map(|(name, it)| (*name, referral(it))).collect();
    Values { referrals, ..model.values.clone() }
}

/// The journey of whoever is invited. A later link begins it anew; what counts counts once for ever.
pub(super) fn journey(model: &Model, it: &Referral) -> Journey {
    let is_ours = Expr::Binary(
        BinaryOp::Is,
        Box::new(Expr::Field(Box::new(Expr::Element), Name::new(REFERRAL))),
        Box::new(Expr::Const(Value::Choice(it.name))),
    );
    let joined = Pattern { source: Source::Event(Name::new(JOINED)), first: false, filter: Some(is_ours) };
    let budget = it.budget.and_then(|name| model.values.budgets.get(&name));
    Journey {
        name: it.name,
        label: it.label.clone(),
        subject: it.subject,
        root: it.subject,
        purpose: Name::new("service"),
        owner: budget.map(|budget| budget.owner.clone()).unwrap_or_default(),
        // Links are judged when they are followed; what comes later than that is as good.
        open: None,
        reviewed: None,
        enter: Enter::Event(vec![joined]),
        existing: None,
        stale: None,
        reenter: Reenter::Restart,
        exits: Vec::new(),
        goals: Vec::new(),
        lasts: None,
        params: Vec::new(),
        holdout: 0,
        unserved: Vec::new(),
        product: None,
        lane: None,
        priority: None,
        caps: Vec::new(),
        quiet: None,
        steps: steps(it),
        locals: Vec::new(),
        uses: it.uses.clone(),
        rules: None,
        close: it.span,
        span: it.span,
    }
}

fn steps(it: &Referral) -> Vec<Step> {
    let step =
        |id: &str, kind: StepKind| Step { id: Name::new(id), was: None, label: None, kind, span: it.span };
    let end = |name: &str| step(name, StepKind::End { name: Name::new(name) });
    let inviter = || Expr::Field(Box::new(Expr::Entry), Name::new(INVITER));
    let give = |give: Give, to: Option<Addressee>, counts: Option<Name>, otherwise: Vec<Step>| {
        let giving = Giving { give, key: None, slot: None, budget: it.budget, to, counts };
        let tail = GiveTail { arms: Vec::new(), otherwise: Some(otherwise), goes_on: true };
        StepKind::Give(Box::new(giving), tail)
    };
    let reward = |name: Name| Give::Reward { what: Expr::Const(Value::Choice(name)), amount: None };
    let awaited =
        it.qualify.iter().map(|pattern| Awaited { pattern: pattern.clone(), slot: None, from: None });
    let wait = StepKind::Events {
        arms: vec![WaitArm { awaited: awaited.collect(), body: Vec::new() }],
        within: it.link.1,
        from: Anchor::Entry,
        timeout: vec![end("not_qualified")],
    };
    let qualify = Give::Qualify { referral: it.name, inviter: inviter() };
    let mut steps = vec![step("wait", wait), step("qualify", give(qualify, None, None, vec![end("again")]))];
    if let Some(name) = it.invitee {
        steps.push(step("invitee", give(reward(name), None, None, Vec::new())));
    }
    if let Some(name) = it.inviter {
        let to = Addressee { entity: it.subject, id: inviter(), person: true };
        steps.push(step(INVITER, give(reward(name), Some(to), Some(it.name), Vec::new())));
    }
    steps.push(end("qualified"));
    steps
}
