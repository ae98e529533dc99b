//! `cap 3 per day cap 10 ever` of a `show`: how often one customer may see it.

use crate::diagnostic::{Diagnostic, code};
use crate::model::check::expr::Checker;
use crate::model::check::length;
use crate::model::check::policy::calendar;
use crate::model::check::world::Kind;
use crate::program::SightCap;
use crate::program::policy::Span;
use crate::syntax::ast::{ExprKind, Ident, Rate, RateUnit};
use crate::text;

/// Sights are kept one by one.
const MOST_SIGHTS: u32 = 100;

impl Checker<'_, '_> {
    pub(super) fn sight_caps(&mut self, caps: &[Rate], slots: &[Ident]) -> Vec<SightCap> {
        if let Some(cap) = caps.first() {
            self.reports_sights(cap, slots);
        }
        caps.iter().filter_map(|cap| self.sight_cap(cap)).collect()
    }

    /// Who shows an advertisement elsewhere does not ask us each time.
    fn reports_sights(&mut self, cap: &Rate, slots: &[Ident]) {
        for slot in slots {
            let via = self.world.model.channels.get(&slot.name);
            let Some(via) = via.filter(|via| via.kind.as_str() == "ads") else { continue };
            let headline = format!("nobody asks before `{}` shows something once more", slot.name);
            let finding = Diagnostic::new(code::SIGHTS, cap.span, headline)
                .label("cannot be held there")
                .also(via.span, "a list for somebody else's advertising")
                .help("leave `cap` out, and agree on the number with whoever shows it");
            self.report(finding);
        }
    }

    fn sight_cap(&mut self, cap: &Rate) -> Option<SightCap> {
        let most = match cap.count.kind {
            ExprKind::Int(count @ 1..) => u32::try_from(count).unwrap_or(u32::MAX),
            ExprKind::Error => return None,
            _ => {
                return self.no_sights(
                    cap.count.span,
                    "how often is a whole number, one or more",
                    "write `cap 3 per day`",
                );
            }
        };
        if most > MOST_SIGHTS {
            let help = format!("write a number up to {MOST_SIGHTS}, or leave `cap` out");
            return self.no_sights(cap.count.span, "every sight is kept to be counted", &help);
        }
        let mut within = None;
        for unit in &cap.per {
            let (length, rolling) = match unit {
                RateUnit::Rolling(dur) => (length::positive(*dur, &mut self.sink), true),
                RateUnit::Path(path) => {
                    if let Some(length) = calendar(path) {
                        (length, false)
                    } else {
                        self.world.expect_path(&mut self.sink, self.file, path, Kind::Entity)?;
                        let help = "leave it out: what stands in a slot stands there for one customer";
                        return self.no_sights(path.span, "it is always one customer who sees it", help);
                    }
                }
            };
            if within.replace(Span { length, rolling }).is_some() {
                return self.no_sights(
                    cap.span,
                    "it is counted in one stretch of time",
                    "write two of them: `cap 1 per day cap 3 per week`",
                );
            }
        }
        if cap.partial || within.is_some() == cap.ever {
            return self.no_sights(
                cap.span,
                "in which time is not said",
                "write `cap 3 per day`, `cap 3 per rolling 7 days` or `cap 10 ever`",
            );
        }
        Some(SightCap { most, within })
    }

    fn no_sights<T>(&mut self, span: text::Span, headline: &str, help: &str) -> Option<T> {
        self.report(Diagnostic::new(code::SIGHTS, span, headline.to_owned()).label("here").help(help));
        None
    }
}
