//! What becomes of a draw: the chance that it cost, and what the chain of the lottery is told.

use crate::lottery::Outcome;
use crate::name::Name;
use crate::program::value::outcome;
use crate::step::account::Lot;
use crate::step::actor::Actor;
use crate::step::effect::{Booking, Drawing, Effect};
use crate::step::give::{Given, refused};
use crate::step::input::MessageKey;
use crate::step::run::Run;
use crate::step::state::Gift;
use crate::step::symbols::Sym;

/// No prize: the chance is spent all the same.
pub(super) fn blank(
    actor: &mut Actor,
    lottery: Name,
    what: Sym,
    taken: Option<&(Sym, Vec<Lot>)>,
    key: MessageKey,
) -> Given {
    let run = &mut *actor.run;
    spent(run, &key, taken);
    run.effect(Effect::Draw(Box::new(Drawing { key, lottery, drawn: None, outcome: Outcome::Blank })));
    refused(actor, what, outcome::BLANK)
}

/// A chance was spent and nothing was had for it: the books follow.
pub(super) fn spent(run: &mut Run, key: &MessageKey, taken: Option<&(Sym, Vec<Lot>)>) {
    let taken = taken.and_then(|(what, lots)| Some((run.world.symbols.name(*what)?, lots.clone())));
    let booking =
        Booking { key: key.clone(), what: Vec::new(), amount: 0, can_be_spent: false, until: None, taken };
    run.effect(Effect::Book(Box::new(booking)));
}

/// What was drawn has come to this: the chain of the lottery follows. Of what was not drawn nothing is told.
pub(super) fn told(run: &mut Run, gift: &Gift, key: &MessageKey, outcome: Outcome) {
    let name = |sym| run.world.symbols.name(sym);
    let (Some(what), Some(prize)) = (name(gift.what), name(gift.outcome)) else { return };
    let Some(lottery) = what.as_str().strip_suffix(prize.as_str()).and_then(|text| text.strip_suffix('.'))
    else {
        return;
    };
    let drawing = Drawing { key: key.clone(), lottery: Name::new(lottery), drawn: Some(prize), outcome };
    run.effect(Effect::Draw(Box::new(drawing)));
}
