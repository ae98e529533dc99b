//! Lotteries of the simulated store: what was published, and the chain of draws. What is refused is written here once more; how a
//! link is made is the product's own, and the model looks at what the links say.

use std::collections::BTreeMap;

use wayfare::lottery::audit::Auditor;
use wayfare::lottery::{Head, Kept, Record, Seed, Terms};
use wayfare::store::{DrawRow, Drawn, LotteryRow, Publication, Revealed, StoreError};

#[derive(Default)]
pub(crate) struct Wheel {
    rows: BTreeMap<String, LotteryRow>,
    draws: BTreeMap<String, Vec<Drawn>>,
}

impl Wheel {
    pub(crate) fn publish(&mut self, publication: &Publication) {
        for new in &publication.new {
            let known = self.rows.get(&new.name);
            let stays = known.is_some_and(|row| row.head.draws > 0 || row.terms == new.terms);
            if !stays {
                self.rows.insert(new.name.clone(), seeded(new));
            }
        }
        for (name, ends) in &publication.ends {
            if let Some(row) = self.rows.get_mut(name).filter(|row| row.revealed.is_none()) {
                row.ends = *ends;
            }
        }
    }

    pub(crate) fn rows(&self) -> Vec<LotteryRow> {
        self.rows.values().cloned().collect()
    }

    pub(crate) fn draws(&self, lottery: &str, after: i64, limit: usize) -> Vec<Drawn> {
        let all = self.draws.get(lottery).into_iter().flatten();
        all.filter(|drawn| drawn.record.nth > after).take(limit).cloned().collect()
    }

    pub(crate) fn reveal(&mut self, seeds: &[Revealed], ended: i64, at: i64) -> u64 {
        let is_of =
            |row: &LotteryRow, of: &Revealed| row.name == of.lottery && row.commitment == of.commitment;
        let over = self.rows.values_mut().filter(|row| {
            row.revealed.is_none()
                && row.ends.is_some_and(|ends| ends <= ended)
                && seeds.iter().any(|of| is_of(row, of))
        });
        over.map(|row| row.revealed = Some(at)).count() as u64
    }

    /// Whether these can be drawn.
    ///
    /// # Errors
    /// The lottery is another one by now, or over.
    pub(crate) fn accepts(&self, draws: &[DrawRow]) -> Result<(), StoreError> {
        let can = |draw: &DrawRow| {
            let row = self.rows.get(&draw.lottery);
            row.is_some_and(|row| row.commitment == draw.commitment && row.revealed.is_none())
        };
        if draws.iter().all(can) { Ok(()) } else { Err(StoreError::Fenced) }
    }

    pub(crate) fn append(&mut self, draws: &[DrawRow]) {
        for draw in draws {
            let Some(row) = self.rows.get_mut(&draw.lottery) else { continue };
            let terms: Terms = serde_json::from_str(&row.terms).unwrap();
            let record = row.head.append(&terms, draw.draw.clone());
            let drawn = Drawn { record, key: draw.key.clone(), holder: draw.holder.clone() };
            self.draws.entry(draw.lottery.clone()).or_default().push(drawn);
        }
    }

    /// What whoever looks at the chains finds; and how many draws there are.
    pub(crate) fn audit(&self) -> (Vec<String>, usize) {
        let mut wrong = Vec::new();
        for row in self.rows.values() {
            let published = row.published();
            let mut auditor = Auditor::new(&published).unwrap();
            let records: Vec<&Record> =
                self.draws.get(&row.name).into_iter().flatten().map(|drawn| &drawn.record).collect();
            records.into_iter().for_each(|record| auditor.take(record));
            wrong.extend(auditor.end(Some((row.head.draws, &row.head.link))).faults);
        }
        (wrong, self.draws.values().map(Vec::len).sum())
    }
}

/// Chance comes from the simulation's seed alone, so the seed that the system's randomness made is not used.
fn seeded(new: &LotteryRow) -> LotteryRow {
    let seed = Seed::of_trials();
    let commitment = seed.commitment();
    let head = Head::first(&commitment, &new.terms);
    LotteryRow { secret: Kept::Clear(seed), commitment, head, ..new.clone() }
}
