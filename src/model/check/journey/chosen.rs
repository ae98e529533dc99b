//! Contents that a `table` chooses: whatever it can choose must fit the place.

use crate::diagnostic::{Diagnostic, code};
use crate::model::check::expr::Checker;
use crate::model::check::words;
use crate::model::check::world::Declared;
use crate::name::Name;
use crate::program::{Chosen, ContentCall};
use crate::syntax::ast::{Call, Expr, ExprKind, Ident};
use crate::value::{Type, Value};

impl Checker<'_, '_> {
    /// `stage_offer(stage, tier)` where a content is wanted.
    pub(super) fn chosen_content(&mut self, call: &Call, table: &Declared) -> Option<ContentCall> {
        let whole = Expr {
            kind: ExprKind::Call { callee: call.path.clone(), args: call.args.clone() },
            span: call.span,
        };
        let typed = self.table_call(&whole, table, &call.args);
        match typed.ty {
            Type::Content => {}
            Type::Error => return None,
            other => {
                let headline = format!(
                    "table `{}` gives {}, but a content is wanted here",
                    table.name,
                    words::of_type(&other)
                );
                let finding =
                    Diagnostic::new(code::TYPE_MISMATCH, call.span, headline).label(other.to_string());
                self.report(
                    finding.also(table.span, "declared here").help("write a table that ends in `-> Content`"),
                );
                return None;
            }
        }
        let among = self.possible(table.name);
        for content in &among {
            self.fits_without_arguments(*content, call);
        }
        let chosen = Chosen { by: typed.expr, among: among.clone() };
        Some(ContentCall { content: *among.first()?, args: Vec::new(), chosen: Some(Box::new(chosen)) })
    }

    /// All that the rows of a table name, in their order, once.
    pub(in crate::model::check) fn possible(&self, table: Name) -> Vec<Name> {
        let mut names = Vec::new();
        for row in self.world.model.tables.get(&table).map(|table| table.rows.as_slice()).unwrap_or_default()
        {
            if let crate::expr::Expr::Const(Value::Choice(name)) = row.value
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    pub(super) fn fits_without_arguments(&mut self, content: Name, call: &Call) {
        let world = self.world;
        let Some(known) = world.model.contents.get(&content) else { return };
        self.addressee(known, call);
        if let Some((first, _)) = known.takes.first() {
            let headline =
                format!("`{}` may choose `{content}`, which is not given `{first}`", call.path.text());
            let finding =
                Diagnostic::new(code::WRONG_ARGUMENTS, call.span, headline).label("nothing to give it");
            self.report(
                finding
                    .also(known.span, "takes it")
                    .help("let the contents that a table chooses take nothing, or write a `match` with a `send` in each row"),
            );
        }
    }

    /// Whether what is said, or everything that may be chosen, has a text for the channel.
    pub(super) fn all_speak_on(&mut self, said: &Call, content: &ContentCall, channel: Ident) {
        match &content.chosen {
            None => self.speaks_on(said, content.content, channel),
            Some(chosen) => {
                for one in &chosen.among {
                    let path = crate::syntax::ast::Path {
                        parts: vec![Ident { name: *one, span: said.path.span }],
                        span: said.path.span,
                    };
                    let call = Call { path, args: Vec::new(), span: said.span };
                    self.speaks_on(&call, *one, channel);
                }
            }
        }
    }
}
