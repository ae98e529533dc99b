//! `reach X { via …; via … } else …`: a ladder of channels.

use super::steps;
use crate::diagnostic::{Diagnostic, code};
use crate::model::check::expr::Checker;
use crate::model::check::pattern::Messages;
use crate::model::check::{length, words};
use crate::model::journey::{Rung, StepKind};
use crate::syntax::ast::{self, Body, Call, Path};
use crate::value::Type;

use super::flow::Flow;

impl Checker<'_, '_> {
    pub(super) fn reach(&mut self, written: &ast::Reach) -> Option<StepKind> {
        let ast::Reach { content, id: _, prefer, rungs, not_sent, otherwise } = written;
        let call = self.content_call(content);
        let prefer = prefer.as_ref().and_then(|path| self.preferred(path));
        self.time_passes();
        let base = self.flow();
        let mut ways = Vec::new();
        let mut checked = Vec::new();
        for rung in rungs {
            self.set_flow(base.clone());
            checked.extend(self.rung(rung, content, call.as_ref(), &mut ways));
        }
        self.not_sent_required(not_sent.as_ref(), otherwise);
        self.set_flow(base.clone());
        let not_sent = not_sent.as_ref().map(|body| self.body(body));
        ways.push(self.flow());
        self.set_flow(base);
        let otherwise = self.body(otherwise);
        ways.push(self.flow());
        self.meet(ways);
        Some(StepKind::Reach { content: call?, prefer, rungs: checked, not_sent, otherwise })
    }

    fn preferred(&mut self, path: &Path) -> Option<crate::expr::Expr> {
        let typed = self.path(path, Some(&Type::Channel));
        match typed.ty.known() {
            Type::Channel => Some(typed.expr),
            Type::Error => None,
            other => {
                let headline =
                    format!("`{}` is {}, and `prefer` wants a channel", path.text(), words::of_type(other));
                self.report(
                    Diagnostic::new(code::TYPE_MISMATCH, path.span, headline)
                        .label(other.to_string())
                        .help("write a metric such as `most(opened.channel during last 180 days)`"),
                );
                None
            }
        }
    }

    fn rung(
        &mut self,
        rung: &ast::Rung,
        whole: &Call,
        call: Option<&crate::program::ContentCall>,
        ways: &mut Vec<Flow>,
    ) -> Option<Rung> {
        let ids = self.messages.and_then(|journey| self.world.steps.get(&journey));
        let id = ids.map_or(rung.channel.name, |ids| ids.at(self.scope, rung.span));
        let said = rung.with.as_ref().unwrap_or(whole);
        let content = match &rung.with {
            Some(with) => self.content_call(with),
            None => call.cloned(),
        };
        let channel = self.carrier(rung.channel).map(|channel| channel.name);
        if let (Some(content), Some(_)) = (&content, channel) {
            self.all_speak_on(said, content, rung.channel);
        }
        let mut awaited = Vec::new();
        for written in &rung.awaited {
            match self.occurs(&written.occurrence, Messages::Of(id)) {
                Some(Ok(happening)) => awaited.push(self.pattern(written, happening).0),
                Some(Err(_)) => {}
                None => self.not_an_event(&written.occurrence),
            }
        }
        let within = length::positive(rung.within, &mut self.sink);
        let success = self.steps(&rung.success);
        ways.push(self.flow());
        Some(Rung { id, channel: channel?, content: content?, awaited, within, success, span: rung.span })
    }

    /// People who were merely capped or had not agreed are not lost customers.
    fn not_sent_required(&mut self, not_sent: Option<&Body>, otherwise: &Body) {
        let Some(block) = steps::block(otherwise).filter(|_| not_sent.is_none()) else { return };
        let mut marks = None;
        steps::each(block, &mut |step| {
            if matches!(step.kind, ast::StepKind::Tag { .. } | ast::StepKind::Start { .. }) {
                marks = marks.or(Some(step.word));
            }
        });
        if let Some(word) = marks {
            self.report(
                Diagnostic::new(
                    code::NOT_SENT,
                    word.span,
                    "who was never written to would be treated as unreachable",
                )
                .label(format!("also `{}`s those whom the gate kept quiet", word.name))
                .help("write `on not_sent end kept_quiet` below the last rung: for them nothing was sent"),
            );
        }
    }
}
