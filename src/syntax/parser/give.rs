//! Steps that give: `grant`, `draw` and `exchange`.

use nom::Parser;

use super::expr::{expr, sum};
use super::input::In;
use super::operand::call;
use super::primitive::{P, boxed, expect_word, path};
use super::step::{once, option};
use super::tail::{optional_tail, step_id};
use crate::syntax::ast::{Call, Exchange, Expr, Give, StepId, StepKind};

/// `abroad_cashback amount event.amount * 5% { on limited … } else …`
pub(super) fn grant(i: In<'_>) -> P<'_, StepKind> {
    boxed(|i| give(i, "a reward"), StepKind::Grant).parse(i)
}

/// `weekly_draw { on gift_box … } else …`
pub(super) fn draw(i: In<'_>) -> P<'_, StepKind> {
    boxed(|i| give(i, "a lottery"), StepKind::Draw).parse(i)
}

/// `500 stars for coffee_coupon { on too_few … } else …`
pub(super) fn exchange(i: In<'_>) -> P<'_, StepKind> {
    let (i, (amount, points, _)) = (sum, path("the kind of points"), expect_word("for")).parse(i)?;
    let (i, give) = give(i, "a reward")?;
    Ok((i, StepKind::Exchange(Box::new(Exchange { amount, points, give }))))
}

/// What may follow what is given, in any order.
#[derive(Default)]
struct Options {
    amount: Option<Expr>,
    to: Option<Expr>,
    key: Option<Expr>,
    id: Option<StepId>,
}

fn give<'a>(i: In<'a>, what: &'static str) -> P<'a, Give> {
    let (i, what) = call(what)(i)?;
    let (i, options) = options(i)?;
    let (i, tail) = optional_tail(i)?;
    Ok((i, whole(what, options, tail)))
}

fn whole(what: Call, options: Options, tail: crate::syntax::ast::Tail) -> Give {
    let Options { amount, to, key, id } = options;
    Give { what, amount, to, key, id: id.unwrap_or_default(), tail }
}

fn options(mut i: In<'_>) -> P<'_, Options> {
    let mut options = Options::default();
    loop {
        i = match i.word() {
            "amount" if once(i, options.amount.is_none()) => option(expr, i.next(), &mut options.amount)?,
            "to" if once(i, options.to.is_none()) => option(expr, i.next(), &mut options.to)?,
            "key" if once(i, options.key.is_none()) => option(expr, i.next(), &mut options.key)?,
            "as" if once(i, options.id.is_none()) => option(step_id, i, &mut options.id)?,
            _ => return Ok((i, options)),
        };
    }
}
