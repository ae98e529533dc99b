//! What the bank does to gifts that it has given.

use wayfare::ledger::Act;

use super::Episode;

impl Episode {
    /// The bank takes a mug back; that one again of which it heard nothing.
    pub(super) fn take_back(&mut self) {
        let given: Vec<String> = match self.backing.tables() {
            Some(tables) => tables.books.gifts("stock/mug").into_iter().map(str::to_owned).collect(),
            None => return,
        };
        if given.is_empty() {
            return;
        }
        let gift = self.unheard.take().unwrap_or_else(|| self.chance.one(&given).clone());
        let place = self.any();
        let Some(process) = &self.slots[place].process else { return };
        let at = self.now().as_millisecond();
        let acted =
            process.store.ledger().map(|books| process.block_on(books.act(0, &gift, Act::ClawBack, at)));
        let Some(acted) = acted else { return };
        self.say(|| format!("takes {gift} back at {place}: {}", acted.is_ok()));
        if acted.is_err() {
            self.unheard = Some(gift);
        }
    }
}
